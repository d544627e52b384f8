import test from 'ava';
import fc from 'fast-check';

import type { TemplatePoint } from '../../config/template/template.ts';
import type { Quality, SampleValue } from '../../core/telemetry/reading.ts';
import { createPlausibility } from '../../gateway/driver/plausibility.ts';
import { modbusPoint } from '../fake/modbus-point.ts';

const KEYS: readonly string[] = ['value'];

/** Reads values one after the other, a second apart, and tells what is thought of each. */
function judged(over: Partial<TemplatePoint>, values: readonly SampleValue[], periodMs = 1_000) {
	const replaced: string[] = [];
	const plausibility = createPlausibility([modbusPoint(over)], (key, from, to) =>
		replaced.push(`${key} ${from} ${to}`),
	);
	const qualities = values.map((value, index): Quality => {
		const read = { keys: KEYS, values: [value], qualities: null };
		return plausibility.judge(read, index * periodMs)?.[0] ?? 'good';
	});
	return { qualities: qualities.map((quality) => (quality === 'good' ? 'good' : 'bad')).join(' '), replaced };
}

const counter = { type: 'uint32', byteOrder: 'ABCD', count: 2, kind: 'counter' } as const;
const float = { type: 'float32', byteOrder: 'ABCD', count: 2, kind: 'counter' } as const;

interface Course {
	readonly course: string;
	readonly over: Partial<TemplatePoint>;
	readonly values: readonly SampleValue[];
	readonly qualities: string;
	readonly replaced?: readonly string[];
	readonly periodMs?: number;
}

const courses: readonly Course[] = [
	{
		course: 'a value that jumps for one reading is marked, and its neighbours are good',
		over: { maxStep: 10 },
		values: [230, 235, 9_113, 236, 240],
		qualities: 'good good bad good good',
	},
	{
		course: 'a value that has jumped and stays is believed the third time',
		over: { maxStep: 10 },
		values: [230, 400, 401, 402, 403],
		qualities: 'good bad bad good good',
	},
	{
		course: 'values that jump about are never believed',
		over: { maxStep: 10 },
		values: [230, 400, 0, 400, 0, 230],
		qualities: 'good bad bad bad bad good',
	},
	{
		course: 'a step may be as many seconds larger as have passed',
		over: { maxStep: 10 },
		values: [0, 90, 180],
		periodMs: 10_000,
		qualities: 'good good good',
	},
	{
		course: 'a step within less than a second may be as large as in a whole one',
		over: { maxStep: 10 },
		values: [0, 9, 18],
		periodMs: 50,
		qualities: 'good good good',
	},
	{
		course: 'a point without rules is never judged',
		over: {},
		values: [0, 65_535, 0],
		qualities: 'good good good',
	},
	{
		course: 'a counter that falls to zero for one reading has not been replaced',
		over: counter,
		values: [1_000, 0, 1_001],
		qualities: 'good bad good',
	},
	{
		course: 'another meter in the same place is believed the third time and told',
		over: counter,
		values: [1_000_000, 3, 4, 5, 6],
		qualities: 'good bad bad good good',
		replaced: ['value 1000000 5'],
	},
	{
		course: 'a used meter in the same place is told too',
		over: float,
		values: [5_000.5, 2_000.25, 2_000.5, 2_000.75],
		qualities: 'good bad bad good',
		replaced: ['value 5000.5 2000.75'],
	},
	{
		course: 'a counter rolls over at the end of its register',
		over: counter,
		values: [4_294_967_290, 5, 20],
		qualities: 'good good good',
	},
	{
		course: 'a counter rolls over at the end of its register, scaled',
		over: { ...counter, scale: 0.01 },
		values: [42_949_672.9, 0.05, 0.2],
		qualities: 'good good good',
	},
	{
		course: 'a counter rolls over where its display ends',
		over: { ...float, turnsAt: 1_000_000 },
		values: [999_999.5, 0.25, 1],
		qualities: 'good good good',
	},
	{
		course: 'a rollover that would be too large a step is none',
		over: { ...counter, maxStep: 10 },
		values: [4_000_000_000, 5, 6, 7],
		qualities: 'good bad bad good',
	},
	{
		course: 'a counter that resets by itself begins again at once, and nobody is told',
		over: { ...counter, resets: true },
		values: [5_000, 0, 10],
		qualities: 'good good good',
	},
	{
		course: 'a small step back, as after a power cut, is believed',
		over: counter,
		values: [1_000, 995, 996],
		qualities: 'good good good',
	},
	{
		course: 'a counter of 64 bits is judged exactly',
		over: { type: 'uint64', byteOrder: 'ABCDEFGH', count: 4, kind: 'counter', maxStep: 10 },
		values: [2n ** 60n, 2n ** 60n + 10n, 2n ** 60n + 30n, 2n ** 60n + 20n],
		qualities: 'good good bad good',
	},
	{
		course: 'no value between two values changes nothing',
		over: counter,
		values: [1_000, null, 1_001],
		qualities: 'good good good',
	},
];

