import { hasValidCrc } from './crc16.ts';

/** The reply that may answer a request, as far as a serial line lets it be known: RTU replies carry no address. */
export interface ExpectedReply {
	readonly unitId: number;
	readonly functionCode: number;
	/** What follows the function: the byte count of a read, the echo of a write. */
	readonly head: readonly number[];
	/** Bytes between function and CRC. */
	readonly bodyBytes: number;
}

export type RtuScan =
	/** Nothing whole yet; the bytes before `keepFrom` belong to nobody. */
	| { readonly kind: 'wait'; readonly keepFrom: number }
	| { readonly kind: 'reply'; readonly start: number; readonly end: number }
	/** The bytes begin like the reply and are as long as it, but the CRC is wrong. */
	| { readonly kind: 'corrupt' };

/** unit, function, exception code, CRC */
const EXCEPTION_LENGTH = 5;
/** unit, function ... CRC */
const OVERHEAD = 4;
const HEAD_AT = 2;
const EXCEPTION_BIT = 0x80;

/** Length of the reply that may begin at `start`; 0 when it cannot begin there. */
function replyLength(bytes: Uint8Array, start: number, end: number, expected: ExpectedReply): number {
	if (bytes[start] !== expected.unitId) return 0;
	const has = end - start;
	const functionCode = bytes[start + 1];
	const length = OVERHEAD + expected.bodyBytes;
	if (has >= 2 && functionCode === (expected.functionCode | EXCEPTION_BIT)) return EXCEPTION_LENGTH;
	if (has >= 2 && functionCode !== expected.functionCode) return 0;
	return expected.head.every((byte, at) => has <= HEAD_AT + at || bytes[start + HEAD_AT + at] === byte) ? length : 0;
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
		if (start === 0 && length === end && length === OVERHEAD + expected.bodyBytes) isCorrupt = true;
	}
	return isCorrupt && keepFrom === end ? { kind: 'corrupt' } : { kind: 'wait', keepFrom };
}

/** Address and value of functions 5 and 6, address and count of function 16: the answer repeats them (1.1b3, 6.5, 6.6, 6.12). */
const ECHOED: ReadonlySet<number> = new Set([5, 6, 16]);
const ECHO_BYTES = 4;

/** The reply to a request as it stands on the wire: unit, function, address, count or value. */
export function expectedReply(request: Buffer): ExpectedReply {
	const unitId = request.readUInt8(0);
	const functionCode = request.readUInt8(1);
	if (ECHOED.has(functionCode)) {
		const head = [...request.subarray(HEAD_AT, HEAD_AT + ECHO_BYTES)];
		return { unitId, functionCode, head, bodyBytes: ECHO_BYTES };
	}
	const count = request.readUInt16BE(4);
	const byteCount = functionCode <= 2 ? Math.ceil(count / 8) : 2 * count;
	return { unitId, functionCode, head: [byteCount], bodyBytes: 1 + byteCount };
}
