import test from 'ava';

import {
	type ModeEvidence,
	portHints,
	type PortEvidence,
	twoLatencies,
	unitHints,
	type UnitEvidence,
} from '../../gateway/scan/wiring-hints.ts';

const unit = (changes: Partial<UnitEvidence>): UnitEvidence => ({
	unitId: 5,
	answers: 8,
	timeouts: 0,
	damagedShort: 0,
	damagedLong: 0,
	longAnswers: 2,
	strayFrames: 0,
	latenciesMs: [10, 11, 12, 10, 11, 12, 10, 11],
	...changes,
});

const mode = (name: string, changes: Partial<ModeEvidence> = {}): ModeEvidence => ({
	mode: name,
	baudRate: Number(name.split(' ')[0]),
	asked: 10,
	answered: [],
	damaged: [],
	strayFrames: 0,
	...changes,
});

const port = (changes: Partial<PortEvidence>): PortEvidence => ({
	path: '/dev/ttyUSB0',
	configured: null,
	modes: [mode('9600 8N1')],
	...changes,
});

const unitCases: readonly (readonly [what: string, evidence: UnitEvidence, codes: readonly string[]])[] = [
	['a healthy unit', unit({}), []],
	['a unit with a busy moment', unit({ latenciesMs: [10, 11, 12, 10, 11, 12, 10, 190] }), []],
	['a unit whose answers are damaged now and then', unit({ damagedShort: 2 }), ['address-clash']],
	['a unit of which no answer was whole', unit({ answers: 0, damagedShort: 8, latenciesMs: [] }), ['address-clash']],
	['a unit whose long answers are damaged', unit({ damagedLong: 2, longAnswers: 0 }), ['damaged-long-answers']],
	['a unit that is followed by more bytes', unit({ strayFrames: 3 }), ['two-answers']],
	['a unit that answers fast or slowly', unit({ latenciesMs: [10, 80, 11, 79, 12, 81, 10, 82] }), ['two-latencies']],
	['the broadcast', unit({ unitId: 0 }), ['unit-id-reserved']],
	['an id beyond the last', unit({ unitId: 250 }), ['unit-id-reserved']],
	['the last id', unit({ unitId: 247 }), []],
];

for (const [what, evidence, codes] of unitCases) {
	test(`${what}: ${codes.join(', ') || 'no hint'}`, (t) => {
		const hints = unitHints(evidence, true);
		t.deepEqual(
			hints.map(({ code }) => code),
			[...codes],
		);
		for (const { sentence } of hints) t.regex(sentence, /^[A-Z].*\.$/);
	});
}

test('unit ids beyond 247 are nothing special in a network', (t) => {
	t.deepEqual(unitHints(unit({ unitId: 255 }), false), []);
});

const portCases: readonly (readonly [what: string, evidence: PortEvidence, codes: readonly string[]])[] = [
	[
		'units at the settings of the port',
		port({ configured: '9600 8N1', modes: [mode('9600 8N1', { answered: [1] })] }),
		[],
	],
	['not a byte', port({}), ['silence']],
	['bytes without an answer', port({ modes: [mode('9600 8N1', { strayFrames: 3 })] }), ['noise-only']],
	['damaged answers only', port({ modes: [mode('9600 8N1', { damaged: [1, 2] })] }), ['noise-only']],
	['stray bytes after every request', port({ modes: [mode('9600 8N1', { strayFrames: 10 })] }), ['echo']],
	[
		'units at other settings than those of the port',
		port({ configured: '9600 8N1', modes: [mode('9600 8N1'), mode('19200 8E1', { answered: [1] })] }),
		['other-settings'],
	],
	[
		'answers that are whole at a low rate only',
		port({ modes: [mode('9600 8N1', { answered: [1] }), mode('115200 8N1', { damaged: [1] })] }),
		['fast-is-damaged'],
	],
	[
		'answers that are damaged at a lower rate only',
		port({ modes: [mode('9600 8N1', { answered: [1] }), mode('4800 8N1', { damaged: [1] })] }),
		[],
	],
];

for (const [what, evidence, codes] of portCases) {
	test(`on a port, ${what}: ${codes.join(', ') || 'no hint'}`, (t) => {
		const hints = portHints(evidence);
		t.deepEqual(
			hints.map(({ code }) => code),
			[...codes],
		);
		for (const { sentence } of hints) t.true(sentence.includes('/dev/ttyUSB0'));
	});
}

test('the hint about other settings names units, both settings and the port', (t) => {
	const [hint] = portHints(
		port({ configured: '9600 8N1', modes: [mode('9600 8N1'), mode('19200 8E1', { answered: [1, 4] })] }),
	);
	t.regex(hint?.sentence ?? '', /^Units 1, 4 on \/dev\/ttyUSB0 answer at 19200 8E1, but the port is set to 9600 8N1/);
});

test('latencies of one kind are not two', (t) => {
	t.is(twoLatencies([]), null);
	t.is(twoLatencies([5, 500]), null, 'too few');
	t.is(twoLatencies([10, 12, 14, 16, 18, 20, 22, 24]), null, 'a slope');
	t.is(twoLatencies([1, 1, 1, 1, 4, 4, 4, 4]), null, 'apart by less than anybody would notice');
	t.deepEqual(twoLatencies([10, 10, 10, 100, 100, 100]), { fastMs: 10, slowMs: 100 });
});
