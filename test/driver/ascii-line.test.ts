import test from 'ava';
import { createLineMeter } from '../../gateway/driver/line-meter.ts';
import { encodeAscii, lrc } from '../../gateway/driver/modbus/wire/ascii-frame.ts';
import { createAsciiPort } from '../../gateway/driver/modbus/wire/ascii-port.ts';
import type { ByteLinkListener } from '../../gateway/driver/modbus/wire/byte-link.ts';
import type { ModbusExchange } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { createManualClock } from '../fake/manual-clock.ts';

const read = { unitId: 0x11, functionCode: 3, address: 0x6b, count: 3, timeoutMs: 1000 } as const;
const write = { unitId: 0x11, functionCode: 6, address: 1, words: [3], timeoutMs: 1000, guardMs: 0 } as const;
const ANSWER = ':110306000000010002E3\r\n';

/** A port on a wire in memory. */
async function openPort() {
	const clock = createManualClock();
	const meter = createLineMeter(clock);
	const heard: string[] = [];
	const sent: string[] = [];
	let wire: ByteLinkListener | null = null;
	const port = createAsciiPort({
		link: {
			open(listener) {
				wire = listener;
				return Promise.resolve();
			},
			write: (bytes) => void sent.push(bytes.toString('latin1')),
			close: () => Promise.resolve(),
		},
		clock,
		meter,
	});
	await port.open({
		reply: (pdu) => void heard.push(pdu.toString('hex')),
		corrupt: (why) => void heard.push(why),
		lost: (reason) => void heard.push(`lost: ${reason}`),
	});
	const say = (text: string): void => wire?.bytes(Buffer.from(text, 'latin1'));
	const ask = (exchange: ModbusExchange): void => port.send(exchange);
	return { port, clock, counters: meter.counters, heard, sent, say, ask };
}

test('the check sum is the one of the specification', (t) => {
	t.is(lrc(Buffer.from([0x02, 0x07]), 2), 0xf7);
	t.is(encodeAscii(read).characters.toString('latin1'), ':1103006B00037E\r\n');
});

const WORDS = '0306000000010002';

test('an answer is heard whole and in single characters, in either case of its digits, with or without carriage return', async (t) => {
	const { ask, say, heard } = await openPort();
	for (const answer of [ANSWER, ANSWER.toLowerCase(), ANSWER.replace('\r', '')]) {
		ask(read);
		say(answer);
		ask(read);
		for (const character of answer) say(character);
	}
	t.deepEqual(heard, [WORDS, WORDS, WORDS, WORDS, WORDS, WORDS]);
});

test('an exception is an answer', async (t) => {
	const { ask, say, heard } = await openPort();
	ask(read);
	say(':1183026A\r\n');
	t.deepEqual(heard, ['8302']);
});

const damages: readonly (readonly [name: string, text: string])[] = [
	['a wrong check sum', ANSWER.replace('E3', 'E4')],
	['a digit that is none', ANSWER.replace('0002', '00g2')],
	['an odd number of digits', ANSWER.replace('E3', 'E')],
];
for (const [name, text] of damages) {
	test(`an answer with ${name} is damaged`, async (t) => {
		const { ask, say, heard, counters } = await openPort();
		ask(read);
		say(text);
		t.deepEqual(heard, ['a wrong check sum']);
		t.is(counters.crcErrors, 1);
	});
}

const strangers: readonly (readonly [name: string, text: string])[] = [
	['an answer of another unit', ':120306000000010002E2\r\n'],
	['the answer to another function', ':110406000000010002E2\r\n'],
	['an answer of another length', ':1103020007E3\r\n'],
	['characters that are no frame', 'noise'],
	['a frame that is longer than any', `:${'00'.repeat(400)}\r\n`],
	['a frame of nothing', ':\r\n'],
];
for (const [name, text] of strangers) {
	test(`${name} is passed over, and the answer after it is heard`, async (t) => {
		const { ask, say, heard, counters } = await openPort();
		ask(read);
		say(text);
		t.deepEqual(heard, []);
		say(ANSWER);
		t.deepEqual(heard, [WORDS]);
		t.true(counters.strayFrames + counters.crcErrors >= 1);
	});
}

test('a frame that begins anew is heard from its new beginning', async (t) => {
	const { ask, say, heard, counters } = await openPort();
	ask(read);
	say(`${ANSWER.slice(0, 9)}${ANSWER}`);
	t.deepEqual(heard, [WORDS]);
	t.is(counters.strayFrames, 1);
});

test('a second of silence within a frame ends it', async (t) => {
	const { ask, say, heard, clock } = await openPort();
	ask(read);
	say(ANSWER.slice(0, 9));
	clock.advance(1001);
	say(ANSWER.slice(9));
	t.deepEqual(heard, []);
	say(ANSWER);
	t.deepEqual(heard, [WORDS]);
});

test('almost a second of silence does not', async (t) => {
	const { ask, say, heard, clock } = await openPort();
	ask(read);
	say(ANSWER.slice(0, 9));
	clock.advance(999);
	say(ANSWER.slice(9));
	t.deepEqual(heard, [WORDS]);
});

test('what nobody waits for is no answer to the next request', async (t) => {
	const { port, ask, say, heard, counters } = await openPort();
	ask(read);
	port.abandon();
	say(ANSWER.slice(0, 9));
	ask(read);
	say(ANSWER.slice(9));
	t.deepEqual(heard, []);
	say(ANSWER);
	say(ANSWER);
	t.deepEqual(heard, [WORDS]);
	t.is(counters.foreignFrames, 0);
});

test('an adapter that hears itself is found out by a read, and its echo is no confirmation of a write', async (t) => {
	const { port, ask, say, heard, sent, counters } = await openPort();
	t.is(port.hasEcho, null);
	ask(read);
	say(sent.at(-1) ?? '');
	say(ANSWER);
	t.true(port.hasEcho);
	ask(write);
	say(sent.at(-1) ?? '');
	t.deepEqual(heard, [WORDS]);
	say(sent.at(-1) ?? '');
	t.deepEqual(heard, [WORDS, '0600010003']);
	t.is(counters.echoFrames, 2);
});

test('an adapter that does not hear itself is known after two reads', async (t) => {
	const { port, ask, say, heard, sent } = await openPort();
	ask(read);
	say(ANSWER);
	t.is(port.hasEcho, null);
	ask(read);
	say(ANSWER);
	t.false(port.hasEcho);
	ask(write);
	say(sent.at(-1) ?? '');
	t.deepEqual(heard, [WORDS, WORDS, '0600010003']);
});

test('frames of units that were never asked belong to another master', async (t) => {
	const { ask, say, counters } = await openPort();
	ask(read);
	say(':120306000000010002E2\r\n');
	t.is(counters.foreignFrames, 1);
});
