import test from 'ava';
import fc from 'fast-check';

import { createMeterModel, sum } from '../../gateway/simulator/meter-model.ts';
import { createSdm630Image } from '../../gateway/simulator/sdm630-image.ts';

const HOUR_MS = 3_600_000;
const MONDAY = Date.UTC(2026, 5, 1);
const model = createMeterModel(42);
const instants = fc.integer({ min: Date.UTC(2024, 0, 1), max: Date.UTC(2035, 0, 1) });

const floatAt = (words: Uint16Array | number, index: number): number => {
	if (typeof words === 'number') return Number.NaN;
	const bytes = Buffer.alloc(4);
	bytes.writeUInt16BE(words[index] ?? 0, 0);
	bytes.writeUInt16BE(words[index + 1] ?? 0, 2);
	return bytes.readFloatBE();
};

test('the counters never fall as time goes on', (t) => {
	fc.assert(
		fc.property(instants, fc.integer({ min: 1, max: 400 * 24 * HOUR_MS }), (from, later) => {
			const before = model.at(from);
			const after = model.at(from + later);
			const pairs = (['importWh', 'exportWh', 'importVarh', 'exportVarh'] as const).flatMap((counter) =>
				([0, 1, 2] as const).map((phase) => [before[counter][phase], after[counter][phase]] as const),
			);
			return pairs.every(([a, b]) => b >= a && a >= 0);
		}),
	);
	t.pass();
});

test('voltage, frequency and power factor stay plausible at every instant', (t) => {
	fc.assert(
		fc.property(instants, (at) => {
			const { voltageV, frequencyHz, powerFactor } = model.at(at);
			return (
				voltageV.every((voltage) => voltage >= 225 && voltage <= 235) &&
				frequencyHz >= 49.95 - 1e-9 &&
				frequencyHz <= 50.05 + 1e-9 &&
				powerFactor.every((factor) => Math.abs(factor) <= 1)
			);
		}),
	);
	t.pass();
});

test('equal seeds make equal meters, other seeds other meters, all at one grid frequency', (t) => {
	t.deepEqual(createMeterModel(42).at(MONDAY), model.at(MONDAY));
	t.notDeepEqual(createMeterModel(43).at(MONDAY).voltageV, model.at(MONDAY).voltageV);
	t.is(createMeterModel(43).at(MONDAY).frequencyHz, model.at(MONDAY).frequencyHz);
});

test('a week has an evening peak, feeds in at some noon and never by night', (t) => {
	const hours = Array.from({ length: 7 * 24 }, (_, hour) => sum(model.at(MONDAY + hour * HOUR_MS).activeW));
	const atHour = (hour: number): readonly number[] => hours.filter((_, index) => index % 24 === hour);
	t.true(Math.min(...atHour(12)) < 0);
	t.true(Math.min(...atHour(19)) > 2 * Math.max(...atHour(3)));
	t.true(Math.min(...atHour(2)) > 0);
});

test('the energy counters are the integral of the power', (t) => {
	const from = MONDAY + 18 * HOUR_MS;
	const minutes = Array.from({ length: 60 }, (_, minute) => sum(model.at(from + minute * 60_000).activeW));
	const expectedWh = minutes.reduce((total, power) => total + power, 0) / 60;
	const countedWh = sum(model.at(from + HOUR_MS).importWh) - sum(model.at(from).importWh);
	t.true(Math.abs(countedWh - expectedWh) < 0.03 * expectedWh, `${countedWh} against ${expectedWh}`);
});

const reads = [
	{ title: 'the first block', functionCode: 4, address: 0, count: 80, outcome: 'words' },
	{ title: 'one register above the cap', functionCode: 4, address: 0, count: 81, outcome: 3 },
	{ title: 'no register', functionCode: 4, address: 0, count: 0, outcome: 3 },
	{ title: 'half a value', functionCode: 4, address: 1, count: 2, outcome: 2 },
	{ title: 'an odd number of registers', functionCode: 4, address: 0, count: 3, outcome: 2 },
	{ title: 'the gap between the blocks', functionCode: 4, address: 108, count: 2, outcome: 2 },
	{ title: 'across the end of a block', functionCode: 4, address: 106, count: 4, outcome: 2 },
	{ title: 'a hole within a block', functionCode: 4, address: 44, count: 2, outcome: 'words' },
	{ title: 'the last value', functionCode: 4, address: 380, count: 2, outcome: 'words' },
	{ title: 'behind the last value', functionCode: 4, address: 382, count: 2, outcome: 2 },
	{ title: 'the settings', functionCode: 3, address: 0, count: 44, outcome: 'words' },
	{ title: 'behind the settings', functionCode: 3, address: 44, count: 2, outcome: 2 },
] as const;

for (const { title, functionCode, address, count, outcome } of reads) {
	test(`reading ${title} (function ${functionCode}, ${address}, ${count}) gives ${outcome}`, (t) => {
		const words = createSdm630Image(1).read(functionCode, address, count, MONDAY);
		t.is(typeof words === 'number' ? words : 'words', outcome);
		if (typeof words !== 'number') t.is(words.length, count);
	});
}

test('the registers hold the state of the model as float32, high word first', (t) => {
	const image = createSdm630Image(42);
	const words = image.read(4, 0, 80, MONDAY);
	const state = model.at(MONDAY);
	t.is(floatAt(words, 0), Math.fround(state.voltageV[0]));
	t.is(floatAt(words, 52), Math.fround(sum(state.activeW)));
	t.is(floatAt(words, 70), Math.fround(state.frequencyHz));
	t.is(floatAt(words, 72), Math.fround(sum(state.importWh) / 1000));
});

test('a setting that is written reads back, one that is not writable is refused', (t) => {
	const image = createSdm630Image(1);
	t.is(image.write(2, [0x41f0, 0]), null);
	t.is(floatAt(image.read(3, 2, 2, MONDAY), 0), 30);
	t.is(image.write(6, [0x41f0, 0]), 2);
	t.is(image.write(42, [0, 1]), 2);
});
