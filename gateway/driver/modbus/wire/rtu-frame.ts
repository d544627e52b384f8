import { hasValidCrc } from './crc16.ts';
import type { ModbusExchange } from './modbus-line.ts';
import { NOT_YET, replyLength } from './pdu.ts';

export type RtuScan =
	/** Nothing whole yet. `missing`: bytes until the reply that seems to have begun is whole; 0 when none has. */
	| { readonly kind: 'wait'; readonly missing: number }
	| { readonly kind: 'reply'; readonly start: number; readonly end: number }
	/** The bytes begin like the reply and are as long as it, but the CRC is wrong. */
	| { readonly kind: 'corrupt' };

/** Unit before the function, CRC behind the data. */
export const UNIT_BYTES = 1;
export const CRC_BYTES = 2;
/** Unit, function, exception code, CRC. */
const EXCEPTION_LENGTH = 5;

/**
 * Looks for the reply in `bytes[0, end)`. Only unit, function, length and CRC together make a reply; bytes of noise, an echo of
 * the request or a foreign frame before it are passed over.
 */
export function scanRtu(bytes: Uint8Array, end: number, exchange: ModbusExchange): RtuScan {
	let missing = 0;
	let isCorrupt = false;
	for (let start = 0; start < end; start += 1) {
		if (bytes[start] !== exchange.unitId) continue;
		const pdu = replyLength(exchange, bytes, start + UNIT_BYTES, end);
		if (pdu === 0) continue;
		const length = pdu === NOT_YET ? EXCEPTION_LENGTH : UNIT_BYTES + pdu + CRC_BYTES;
		if (start + length > end) {
			missing ||= start + length - end;
			continue;
		}
		if (pdu === NOT_YET) {
			missing ||= 1;
			continue;
		}
		if (hasValidCrc(bytes, start, start + length)) return { kind: 'reply', start, end: start + length };
		// Noise may imitate the beginning of a frame; only a whole arrival of exactly this length is called damaged.
		if (start === 0 && length === end && length > EXCEPTION_LENGTH) isCorrupt = true;
	}
	return isCorrupt && missing === 0 ? { kind: 'corrupt' } : { kind: 'wait', missing };
}
