import type { ChecksumRule, ChecksumType, FrameSpan } from '../../../config/template/serial-format.ts';

/** A checksum over `bytes[start, end)`, as an unsigned number of `size` bytes. */
interface Algorithm {
	readonly size: number;
	readonly sum: (bytes: Uint8Array, start: number, end: number) => number;
}

function folded(
	size: number,
	first: number,
	step: (sum: number, byte: number) => number,
	last: (sum: number) => number = (sum) => sum,
): Algorithm {
	return {
		size,
		sum(bytes, start, end) {
			let sum = first;
			for (let i = start; i < end; i += 1) sum = step(sum, bytes[i] ?? 0);
			return last(sum);
		},
	};
}

/** A CRC that is sent least significant bit first; the polynomial is reflected. */
function reflectedCrc(size: number, polynomial: number, first: number, out: number): Algorithm {
	const table = Uint32Array.from({ length: 256 }, (_, byte) => {
		let crc = byte;
		for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
		return crc;
	});
	const step = (crc: number, byte: number): number => (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] ?? 0);
	return folded(size, first, step, (crc) => (crc ^ out) >>> 0);
}

/** A CRC of 16 bits that is sent most significant bit first. */
function plainCrc16(polynomial: number, first: number): Algorithm {
	const table = Uint16Array.from({ length: 256 }, (_, byte) => {
		let crc = byte << 8;
		for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x80_00 ? (crc << 1) ^ polynomial : crc << 1;
		return crc & 0xff_ff;
	});
	return folded(2, first, (crc, byte) => ((crc << 8) & 0xff_ff) ^ (table[(crc >> 8) ^ byte] ?? 0));
}

const algorithms: Readonly<Record<ChecksumType, Algorithm>> = {
	xor: folded(1, 0, (sum, byte) => sum ^ byte),
	sum8: folded(1, 0, (sum, byte) => (sum + byte) & 0xff),
	sum16: folded(2, 0, (sum, byte) => (sum + byte) & 0xff_ff),
	lrc: folded(
		1,
		0,
		(sum, byte) => (sum + byte) & 0xff,
		(sum) => -sum & 0xff,
	),
	'crc16-modbus': reflectedCrc(2, 0xa0_01, 0xff_ff, 0),
	'crc16-arc': reflectedCrc(2, 0xa0_01, 0, 0),
	'crc16-ccitt': plainCrc16(0x10_21, 0xff_ff),
	'crc16-xmodem': plainCrc16(0x10_21, 0),
	'crc16-x25': reflectedCrc(2, 0x84_08, 0xff_ff, 0xff_ff),
	crc32: reflectedCrc(4, 0xed_b8_83_20, 0xff_ff_ff_ff, 0xff_ff_ff_ff),
};

/** @returns an unsigned number */
export const checksumOf = (type: ChecksumType, bytes: Uint8Array, start = 0, end = bytes.length): number =>
	algorithms[type].sum(bytes, start, end);

/** Negative places count from the end. */
const placeIn = (place: number, length: number): number => (place < 0 ? length + place : place);

/** A stretch of a frame of this length; `null` when the frame is too short for it. */
export function spanIn({ from, to }: FrameSpan, length: number): readonly [start: number, end: number] | null {
	const start = placeIn(from, length);
	const end = to === 0 ? length : placeIn(to, length);
	return start < 0 || end > length || start > end ? null : [start, end];
}

/** What stands in the frame; NaN when it is no number. */
function written(frame: Buffer, at: number, size: number, { notation, order }: ChecksumRule): number {
	if (notation === 'binary') return order === 'big' ? frame.readUIntBE(at, size) : frame.readUIntLE(at, size);
	const digits = frame.toString('latin1', at, at + 2 * size);
	return /^[0-9A-Fa-f]+$/.test(digits) ? Number.parseInt(digits, 16) : Number.NaN;
}

/** Whether a frame carries the right checksum; one that is too short for it does not. */
export function hasValidChecksum(frame: Buffer, rule: ChecksumRule): boolean {
	const { size } = algorithms[rule.type];
	const at = placeIn(rule.at, frame.length);
	const end = at + (rule.notation === 'hex' ? 2 * size : size);
	const covered = spanIn(rule.covers, frame.length);
	if (at < 0 || end > frame.length || covered === null || covered[0] === covered[1]) return false;
	if (!frame.subarray(Math.max(0, at - rule.mark.length), at).equals(rule.mark)) return false;
	return written(frame, at, size, rule) === checksumOf(rule.type, frame, covered[0], covered[1]);
}
