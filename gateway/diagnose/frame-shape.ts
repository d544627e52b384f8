import { hasValidCrc } from '../driver/modbus/wire/crc16.ts';

const EXCEPTION_BIT = 0x80;
const LEAST_RTU = 4;
const MOST_RTU = 256;
const MBAP_BYTES = 7;
const MOST_MBAP_LENGTH = 254;

/** Replies whose third byte counts what follows; the others repeat a part of the request. */
const COUNTED: ReadonlySet<number> = new Set([1, 2, 3, 4, 17, 20, 21, 23]);
const REPEATING: Readonly<Record<number, number>> = { 5: 8, 6: 8, 15: 8, 16: 8, 22: 10 };
const COUNTED_REQUESTS: Readonly<Record<number, number>> = { 15: 6, 16: 6, 23: 10 };
const REQUESTS: Readonly<Record<number, number>> = { 7: 4, 11: 4, 12: 4, 17: 4, 22: 10, 43: 7 };

/** Length of the identification objects of function 43/14 that begin at `start`; null: they are not whole. */
function objectsLength(bytes: Buffer, start: number, count: number): number | null {
	let at = start;
	for (let i = 0; i < count; i += 1) {
		const length = bytes[at + 1];
		if (length === undefined) return null;
		at += 2 + length;
	}
	return at - start;
}

/** Length of a reply that begins a buffer, from unit to CRC; null: its beginning does not tell. */
function replyLength(bytes: Buffer): number | null {
	const functionCode = bytes[1] ?? 0;
	if ((functionCode & EXCEPTION_BIT) !== 0) return 5;
	if (COUNTED.has(functionCode)) return bytes.length < 3 ? null : 3 + (bytes[2] ?? 0) + 2;
	if (functionCode === 43) {
		const objects = objectsLength(bytes, 8, bytes[7] ?? 0);
		return objects === null ? null : 8 + objects + 2;
	}
	return REPEATING[functionCode] ?? null;
}

/** Length of a request that begins a buffer, from unit to CRC. */
function requestLength(bytes: Buffer): number | null {
	const functionCode = bytes[1] ?? 0;
	const countedAt = COUNTED_REQUESTS[functionCode];
	if (countedAt !== undefined) return bytes.length <= countedAt ? null : countedAt + 3 + (bytes[countedAt] ?? 0);
	return REQUESTS[functionCode] ?? 8;
}

/** A whole frame at the beginning of a buffer. */
export interface FoundFrame {
	readonly length: number;
	readonly unitId: number;
	readonly pdu: Buffer;
	readonly transaction: number | null;
	/** Whether it has the shape of a reply; what another master asks has that of a request. */
	readonly isReply: boolean;
}

/** The RTU frame with a valid CRC that begins the buffer, as a reply or else as a request; null: there is none. */
export function rtuFrameAt(bytes: Buffer): FoundFrame | null {
	for (const [isReply, length] of [
		[true, replyLength(bytes)],
		[false, requestLength(bytes)],
	] as const) {
		if (length === null || length < LEAST_RTU || length > MOST_RTU || length > bytes.length) continue;
		if (!hasValidCrc(bytes, 0, length)) continue;
		return { length, unitId: bytes[0] ?? 0, pdu: bytes.subarray(1, length - 2), transaction: null, isReply };
	}
	return null;
}

/** The Modbus TCP frame that begins the buffer; null: there is none. */
export function tcpFrameAt(bytes: Buffer): FoundFrame | null {
	if (bytes.length < MBAP_BYTES || bytes.readUInt16BE(2) !== 0) return null;
	const follows = bytes.readUInt16BE(4);
	if (follows < 2 || follows > MOST_MBAP_LENGTH) return null;
	const length = 6 + follows;
	if (bytes.length < length) return null;
	const pdu = bytes.subarray(MBAP_BYTES, length);
	return { length, unitId: bytes[6] ?? 0, pdu, transaction: bytes.readUInt16BE(0), isReply: true };
}