for (const { course, over, values, qualities, replaced = [], periodMs } of courses) {
	test(course, (t) => {
		t.deepEqual(judged(over, values, periodMs), { qualities, replaced: [...replaced] });
	});
}

test('what is out of range already is neither judged nor believed', (t) => {
	const plausibility = createPlausibility([modbusPoint({ maxStep: 10 })], () => t.fail());
	const bad: readonly Quality[] = ['out_of_range'];
	t.is(plausibility.judge({ keys: KEYS, values: [230], qualities: null }, 0), null);
	t.is(plausibility.judge({ keys: KEYS, values: [5_000], qualities: bad }, 1_000), bad);
	t.is(plausibility.judge({ keys: KEYS, values: [231], qualities: null }, 2_000), null);
});

test('only the points that jumped are marked, and the qualities of the others stay', (t) => {
	const keys = ['one', 'two', 'three'];
	const points = keys.map((key) => modbusPoint({ key, maxStep: 1 }));
	const plausibility = createPlausibility(points, () => t.fail());
	t.is(plausibility.judge({ keys, values: [1, 1, 1], qualities: null }, 0), null);
	const qualities: readonly Quality[] = ['comm_error', 'good', 'good'];
	const after = plausibility.judge({ keys, values: [null, 100, 2], qualities }, 1_000);
	t.deepEqual(after, ['comm_error', 'out_of_range', 'good']);
	t.deepEqual(qualities, ['comm_error', 'good', 'good']);
});

test('a counter that only grows is good from beginning to end, however it is scaled and wherever it turns', (t) => {
	const steps = fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 1, maxLength: 50 });
	fc.assert(
		fc.property(fc.integer({ min: 0, max: 65_535 }), steps, fc.constantFrom(1, 0.1, 0.01, 10), (first, more, scale) => {
			let raw = first;
			const values = [first, ...more.map((step) => (raw = (raw + step) % 65_536))].map(
				(each) => (each * scale * 100) / 100,
			);
			const outcome = judged({ type: 'uint16', kind: 'counter', scale }, values);
			t.false(outcome.qualities.includes('bad'), JSON.stringify(values));
			t.deepEqual(outcome.replaced, []);
		}),
	);
});

test('a value that changes slowly enough is good, and whatever comes, three alike are believed', (t) => {
	const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { maxLength: 30 });
	fc.assert(
		fc.property(values, fc.double({ min: -1e6, max: 1e6, noNaN: true }), (before, last) => {
			const { qualities } = judged({ type: 'float64', byteOrder: 'ABCDEFGH', count: 4, maxStep: 1 }, [
				...before,
				last,
				last,
				last,
				last,
			]);
			t.true(qualities.endsWith('good'));
		}),
	);
});
