import {
	type DeviceIdentity,
	ILLEGAL_DATA_ADDRESS,
	ILLEGAL_DATA_VALUE,
	ILLEGAL_FUNCTION,
	type RegisterImage,
} from './register-image.ts';

/** Most registers and bits of one request (Modbus Application Protocol V1.1b3, 6.1, 6.3, 6.11, 6.12, 6.17). */
const MOST_READ_BITS = 2000;
const MOST_WRITTEN_BITS = 1968;
const MOST_READ_REGISTERS = 125;
const MOST_WRITTEN_REGISTERS = 123;
const MOST_EXCHANGED_REGISTERS = 121;

const READ_COILS = 1;
const READ_HOLDING = 3;
const COIL_ON = 0xff00;
/** MODBUS Encapsulated Interface type of "read device identification" (6.21). */
const MEI_IDENTIFICATION = 0x0e;
const INDIVIDUAL_ACCESS = 4;
/** Basic and regular objects, as a stream and one by one. */
const CONFORMITY = 0x82;
const RUNS = 0xff;

export const exceptionPdu = (functionCode: number, exceptionCode: number): Buffer =>
	Buffer.from([functionCode | 0x80, exceptionCode]);

/** What answers: the registers, and the instant of the request, ms since the epoch. */
interface Asked {
	readonly image: RegisterImage;
	readonly pdu: Buffer;
	readonly atMs: number;
}

/** A reply PDU, or the code of an exception. */
type Answer = Buffer | number;

const bytesOfWords = (words: ArrayLike<number>): Buffer => {
	const bytes = Buffer.alloc(words.length * 2);
	for (let i = 0; i < words.length; i += 1) bytes.writeUInt16BE(words[i] ?? 0, i * 2);
	return bytes;
};

const wordsOf = (bytes: Buffer): readonly number[] =>
	Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16BE(index * 2));

/** Function, byte count, data. */
const counted = (functionCode: number, data: Buffer): Buffer =>
	Buffer.concat([Buffer.from([functionCode, data.length]), data]);

const isBeyondEnd = (address: number, count: number): boolean => address + count > 0x1_0000;

function readRegisters(functionCode: 3 | 4, { image, pdu, atMs }: Asked): Answer {
	const address = pdu.readUInt16BE(1);
	const count = pdu.readUInt16BE(3);
	if (count < 1 || count > MOST_READ_REGISTERS) return ILLEGAL_DATA_VALUE;
	if (isBeyondEnd(address, count)) return ILLEGAL_DATA_ADDRESS;
	const words = image.read(functionCode, address, count, atMs);
	return typeof words === 'number' ? words : bytesOfWords(words);
}

function readBits(functionCode: 1 | 2, { image, pdu, atMs }: Asked): Answer {
	if (image.readBits === undefined) return ILLEGAL_FUNCTION;
	const address = pdu.readUInt16BE(1);
	const count = pdu.readUInt16BE(3);
	if (count < 1 || count > MOST_READ_BITS) return ILLEGAL_DATA_VALUE;
	if (isBeyondEnd(address, count)) return ILLEGAL_DATA_ADDRESS;
	const bits = image.readBits(functionCode, address, count, atMs);
	if (typeof bits === 'number') return bits;
	const bytes = Buffer.alloc(Math.ceil(count / 8));
	for (const [index, bit] of bits.entries()) if (bit) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (1 << (index & 7));
	return counted(functionCode, bytes);
}

/** The reply that repeats the request. */
const echoed = (refusal: number | null, { pdu }: Asked, length = pdu.length): Answer =>
	refusal ?? Buffer.from(pdu.subarray(0, length));

function writeCoil(asked: Asked): Answer {
	const { image, pdu } = asked;
	if (image.writeBits === undefined) return ILLEGAL_FUNCTION;
	const value = pdu.readUInt16BE(3);
	if (value !== 0 && value !== COIL_ON) return ILLEGAL_DATA_VALUE;
	return echoed(image.writeBits(pdu.readUInt16BE(1), [value === COIL_ON]), asked);
}

function writeCoils(asked: Asked): Answer {
	const { image, pdu } = asked;
	if (image.writeBits === undefined) return ILLEGAL_FUNCTION;
	const count = pdu.readUInt16BE(3);
	const isWellFormed = count >= 1 && count <= MOST_WRITTEN_BITS && pdu[5] === Math.ceil(count / 8);
	if (!isWellFormed || pdu.length !== 6 + Math.ceil(count / 8)) return ILLEGAL_DATA_VALUE;
	const bits = Array.from({ length: count }, (_, index) => (((pdu[6 + (index >> 3)] ?? 0) >> (index & 7)) & 1) === 1);
	return echoed(image.writeBits(pdu.readUInt16BE(1), bits), asked, 5);
}

function writeRegisters(asked: Asked): Answer {
	const { image, pdu } = asked;
	const count = pdu.readUInt16BE(3);
	const isWellFormed = count >= 1 && count <= MOST_WRITTEN_REGISTERS && pdu[5] === count * 2;
	if (!isWellFormed || pdu.length !== 6 + count * 2) return ILLEGAL_DATA_VALUE;
	return echoed(image.write(pdu.readUInt16BE(1), wordsOf(pdu.subarray(6))), asked, 5);
}

