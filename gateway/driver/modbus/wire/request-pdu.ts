import {
	isRead,
	MAX_BITS_PER_READ,
	MAX_COILS_PER_WRITE,
	MAX_REGISTERS_PER_READ,
	MAX_REGISTERS_PER_READ_WRITE,
	MAX_REGISTERS_PER_WRITE,
	type ModbusChange,
	type ModbusExchange,
} from './modbus-line.ts';

/** Longest protocol data unit: function and data (Application Protocol V1.1b3, 4.1). */
export const MOST_PDU_BYTES = 253;

/** MEI type of device identification (1.1b3, 6.21). */
export const READ_DEVICE_ID = 14;

const COIL_ON = 0xff00;

/** Function, address and count or value. */
const SHORT_BYTES = 5;
const MASK_BYTES = 7;
/** Functions 15 and 16 up to the values; function 23 likewise. */
const SEVERAL_HEAD_BYTES = 6;
const READ_WRITE_HEAD_BYTES = 10;
/** Function, MEI type, read code, object. */
const IDENTIFICATION_BYTES = 4;

/** What function 5 sends for a coil (1.1b3, 6.5). */
export const coilValue = (words: readonly number[]): number => (words[0] === undefined || words[0] === 0 ? 0 : COIL_ON);

/** Two words, big-endian. @returns where they end */
function putPair(bytes: Buffer, at: number, first: number, second: number): number {
	bytes[at] = first >> 8;
	bytes[at + 1] = first;
	bytes[at + 2] = second >> 8;
	bytes[at + 3] = second;
	return at + 4;
}

function putWords(bytes: Buffer, at: number, words: readonly number[]): number {
	let next = at;
	for (const word of words) {
		bytes[next] = word >> 8;
		bytes[next + 1] = word;
		next += 2;
	}
	return next;
}

/** Coils, the first one in the lowest bit of the first byte. */
function putBits(bytes: Buffer, at: number, bits: readonly number[]): number {
	const end = at + Math.ceil(bits.length / 8);
	bytes.fill(0, at, end);
	for (const [index, bit] of bits.entries()) {
		const place = at + (index >> 3);
		if (bit !== 0) bytes[place] = (bytes[place] ?? 0) | (1 << (index & 7));
	}
	return end;
}

/** A count that the function does not allow is a mistake of the caller: the planner, the encoder and the forms know the limits. */
function checkCount(what: string, count: number, most: number): void {
	if (!(count >= 1 && count <= most)) throw new RangeError(`${what}: ${count} is not within 1 to ${most}`);
}

function encodeChange(change: ModbusChange, bytes: Buffer, at: number): number {
	const { address } = change;
	switch (change.functionCode) {
		case 5:
			return putPair(bytes, at, address, coilValue(change.words));
		case 6:
			return putPair(bytes, at, address, change.words[0] ?? 0);
		case 15: {
			checkCount('coils of one write', change.words.length, MAX_COILS_PER_WRITE);
			const head = putPair(bytes, at, address, change.words.length);
			bytes[head] = Math.ceil(change.words.length / 8);
			return putBits(bytes, head + 1, change.words);
		}
		case 16: {
			checkCount('registers of one write', change.words.length, MAX_REGISTERS_PER_WRITE);
			const head = putPair(bytes, at, address, change.words.length);
			bytes[head] = 2 * change.words.length;
			return putWords(bytes, head + 1, change.words);
		}
		case 22: {
			const head = putPair(bytes, at, address, change.andMask);
			return putWords(bytes, head, [change.orMask]);
		}
		case 23: {
			checkCount('registers of one read', change.count, MAX_REGISTERS_PER_READ);
			checkCount('registers of one read and write', change.words.length, MAX_REGISTERS_PER_READ_WRITE);
			const read = putPair(bytes, at, address, change.count);
			const head = putPair(bytes, read, change.writeAddress, change.words.length);
			bytes[head] = 2 * change.words.length;
			return putWords(bytes, head + 1, change.words);
		}
	}
}

/**
 * Writes the protocol data unit of a request into `bytes` from `at` on, at most 253 bytes. @returns where it ends
 * @throws RangeError for a count that the function does not allow
 */
export function encodeRequest(exchange: ModbusExchange, bytes: Buffer, at: number): number {
	bytes[at] = exchange.functionCode;
	if (isRead(exchange)) {
		checkCount(
			'count of one read',
			exchange.count,
			exchange.functionCode <= 2 ? MAX_BITS_PER_READ : MAX_REGISTERS_PER_READ,
		);
		return putPair(bytes, at + 1, exchange.address, exchange.count);
	}
	if (exchange.functionCode === 17) return at + 1;
	if (exchange.functionCode === 43) {
		bytes[at + 1] = READ_DEVICE_ID;
		bytes[at + 2] = exchange.readCode;
		bytes[at + 3] = exchange.objectId;
		return at + 4;
	}
	return encodeChange(exchange, bytes, at + 1);
}

/** Length of the request, bytes. */
export function requestBytes(exchange: ModbusExchange): number {
	if (isRead(exchange)) return SHORT_BYTES;
	switch (exchange.functionCode) {
		case 15:
			return SEVERAL_HEAD_BYTES + Math.ceil(exchange.words.length / 8);
		case 16:
			return SEVERAL_HEAD_BYTES + 2 * exchange.words.length;
		case 22:
			return MASK_BYTES;
		case 23:
			return READ_WRITE_HEAD_BYTES + 2 * exchange.words.length;
		case 17:
			return 1;
		case 43:
			return IDENTIFICATION_BYTES;
		case 5:
		case 6:
			return SHORT_BYTES;
	}
}
