import { crc16, hasValidCrc } from './crc16.ts';
import type { ModbusExchange } from './modbus-line.ts';
import { EXCEPTION_BIT, NO_REPLY, NOT_YET, replyLength } from './reply-pdu.ts';
import { encodeRequest } from './request-pdu.ts';

export type RtuScan =
	/** Nothing whole yet. `missing`: least number of bytes until what seems to be the reply is whole; 0 when none has begun. */
	| { readonly kind: 'wait'; readonly missing: number }
	/** The reply is `bytes[start, end)`, from the unit up to the CRC. */
	| { readonly kind: 'reply'; readonly start: number; readonly end: number }
	/** All that came begins like the reply and is as long as it, but the CRC is wrong; noise may imitate less than that. */
	| { readonly kind: 'corrupt' };

/** Longest RTU frame: unit, a PDU of 253 bytes, CRC. */
export const MOST_RTU_BYTES = 256;
export const CRC_BYTES = 2;

/** Length of the frame whose unit stands at `start`; `NO_REPLY` or `NOT_YET` as `replyLength` says. */
function frameLength(bytes: Uint8Array, start: number, end: number, exchange: ModbusExchange): number {
	if (bytes[start] !== exchange.unitId) return NO_REPLY;
	const length = replyLength(exchange, bytes, start + 1, end);
	return length > 0 ? 1 + length + CRC_BYTES : length;
}

const isException = (bytes: Uint8Array, start: number): boolean => ((bytes[start + 1] ?? 0) & EXCEPTION_BIT) !== 0;

/**
 * Looks for the reply in `bytes[0, end)`. Only unit, function, length and CRC together make a reply; bytes of noise, an echo of
 * the request or a foreign frame before it are passed over.
 */
export function scanRtu(bytes: Uint8Array, end: number, exchange: ModbusExchange): RtuScan {
	let missing = 0;
	let isCorrupt = false;
	for (let start = 0; start < end; start += 1) {
		const length = frameLength(bytes, start, end, exchange);
		if (length === NO_REPLY) continue;
		if (length === NOT_YET || start + length > end) {
			missing ||= Math.max(1, start + length - end);
			continue;
		}
		if (hasValidCrc(bytes, start, start + length)) return { kind: 'reply', start, end: start + length };
		isCorrupt ||= start === 0 && length === end && !isException(bytes, start);
	}
	return isCorrupt && missing === 0 ? { kind: 'corrupt' } : { kind: 'wait', missing };
}

/** The request as it goes over the wire: unit, function, data, CRC low byte first. */
export function encodeRtu(exchange: ModbusExchange): Buffer {
	const bytes = Buffer.allocUnsafe(MOST_RTU_BYTES);
	bytes[0] = exchange.unitId;
	const end = encodeRequest(exchange, bytes, 1);
	bytes.writeUInt16LE(crc16(bytes, 0, end), end);
	return bytes.subarray(0, end + CRC_BYTES);
}
