import { identificationLength } from './device-identification.ts';
import { dataBytes, isRead, type ModbusChange, type ModbusExchange } from './modbus-line.ts';
import { coilValue, MOST_PDU_BYTES, READ_DEVICE_ID } from './request-pdu.ts';

/** Set in the function code of an answer that is an exception (1.1b3, 7). */
export const EXCEPTION_BIT = 0x80;
/** Function and exception code. */
const EXCEPTION_BYTES = 2;

/** These bytes cannot be the beginning of the answer. */
export const NO_REPLY = 0;
/** The length of the answer shows in bytes that are not there yet. */
export const NOT_YET = -1;

const NO_DATA = Buffer.alloc(0);

/** Function, address and count or value, as the request had them. */
const ECHO_BYTES = 5;
const MASK_ECHO_BYTES = 7;
/** Function and byte count. */
const COUNTED_HEAD_BYTES = 2;
/** Function, MEI type and read code, which are echoed. */
const IDENTIFICATION_HEAD_BYTES = 3;

/** Length of the answer that is no exception, bytes; of an answer that alone knows its length the longest. */
export function replyBytes(exchange: ModbusExchange): number {
	if (isRead(exchange)) return COUNTED_HEAD_BYTES + dataBytes(exchange.functionCode, exchange.count);
	switch (exchange.functionCode) {
		case 22:
			return MASK_ECHO_BYTES;
		case 23:
			return COUNTED_HEAD_BYTES + 2 * exchange.count;
		case 17:
		case 43:
			return MOST_PDU_BYTES;
		case 5:
		case 6:
		case 15:
		case 16:
			return ECHO_BYTES;
	}
}

/** Whether the word at `at` is this one, as far as its bytes are there. */
const fits = (bytes: Uint8Array, at: number, end: number, word: number): boolean =>
	(at >= end || bytes[at] === word >> 8) && (at + 1 >= end || bytes[at + 1] === (word & 0xff));

const echo = (bytes: Uint8Array, start: number, end: number, first: number, second: number): number =>
	fits(bytes, start + 1, end, first) && fits(bytes, start + 3, end, second) ? ECHO_BYTES : NO_REPLY;

const counted = (bytes: Uint8Array, start: number, end: number, count: number): number =>
	start + 1 < end && bytes[start + 1] !== count ? NO_REPLY : COUNTED_HEAD_BYTES + count;

function lengthByItself(bytes: Uint8Array, start: number, end: number): number {
	if (start + 1 >= end) return NOT_YET;
	const length = COUNTED_HEAD_BYTES + (bytes[start + 1] ?? 0);
	return length > MOST_PDU_BYTES ? NO_REPLY : length;
}

function changeLength(change: ModbusChange, bytes: Uint8Array, start: number, end: number): number {
	const { address } = change;
	switch (change.functionCode) {
		case 5:
			return echo(bytes, start, end, address, coilValue(change.words));
		case 6:
			return echo(bytes, start, end, address, change.words[0] ?? 0);
		case 15:
		case 16:
			return echo(bytes, start, end, address, change.words.length);
		case 22: {
			const isEcho = echo(bytes, start, end, address, change.andMask) !== NO_REPLY;
			return isEcho && fits(bytes, start + 5, end, change.orMask) ? MASK_ECHO_BYTES : NO_REPLY;
		}
		case 23:
			return counted(bytes, start, end, 2 * change.count);
	}
}

/**
 * Length of the answer whose function code stands at `start`, as far as `bytes[start, end)` tell: `NO_REPLY` when they cannot be
 * its beginning, `NOT_YET` when the length stands further on. The answer is right when so many bytes are there.
 */
export function replyLength(exchange: ModbusExchange, bytes: Uint8Array, start: number, end: number): number {
	if (start >= end) return NOT_YET;
	const { functionCode } = exchange;
	if (bytes[start] === (functionCode | EXCEPTION_BIT)) return EXCEPTION_BYTES;
	if (bytes[start] !== functionCode) return NO_REPLY;
	if (isRead(exchange)) return counted(bytes, start, end, dataBytes(exchange.functionCode, exchange.count));
	if (exchange.functionCode === 17) return lengthByItself(bytes, start, end);
	if (exchange.functionCode !== 43) return changeLength(exchange, bytes, start, end);
	const isEcho = fits(bytes, start + 1, end, (READ_DEVICE_ID << 8) | exchange.readCode);
	return isEcho ? identificationLength(bytes, start, end) : NO_REPLY;
}

/** Why the whole frame `bytes[start, end)` is not the answer, in a few words; `null` when it is. */
export function replyFlaw(exchange: ModbusExchange, bytes: Uint8Array, start: number, end: number): string | null {
	const length = replyLength(exchange, bytes, start, end);
	const has = end - start;
	if (length === has) return null;
	const functionCode = bytes[start] ?? 0;
	if (functionCode === (exchange.functionCode | EXCEPTION_BIT)) return 'an exception of a wrong length';
	if (functionCode !== exchange.functionCode) return `function ${functionCode} in the reply`;
	if (length === NOT_YET || functionCode === 43) return `${has} bytes that do not add up`;
	if (length !== NO_REPLY) return `${has} bytes in the reply, ${length} expected`;
	if (isRead(exchange) || exchange.functionCode === 23) {
		return `a byte count of ${bytes[start + 1]}, ${replyBytes(exchange) - COUNTED_HEAD_BYTES} expected`;
	}
	return exchange.functionCode === 17 ? `a byte count of ${bytes[start + 1]}` : 'the echo of another write';
}

/** The exception code of a right answer; `null` when it is none. */
export const exceptionCodeOf = (bytes: Uint8Array, start: number): number | null =>
	((bytes[start] ?? 0) & EXCEPTION_BIT) === 0 ? null : (bytes[start + 1] ?? 0);

/** A copy of the data of a right answer, see `ModbusAnswer.data`. */
export function replyData(exchange: ModbusExchange, bytes: Buffer, start: number, end: number): Buffer {
	const { functionCode } = exchange;
	let from = start + COUNTED_HEAD_BYTES;
	if (functionCode === 43) from = start + IDENTIFICATION_HEAD_BYTES;
	else if (functionCode > 4 && functionCode !== 17 && functionCode !== 23) return NO_DATA;
	const data = Buffer.allocUnsafe(end - from);
	bytes.copy(data, 0, from, end);
	return data;
}
