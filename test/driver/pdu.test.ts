import test from 'ava';
import fc from 'fast-check';
import { decodeIdentification } from '../../gateway/driver/modbus/wire/device-identification.ts';
import type { ModbusExchange } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import {
	exceptionCodeOf,
	NOT_YET,
	replyBytes,
	replyData,
	replyFlaw,
	replyLength,
} from '../../gateway/driver/modbus/wire/reply-pdu.ts';
import { encodeRequest, requestBytes } from '../../gateway/driver/modbus/wire/request-pdu.ts';
import { createPduDevice } from '../fake/pdu-device.ts';
import { exchanges } from './fuzz/exchanges.ts';
import { meaning } from './fuzz/right-answers.ts';

const common = { unitId: 1, timeoutMs: 100, guardMs: 0 } as const;

function requestOf(exchange: ModbusExchange): Buffer {
	const bytes = Buffer.alloc(300, 0xee);
	return bytes.subarray(3, encodeRequest(exchange, bytes, 3));
}

/** The examples of the Application Protocol V1.1b3, sections 6.1 to 6.21: request, answer, data. */
const examples: readonly (readonly [exchange: ModbusExchange, request: string, answer: string, data: string])[] = [
	[{ ...common, functionCode: 1, address: 19, count: 19 }, '0100130013', '0103cd6b05', 'cd6b05'],
	[{ ...common, functionCode: 2, address: 196, count: 22 }, '0200c40016', '0203acdb35', 'acdb35'],
	[{ ...common, functionCode: 3, address: 107, count: 3 }, '03006b0003', '0306022b00000064', '022b00000064'],
	[{ ...common, functionCode: 4, address: 8, count: 1 }, '0400080001', '0402000a', '000a'],
	[{ ...common, functionCode: 5, address: 172, words: [1] }, '0500acff00', '0500acff00', ''],
	[{ ...common, functionCode: 5, address: 172, words: [0] }, '0500ac0000', '0500ac0000', ''],
	[{ ...common, functionCode: 6, address: 1, words: [3] }, '0600010003', '0600010003', ''],
	[
		{ ...common, functionCode: 15, address: 19, words: [1, 0, 1, 1, 0, 0, 1, 1, 1, 0] },
		'0f0013000a02cd01',
		'0f0013000a',
		'',
	],
	[{ ...common, functionCode: 16, address: 1, words: [10, 0x102] }, '100001000204000a0102', '1000010002', ''],
	[{ ...common, functionCode: 17 }, '11', '110342ff10', '42ff10'],
	[{ ...common, functionCode: 22, address: 4, andMask: 0xf2, orMask: 0x25 }, '16000400f20025', '16000400f20025', ''],
	[
		{ ...common, functionCode: 23, address: 3, count: 6, writeAddress: 14, words: [255, 255, 255] },
		'1700030006000e00030600ff00ff00ff',
		'170c00fe0acd00010003000d00ff',
		'00fe0acd00010003000d00ff',
	],
	[
		{ ...common, functionCode: 43, readCode: 1, objectId: 0 },
		'2b0e0100',
		'2b0e01010000030016436f6d70616e79206964656e74696669636174696f6e010c50726f6475637420636f6465020556322e3131',
		'010000030016436f6d70616e79206964656e74696669636174696f6e010c50726f6475637420636f6465020556322e3131',
	],
];
for (const [exchange, request, answer, data] of examples) {
	test(`function ${exchange.functionCode} is as in the specification: ${request}`, (t) => {
		t.is(requestOf(exchange).toString('hex'), request);
		t.is(requestBytes(exchange), request.length / 2);
		const bytes = Buffer.from(answer, 'hex');
		t.is(replyLength(exchange, bytes, 0, bytes.length), bytes.length);
		t.is(replyFlaw(exchange, bytes, 0, bytes.length), null);
		t.is(replyData(exchange, bytes, 0, bytes.length).toString('hex'), data);
		t.is(exceptionCodeOf(bytes, 0), null);
		t.true(bytes.length <= replyBytes(exchange));
	});
}

test('a device identification is taken apart, and tells where it goes on', (t) => {
	const objects = [
		{ id: 0, value: Buffer.from('Acme') },
		{ id: 1, value: Buffer.from('') },
	];
	t.deepEqual(decodeIdentification(Buffer.from('02000002000441636d650100', 'hex')), {
		conformityLevel: 2,
		nextObjectId: null,
		objects,
	});
	t.is(decodeIdentification(Buffer.from('02ff0200', 'hex')).nextObjectId, 2);
});

const read = { ...common, functionCode: 3, address: 0, count: 2 } as const;
const flaws: readonly (readonly [exchange: ModbusExchange, answer: string, why: RegExp])[] = [
	[read, '040400010002', /function 4 in the reply/],
	[read, '030200010002', /a byte count of 2, 4 expected/],
	[read, '0304000100', /5 bytes in the reply, 6 expected/],
	[read, '03040001000203', /7 bytes in the reply, 6 expected/],
	[read, '03', /1 bytes in the reply, 6 expected/],
	[read, '830201', /an exception of a wrong length/],
	[{ ...common, functionCode: 6, address: 1, words: [3] }, '0600010004', /the echo of another write/],
	[{ ...common, functionCode: 16, address: 1, words: [3] }, '1000020001', /the echo of another write/],
	[{ ...common, functionCode: 22, address: 4, andMask: 1, orMask: 2 }, '16000400010003', /the echo of another write/],
	[{ ...common, functionCode: 17 }, '11ff00', /a byte count of 255/],
	[{ ...common, functionCode: 17 }, '110300', /3 bytes in the reply, 5 expected/],
	[{ ...common, functionCode: 43, readCode: 1, objectId: 0 }, '2b0e0101000001000541', /do not add up/],
	[{ ...common, functionCode: 43, readCode: 1, objectId: 0 }, '2b0e02010000', /do not add up/],
];
for (const [exchange, answer, why] of flaws) {
	test(`the answer ${answer} to function ${exchange.functionCode} is refused with its reason`, (t) => {
		const bytes = Buffer.from(answer, 'hex');
		t.regex(replyFlaw(exchange, bytes, 0, bytes.length) ?? '', why);
	});
}

test('the beginning of a right answer never looks like a wrong one, and its length is told as soon as it shows', (t) => {
	fc.assert(
		fc.property(exchanges, (exchange) => {
			const answer = createPduDevice().answer(requestOf(exchange)) ?? Buffer.alloc(0);
			for (let end = 0; end <= answer.length; end += 1) {
				const length = replyLength(exchange, answer, 0, end);
				if (length !== NOT_YET) t.is(length, answer.length);
			}
			t.not(replyLength(exchange, answer, 0, answer.length), NOT_YET);
		}),
	);
});

test('bytes are an answer exactly when the specification says so', (t) => {
	const bytes = fc.tuple(fc.boolean(), fc.uint8Array({ minLength: 1, maxLength: 40 }));
	fc.assert(
		fc.property(exchanges, bytes, (exchange, [isException, rest]) => {
			const pdu = Buffer.from(rest);
			pdu[0] = exchange.functionCode | (isException ? 0x80 : 0);
			t.is(replyFlaw(exchange, pdu, 0, pdu.length) === null, meaning(exchange, pdu) !== null);
		}),
		{ numRuns: 2000 },
	);
});
