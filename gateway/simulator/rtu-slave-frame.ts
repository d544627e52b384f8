import type { Clock } from '../../core/kernel/clock.ts';

/** Silence after which a half-received request is forgotten, ms. Far above 3.5 characters: a pty is not punctual. */
const FORGET_AFTER_MS = 100;
const MAX_FRAME_BYTES = 256;

/** CRC-16/MODBUS over the bytes (Modbus over serial line, 6.2.2). */
export function crc16(bytes: Uint8Array): number {
	let crc = 0xffff;
	for (const byte of bytes) {
		crc ^= byte;
		for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
	}
	return crc;
}

/** Unit id, PDU and CRC, low byte first. */
export function rtuFrame(unitId: number, pdu: Uint8Array): Buffer {
	const frame = Buffer.alloc(pdu.length + 3);
	frame[0] = unitId;
	frame.set(pdu, 1);
	frame.writeUInt16LE(crc16(frame.subarray(0, -2)), frame.length - 2);
	return frame;
}

/** Bytes of a request from unit to CRC, by function; those with data name its length in one byte. */
const FIXED_LENGTH: Readonly<Record<number, number>> = { 7: 4, 11: 4, 12: 4, 17: 4, 22: 10, 24: 6, 43: 7 };
const COUNTED_AT: Readonly<Record<number, number>> = { 15: 6, 16: 6, 23: 10 };
const USUAL_LENGTH = 8;

/** Length of the request that begins here; null: more bytes are needed to tell. */
function requestLength(bytes: Buffer): number | null {
	const functionCode = bytes[1];
	if (functionCode === undefined) return null;
	const countedAt = COUNTED_AT[functionCode];
	if (countedAt === undefined) return FIXED_LENGTH[functionCode] ?? USUAL_LENGTH;
	return bytes.length <= countedAt ? null : countedAt + 3 + (bytes[countedAt] ?? 0);
}

interface RtuRequest {
	readonly unitId: number;
	readonly pdu: Buffer;
}

/** Cuts a line's bytes into requests: length by function code, proof by CRC, one byte forward when it does not fit. */
export function createRequestCutter(clock: Pick<Clock, 'monotonicMs'>): (chunk: Buffer) => readonly RtuRequest[] {
	let rest: Buffer = Buffer.alloc(0);
	let lastAtMs = clock.monotonicMs();
	return (chunk) => {
		const isFresh = clock.monotonicMs() - lastAtMs > FORGET_AFTER_MS;
		lastAtMs = clock.monotonicMs();
		rest = isFresh ? chunk : Buffer.concat([rest, chunk]);
		const requests: RtuRequest[] = [];
		for (;;) {
			const length = requestLength(rest);
			if (length === null || (rest.length < length && length <= MAX_FRAME_BYTES)) return requests;
			const frame = rest.subarray(0, length);
			if (length <= MAX_FRAME_BYTES && crc16(frame.subarray(0, -2)) === frame.readUInt16LE(length - 2)) {
				requests.push({ unitId: frame[0] ?? 0, pdu: Buffer.from(frame.subarray(1, -2)) });
				rest = rest.subarray(length);
			} else {
				rest = rest.subarray(1);
			}
		}
	};
}
