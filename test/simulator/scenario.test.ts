import test from 'ava';

import { SettingsFault } from '../../config/settings-fault.ts';
import { type Deed, deedsOf } from '../../gateway/simulator/line-fault.ts';
import { parseScenario } from '../../gateway/simulator/scenario-schema.ts';
import { playScenario } from '../../gateway/simulator/scenario.ts';
import { framingOf } from '../../gateway/simulator/slave-framing.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

const read = (unitId: number, address: number, functionCode = 3) => ({
	unitId,
	pdu: Buffer.from([functionCode, address >> 8, address & 0xff, 0, 1]),
	seconds: 0,
});

test('the first rule that holds is done, as often as it says', (t) => {
	const played = playScenario(
		parseScenario(`
- when: { unit: 2, address: [10, 20] }
  do: { fault: exception, code: 6 }
  times: 2
- when: { request: [5, 6] }
  do: { fault: silent }
- when: { unit: 2, every: 2 }
  do: { fault: late, delay_ms: 40 }
`),
	);
	const kinds = [
		read(2, 15),
		read(1, 15),
		read(2, 20),
		read(2, 12),
		read(2, 12),
		read(1, 0),
		read(2, 0),
		read(2, 0),
	].map((request) => played.next(request)?.kind ?? null);
	t.deepEqual(kinds, ['exception', null, 'exception', null, 'silent', 'silent', 'late', null]);
});

test('rules look at the function and at the time since the start', (t) => {
	const played = playScenario(
		parseScenario('[{"when": {"function": 4, "seconds": [1.5, 3]}, "do": {"fault": "reset"}}]'),
	);
	t.is(played.next({ ...read(1, 0, 4), seconds: 1 }), null);
	t.is(played.next({ ...read(1, 0, 3), seconds: 2 }), null);
	t.is(played.next({ ...read(1, 0, 4), seconds: 2 })?.kind, 'reset');
	t.is(played.next({ ...read(1, 0, 4), seconds: 3.1 }), null);
});

test('a request without an address fits no rule about one', (t) => {
	const played = playScenario(parseScenario('[{when: {address: 0}, do: {fault: silent}}]'));
	t.is(played.next({ unitId: 1, pdu: hex('11'), seconds: 0 }), null);
});

const mistakes = [
	{ text: '- do: { fault: late }', path: '[0].do.delay_ms' },
	{ text: '- do: { fault: what }', path: '[0].do.fault' },
	{ text: '- do: { fault: silent, delay_ms: 3 }', path: '[0].do.delay_ms' },
	{ text: '- when: { unit: 256 }\n  do: { fault: silent }', path: '[0].when.unit' },
	{ text: '- when: { address: [9, 3] }\n  do: { fault: silent }', path: '[0].when.address' },
	{ text: '- when: { colour: 1 }\n  do: { fault: silent }', path: '[0].when.colour' },
	{ text: '- do: { fault: silent }\n  times: 0', path: '[0].times' },
	{ text: '- do: { fault: silent }\n  times: "3"', path: '[0].times' },
	{ text: 'do: { fault: silent }', path: 'scenario' },
	{ text: '- do: { fault: silent', path: 'line 1' },
] as const;

for (const { text, path } of mistakes) {
	test(`a scenario that says ${JSON.stringify(text)} is refused at ${path}`, (t) => {
		const fault = t.throws(() => parseScenario(text), { instanceOf: SettingsFault });
		t.is(fault?.mistakes[0]?.path, path, fault?.message);
	});
}

const request = { unitId: 1, pdu: hex('03 0000 0001'), transaction: 7 };
const answering = { framing: framingOf('tcp'), request, pdu: hex('03 02 0102'), afterMs: 5 };
const good = '0007 0000 0005 01 03 02 0102';

const faults = [
	{ text: '{fault: late, delay_ms: 30}', deeds: [[35, good]] },
	{ text: '{fault: silent}', deeds: [] },
	{ text: '{fault: wrong-check}', deeds: [[5, '0007 dead 0005 01 03 02 0102']] },
	{ text: '{fault: truncated, bytes: 8}', deeds: [[5, '0007 0000 0005 01 03']] },
	{
		text: '{fault: split, sizes: [3, 4], pause_ms: 10}',
		deeds: [
			[5, '0007 00'],
			[15, '00 0005 01'],
			[25, '03 02 0102'],
		],
	},
	{ text: '{fault: exception, code: 6}', deeds: [[5, '0007 0000 0003 01 83 06']] },
	{
		text: '{fault: foreign}',
		deeds: [
			[5, '4007 0000 0007 02 03 04 1234 5678'],
			[5, good],
		],
	},
	{ text: '{fault: noise, hex: ff00}', deeds: [[5, `ff00 ${good}`]] },
	{
		text: '{fault: echo}',
		deeds: [
			[0, '0007 0000 0006 01 03 0000 0001'],
			[5, good],
		],
	},
	{
		text: '{fault: duplicate, pause_ms: 2}',
		deeds: [
			[5, good],
			[7, good],
		],
	},
	{ text: '{fault: wrong-unit}', deeds: [[5, '0007 0000 0005 02 03 02 0102']] },
	{ text: '{fault: wrong-function}', deeds: [[5, '0007 0000 0005 01 04 02 0102']] },
	{ text: '{fault: wrong-transaction}', deeds: [[5, '000e 0000 0005 01 03 02 0102']] },
	{ text: '{fault: reset}', deeds: [[5, null]] },
] as const;

const shown = ({ afterMs, bytes }: Deed): readonly [number, string | null] => [afterMs, bytes?.toString('hex') ?? null];

for (const { text, deeds } of faults) {
	test(`${text} is done to an answer`, (t) => {
		const fault = parseScenario(`[{do: ${text}}]`).rules[0]?.fault ?? null;
		t.deepEqual(
			deedsOf(fault, answering).map(shown),
			deeds.map(([afterMs, bytes]) => [afterMs, bytes?.replaceAll(' ', '') ?? null]),
		);
	});
}

test('slow bytes come one by one', (t) => {
	const deeds = deedsOf({ kind: 'slow', pauseMs: 3 }, answering);
	t.is(deeds.length, 11);
	t.is(deeds.at(-1)?.afterMs, 35);
});

test('each framing has its own check, and its own way to break it', (t) => {
	const rtu = framingOf('rtu');
	const ascii = framingOf('ascii');
	t.is(rtu.frame(request).toString('hex'), '010300000001840a');
	t.is(ascii.frame(request).toString('latin1'), ':010300000001FB\r\n');
	for (const framing of [rtu, ascii]) {
		const cut = framing.cutter({ monotonicMs: () => 0 });
		t.deepEqual(cut(framing.spoil(framing.frame(request))), []);
	}
	t.deepEqual(ascii.cutter({ monotonicMs: () => 0 })(Buffer.from('noise:0103:010300000001FB\r\n')), [
		{ unitId: 1, pdu: hex('03 0000 0001'), transaction: 0 },
	]);
});
