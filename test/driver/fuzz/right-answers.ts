import type { ModbusExchange } from '../../../gateway/driver/modbus/wire/modbus-line.ts';
import { withCrc } from '../../fake/crc.ts';

/** How a frame lies on the wire: TCP after its header, RTU with CRC, ASCII. */
export type FrameKind = 'tcp' | 'rtu' | 'ascii';

const pair = (first: number, second: number): Buffer => {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt16BE(first, 0);
	bytes.writeUInt16BE(second, 2);
	return bytes;
};

/** What follows the function in the echo of a write; `null` of other requests. */
function echoOf(exchange: ModbusExchange): Buffer | null {
	if (exchange.functionCode === 22) {
		return Buffer.concat([pair(exchange.address, exchange.andMask), pair(exchange.orMask, 0).subarray(0, 2)]);
	}
	if (!('words' in exchange) || exchange.functionCode === 23) return null;
	const { functionCode, address, words } = exchange;
	const [first = 0] = words;
	if (functionCode === 5) return pair(address, first === 1 ? 0xff00 : 0);
	return pair(address, functionCode === 6 ? first : words.length);
}

const byteCountOf = (exchange: ModbusExchange): number | null => {
	if (!('count' in exchange)) return null;
	return exchange.functionCode <= 2 ? Math.ceil(exchange.count / 8) : 2 * exchange.count;
};

/** Data of an identification, when its objects add up exactly. */
function identificationOf(pdu: Buffer, readCode: number): Buffer | null {
	if (pdu.length < 7 || pdu[1] !== 14 || pdu[2] !== readCode) return null;
	let at = 7;
	for (let left = pdu.readUInt8(6); left > 0; left -= 1) {
		if (at + 2 > pdu.length) return null;
		at += 2 + pdu.readUInt8(at + 1);
	}
	return at === pdu.length ? pdu.subarray(3) : null;
}

/** The data of an answer that is no echo; `null` when its lengths do not add up. */
function dataOf(exchange: ModbusExchange, pdu: Buffer): Buffer | null {
	if (exchange.functionCode === 43) return identificationOf(pdu, exchange.readCode);
	const data = pdu.subarray(2);
	const byteCount = byteCountOf(exchange) ?? data.length;
	return pdu.length >= 2 && pdu[1] === data.length && byteCount === data.length ? data : null;
}

/** What a PDU says in answer to a request, from the specification and apart from the product: `null` when it is no answer. */
export function meaning(exchange: ModbusExchange, pdu: Buffer): string | null {
	const { functionCode } = exchange;
	if (pdu[0] === (functionCode | 0x80)) return pdu.length === 2 ? `exception ${pdu[1]}` : null;
	if (pdu[0] !== functionCode || pdu.length > 253) return null;
	const echo = echoOf(exchange);
	if (echo !== null) return pdu.subarray(1).equals(echo) ? 'data ' : null;
	const data = dataOf(exchange, pdu);
	return data === null ? null : `data ${data.toString('hex')}`;
}

/** Unit and PDU of every sound ASCII frame. */
function* asciiBodies(bytes: Buffer): Generator<Buffer> {
	for (const [, hex = ''] of bytes.toString('latin1').matchAll(/:([0-9A-Fa-f\r]*)\n/g)) {
		const digits = hex.replaceAll('\r', '');
		const frame = Buffer.from(digits, 'hex');
		const sum = frame.reduce((total, byte) => (total + byte) & 0xff, 0);
		if (digits.length % 2 === 0 && frame.length >= 3 && sum === 0) yield frame.subarray(0, -1);
	}
}

/** Unit and PDU of everything that is an answer and followed by its CRC, wherever it stands. */
function* rtuBodies(exchange: ModbusExchange, bytes: Buffer): Generator<Buffer> {
	for (let start = bytes.indexOf(exchange.unitId); start !== -1; start = bytes.indexOf(exchange.unitId, start + 1)) {
		for (let end = start + 5; end <= Math.min(bytes.length, start + 256); end += 1) {
			const body = bytes.subarray(start, end - 2);
			if (meaning(exchange, body.subarray(1)) === null) continue;
			if (withCrc(body).equals(bytes.subarray(start, end))) yield body;
		}
	}
}

/** Everything in the bytes that a serial line may take for the answer. */
function* serialAnswers(kind: 'rtu' | 'ascii', exchange: ModbusExchange, bytes: Buffer): Generator<string> {
	for (const body of kind === 'ascii' ? asciiBodies(bytes) : rtuBodies(exchange, bytes)) {
		const said = body[0] === exchange.unitId ? meaning(exchange, body.subarray(1)) : null;
		if (said !== null) yield said;
	}
}

/** What Modbus TCP makes of the bytes: the first frame with the id of the request decides. */
function* tcpAnswers(exchange: ModbusExchange, bytes: Buffer, id: Buffer): Generator<string> {
	let rest = bytes;
	while (rest.length >= 6) {
		const length = rest.readUInt16BE(4);
		if (rest.readUInt16BE(2) !== 0 || length < 3 || length > 254 || rest.length < 6 + length) return;
		const frame = rest.subarray(6, 6 + length);
		if (rest.subarray(0, 2).equals(id)) {
			const said = frame[0] === exchange.unitId ? meaning(exchange, frame.subarray(1)) : null;
			if (said !== null) yield said;
			return;
		}
		rest = rest.subarray(6 + length);
	}
}

/** Whatever the bytes rightly say in answer to the request; empty when they hold no answer. */
export const rightAnswers = (
	kind: FrameKind,
	exchange: ModbusExchange,
	bytes: Buffer,
	id: Buffer,
): ReadonlySet<string> =>
	new Set(kind === 'tcp' ? tcpAnswers(exchange, bytes, id) : serialAnswers(kind, exchange, bytes));
