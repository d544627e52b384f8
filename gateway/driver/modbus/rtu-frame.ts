import { hasValidCrc } from './crc16.ts';

/** The reply that may answer a request, as far as a serial line lets it be known: RTU replies carry no address. */
export interface ExpectedReply {
	readonly unitId: number;
	readonly functionCode: number;
	readonly byteCount: number;
}

export type RtuScan =
	/** Nothing whole yet; the bytes before `keepFrom` belong to nobody. */
	| { readonly kind: 'wait'; readonly keepFrom: number }
	| { readonly kind: 'reply'; readonly start: number; readonly end: number }
	/** The bytes begin like the reply and are as long as it, but the CRC is wrong. */
	| { readonly kind: 'corrupt' };

/** unit, function, exception code, CRC */
const EXCEPTION_LENGTH = 5;
/** unit, function, byte count ... CRC */
const OVERHEAD = 5;
const EXCEPTION_BIT = 0x80;

/** Length of the reply that may begin at `start`; 0 when it cannot begin there. */
function replyLength(bytes: Uint8Array, start: number, end: number, expected: ExpectedReply): number {
	if (bytes[start] !== expected.unitId) return 0;
	const has = end - start;
	const functionCode = bytes[start + 1];
	const length = OVERHEAD + expected.byteCount;
	if (has >= 2 && functionCode === (expected.functionCode | EXCEPTION_BIT)) return EXCEPTION_LENGTH;
	if (has >= 2 && functionCode !== expected.functionCode) return 0;
	return has >= 3 && bytes[start + 2] !== expected.byteCount ? 0 : length;
}

/**
 * Looks for the reply in `bytes[0, end)`. Only unit, function, length and CRC together make a reply; bytes of noise, an echo of
 * the request or a foreign frame before it are passed over.
 */
export function scanRtu(bytes: Uint8Array, end: number, expected: ExpectedReply): RtuScan {
	let keepFrom = end;
	let isCorrupt = false;
	for (let start = 0; start < end; start += 1) {
		const length = replyLength(bytes, start, end, expected);
		if (length === 0) continue;
		if (start + length > end) {
			keepFrom = Math.min(keepFrom, start);
			continue;
		}
		if (hasValidCrc(bytes, start, start + length)) return { kind: 'reply', start, end: start + length };
		// Noise may imitate the beginning of a frame; only a whole arrival of exactly this length is called damaged.
		if (start === 0 && length === end && length === OVERHEAD + expected.byteCount) isCorrupt = true;
	}
	return isCorrupt && keepFrom === end ? { kind: 'corrupt' } : { kind: 'wait', keepFrom };
}

/** The reply to a read request as it stands on the wire: unit, function, address, count. */
export function expectedReply(request: Buffer): ExpectedReply {
	const functionCode = request.readUInt8(1);
	const count = request.readUInt16BE(4);
	return {
		unitId: request.readUInt8(0),
		functionCode,
		byteCount: functionCode <= 2 ? Math.ceil(count / 8) : 2 * count,
	};
}
