import { crc32 } from 'node:zlib';

import { byteView } from '../journal/byte-view.ts';
import { Fault } from '../kernel/fault.ts';
import type { Range } from '../ledger/range-set.ts';
import { lastSeq, type Reading } from '../telemetry/reading.ts';

/**
 * A block of readings as it travels: 40 bytes of header with a CRC-32 of their own, then the body, whose CRC-32 stands in the header. So the hub can
 * name what a damaged body was about. Numbers are little-endian: magic u32, header CRC u32, epoch f64, first f64, last f64, samples u32,
 * body CRC u32.
 */
const MAGIC = 0x314b_4244;
const HEADER_BYTES = 40;
const CHECKED_FROM = 8;

/** What a block says of itself. */
export interface LinkBlockHeader extends Range {
	/** Epoch of its first reading; a block has readings of one epoch. */
	readonly epoch: number;
	readonly samples: number;
}

export interface LinkBlock extends LinkBlockHeader {
	readonly body: Buffer;
	/** The body is what was sent. */
	readonly isSound: boolean;
}

/** Frames an encoded block of readings. */
export function frameLinkBlock(body: Uint8Array, readings: readonly Reading[]): Buffer {
	let first = Number.MAX_SAFE_INTEGER;
	let last = 0;
	let samples = 0;
	for (const reading of readings) {
		first = Math.min(first, reading.firstSeq);
		last = Math.max(last, lastSeq(reading));
		samples += reading.values.length;
	}
	const bytes = Buffer.allocUnsafe(HEADER_BYTES + body.byteLength);
	bytes.writeUInt32LE(MAGIC, 0);
	bytes.writeDoubleLE(readings[0]?.epoch ?? 0, 8);
	bytes.writeDoubleLE(first, 16);
	bytes.writeDoubleLE(last, 24);
	bytes.writeUInt32LE(samples, 32);
	bytes.set(body, HEADER_BYTES);
	bytes.writeUInt32LE(crc32(byteView(bytes.subarray(HEADER_BYTES))), 36);
	bytes.writeUInt32LE(crc32(byteView(bytes.subarray(CHECKED_FROM, HEADER_BYTES))), 4);
	return bytes;
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** @throws Fault `rule-violation` when not even the header can be trusted */
export function openLinkBlock(payload: Uint8Array): LinkBlock {
	const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
	if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(0) !== MAGIC)
		throw new Fault('rule-violation', `${bytes.length} bytes that are no block of readings`);
	if (bytes.readUInt32LE(4) !== crc32(byteView(bytes.subarray(CHECKED_FROM, HEADER_BYTES))))
		throw new Fault('rule-violation', 'the checksum of the header of a block of readings is wrong');
	const [epoch, first, last] = [bytes.readDoubleLE(8), bytes.readDoubleLE(16), bytes.readDoubleLE(24)];
	if (![epoch, first, last].every(isCount) || last < first)
		throw new Fault('rule-violation', `a block of readings names epoch ${epoch}, numbers ${first} to ${last}`);
	const body = bytes.subarray(HEADER_BYTES);
	const isSound = bytes.readUInt32LE(36) === crc32(byteView(body));
	return { epoch, first, last, samples: bytes.readUInt32LE(32), body, isSound };
}