/** Function 22: (register AND mask) OR (other AND NOT mask) (6.16). */
function maskRegister(asked: Asked): Answer {
	const { image, pdu, atMs } = asked;
	const address = pdu.readUInt16BE(1);
	const and = pdu.readUInt16BE(3);
	const or = pdu.readUInt16BE(5);
	const words = image.read(READ_HOLDING, address, 1, atMs);
	if (typeof words === 'number') return words;
	const masked = ((words[0] ?? 0) & and) | (or & ~and & 0xffff);
	return echoed(image.write(address, [masked]), asked);
}

/** Function 23: the write is done before the read (6.17). */
function exchangeRegisters(asked: Asked): Answer {
	const { image, pdu } = asked;
	const count = pdu.readUInt16BE(7);
	const isWellFormed = count >= 1 && count <= MOST_EXCHANGED_REGISTERS && pdu[9] === count * 2;
	if (!isWellFormed || pdu.length !== 10 + count * 2) return ILLEGAL_DATA_VALUE;
	const refusal = image.write(pdu.readUInt16BE(5), wordsOf(pdu.subarray(10)));
	if (refusal !== null) return refusal;
	const data = readRegisters(3, asked);
	return typeof data === 'number' ? data : counted(23, data);
}

const text = (words: string): Buffer => Buffer.from(words.slice(0, 30), 'latin1');

/** Function 17: server id, run indicator (6.13). */
function reportServer({ image }: Asked): Answer {
	if (image.identity === undefined) return ILLEGAL_FUNCTION;
	const { vendor, productName } = image.identity;
	return counted(17, Buffer.concat([text(`${vendor} ${productName}`), Buffer.from([RUNS])]));
}

/** Object ids 0 to 2 are basic, 3 to 6 regular (6.21). */
const objectsOf = ({
	vendor,
	productCode,
	revision,
	productName,
}: DeviceIdentity): readonly (readonly [number, Buffer])[] => [
	[0, text(vendor)],
	[1, text(productCode)],
	[2, text(revision)],
	[4, text(productName)],
	[5, text(productCode)],
];

function identify({ image, pdu }: Asked): Answer {
	if (image.identity === undefined || pdu[1] !== MEI_IDENTIFICATION) return ILLEGAL_FUNCTION;
	const access = pdu[2] ?? 0;
	const first = pdu[3] ?? 0;
	if (access < 1 || access > INDIVIDUAL_ACCESS) return ILLEGAL_DATA_VALUE;
	const all = objectsOf(image.identity);
	const isIndividual = access === INDIVIDUAL_ACCESS;
	const inCategory = access === 1 ? all.slice(0, 3) : all;
	const found = isIndividual ? all.filter(([id]) => id === first) : inCategory.filter(([id]) => id >= first);
	if (isIndividual && found.length === 0) return ILLEGAL_DATA_ADDRESS;
	const list = found.length === 0 ? inCategory : found;
	const objects = list.map(([id, value]) => Buffer.concat([Buffer.from([id, value.length]), value]));
	return Buffer.concat([Buffer.from([0x2b, MEI_IDENTIFICATION, access, CONFORMITY, 0, 0, list.length]), ...objects]);
}

interface Handler {
	/** Length of a request that is complete in itself; the least of one that brings data. */
	readonly length: number;
	readonly hasData?: true;
	readonly answer: (asked: Asked) => Answer;
}

function registersAnswer(functionCode: 3 | 4): (asked: Asked) => Answer {
	return (asked) => {
		const data = readRegisters(functionCode, asked);
		return typeof data === 'number' ? data : counted(functionCode, data);
	};
}

const handlers: Readonly<Record<number, Handler>> = {
	[READ_COILS]: { length: 5, answer: (asked) => readBits(1, asked) },
	2: { length: 5, answer: (asked) => readBits(2, asked) },
	[READ_HOLDING]: { length: 5, answer: registersAnswer(3) },
	4: { length: 5, answer: registersAnswer(4) },
	5: { length: 5, answer: writeCoil },
	6: {
		length: 5,
		answer: (asked) => echoed(asked.image.write(asked.pdu.readUInt16BE(1), [asked.pdu.readUInt16BE(3)]), asked),
	},
	15: { length: 7, hasData: true, answer: writeCoils },
	16: { length: 8, hasData: true, answer: writeRegisters },
	17: { length: 1, answer: reportServer },
	22: { length: 7, answer: maskRegister },
	23: { length: 12, hasData: true, answer: exchangeRegisters },
	43: { length: 4, answer: identify },
};

/**
 * The reply of a device to a request PDU: functions 1 to 6, 15, 16, 17, 22, 23 and 43/14 of Modbus Application Protocol V1.1b3.
 * Never throws; what the device cannot do is answered with an exception.
 */
export function answerPdu(image: RegisterImage, pdu: Buffer, atMs: number): Buffer {
	const functionCode = pdu[0] ?? 0;
	const handler = handlers[functionCode];
	if (handler === undefined) return exceptionPdu(functionCode, ILLEGAL_FUNCTION);
	const isWellFormed = handler.hasData === true ? pdu.length >= handler.length : pdu.length === handler.length;
	const answer = isWellFormed ? handler.answer({ image, pdu, atMs }) : ILLEGAL_DATA_VALUE;
	return typeof answer === 'number' ? exceptionPdu(functionCode, answer) : answer;
}
