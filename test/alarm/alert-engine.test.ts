import test from 'ava';
import fc from 'fast-check';

import { createAlertEngine } from '../../core/alarm/alert-engine.ts';
import type { AlertRule, Condition } from '../../core/alarm/alert-rule.ts';
import { epochMs, type EpochMs } from '../../core/kernel/clock.ts';
import { type DeviceId, deviceId } from '../../core/kernel/id.ts';
import type { Quality, SampleValue } from '../../core/telemetry/reading.ts';
import { alertRule } from '../fake/alert-rule.ts';
import { draftOf } from '../fake/memory-telemetry.ts';

const METER = deviceId('dd000000-0000-4000-8000-000000000001');
const NOW = Date.UTC(2026, 0, 1);

/** An engine that remembers what stands, as the service does, and tells what it raised and cleared. */
function watching(...given: readonly AlertRule[]) {
	let rules = given;
	let now = NOW;
	const standing = new Map<string, EpochMs>();
	const signals: string[] = [];
	const isUnknown = new Set<DeviceId>();
	const open = () =>
		createAlertEngine({
			applying: (some, device) =>
				isUnknown.has(device) ? null : some.filter((rule) => rule.deviceId !== METER || device === METER),
			raisedSince: ({ id }, device) => standing.get(`${id} ${device}`) ?? null,
			raised({ rule, deviceId: device, at, value }) {
				standing.set(`${rule.id} ${device}`, at);
				signals.push(`raised at ${at - NOW} by ${value}`);
			},
			cleared({ rule, deviceId: device, at, value }) {
				standing.delete(`${rule.id} ${device}`);
				signals.push(`cleared at ${at - NOW} by ${value}`);
			},
			now: () => epochMs(now),
		});
	let engine = open();
	engine.setRules(rules);
	return {
		signals,
		isUnknown,
		standing,
		setNow: (at: number) => (now = NOW + at),
		setRules: (...changed: readonly AlertRule[]) => {
			rules = changed;
			engine.setRules(rules);
		},
		restart: () => {
			engine = open();
			engine.setRules(rules);
		},
		engine: () => engine,
		read: (at: number, sample: SampleValue, quality: Quality = 'good', device = METER) => {
			engine.reading(
				draftOf(device, NOW + at, { other: 1, temperature: sample }, quality === 'good' ? null : ['good', quality]),
			);
		},
	};
}

const CASES: readonly (readonly [Condition, number, number, readonly SampleValue[], string])[] = [
	// condition, threshold, hysteresis, samples, state after each: R raised, C cleared, - nothing
	['gt', 40, 0, [39, 40, 40.1, 41, 40, 40.1], '--R-CR'],
	['gte', 40, 0, [39, 40, 41, 39.9], '-R-C'],
	['lt', 10, 0, [11, 10, 9, 10], '--RC'],
	['lte', 10, 0, [11, 10, 9, 10.5], '-R-C'],
	['eq', 5, 0, [4, 5, 5, 6], '-R-C'],
	['ne', 5, 0, [5, 4, 6, 5], '-R-C'],
	['gt', 40, 2, [41, 39, 38.1, 38, 39, 41], 'R--C-R'],
	['gte', 40, 2, [40, 38, 37.9, 39], 'R-C-'],
	['lt', 10, 1, [9, 10.9, 11, 10.5, 9], 'R-C-R'],
	['lte', 10, 1, [10, 11, 11.1], 'R-C'],
	['eq', 50, 0.5, [49, 49.5, 50.5, 50.6], '-R-C'],
	['ne', 50, 0.5, [50.5, 50.6, 49.4, 49.5], '-R-C'],
	['gt', 0, 0, [false, true, false], '-RC'],
	['eq', 1, 0, [true, false], 'RC'],
	['gt', 2 ** 60, 0, [2n ** 60n, 2n ** 60n + 1n, 2n ** 60n], '-RC'],
	['eq', 2 ** 60, 0, [2n ** 60n + 1n, 2n ** 60n], '-R'],
	['gt', 40, 0, ['41', null, { a: 1 }, [50], Number.NaN, Number.POSITIVE_INFINITY, 41], '------R'],
];

for (const [condition, threshold, hysteresis, samples, expected] of CASES)
	test(`${condition} ${threshold} ± ${hysteresis} over ${samples.map(String).join(', ')}: ${expected}`, (t) => {
		const { signals, read } = watching(alertRule({ condition, threshold, hysteresis }));
		const states = samples.map((value, index) => {
			const before = signals.length;
			read(index * 1_000, value);
			return signals.length === before ? '-' : signals.at(-1)?.startsWith('raised') === true ? 'R' : 'C';
		});
		t.is(states.join(''), expected);
	});

test('a value that is not good is no sample', (t) => {
	const { signals, read } = watching(alertRule({ threshold: 40 }));
	for (const quality of ['stale', 'out_of_range', 'substituted', 'comm_error'] as const) read(0, 50, quality);
	t.deepEqual(signals, []);
	read(1, 50);
	read(2, 10, 'comm_error');
	t.deepEqual(signals, ['raised at 1 by 50']);
});

test('events of devices are no values', (t) => {
	const { signals, engine } = watching(alertRule({ threshold: 40 }));
	engine().reading({ ...draftOf(METER, NOW, { temperature: 50 }), telemetryType: 'log' });
	t.deepEqual(signals, []);
});

test('samples that are repeated or late change nothing', (t) => {
	const { signals, read } = watching(alertRule({ threshold: 40 }));
	read(1_000, 50);
	read(1_000, 10);
	read(500, 10);
	read(1_000, 50);
	t.deepEqual(signals, ['raised at 1000 by 50']);
	read(1_001, 10);
	t.is(signals.length, 2);
});

test('a sample from a clock that was far ahead does not make all later ones old', (t) => {
	const { signals, read, setNow } = watching(alertRule({ threshold: 40 }));
	const aYear = 31_536_000_000;
	setNow(aYear);
	read(aYear, 10);
	setNow(1_000);
	read(1_000, 50);
	read(1_000, 10);
	t.deepEqual(signals, ['raised at 1000 by 50']);
	read(2_000, 10);
	t.deepEqual(signals, ['raised at 1000 by 50', 'cleared at 2000 by 10']);
});

const DURATIONS: readonly (readonly [
	string,
	readonly (readonly [atSeconds: number, value: number])[],
	readonly number[],
])[] = [
	[
		'samples that hold throughout',
		[
			[0, 50],
			[10, 50],
			[20, 50],
			[29, 50],
			[30, 50],
			[40, 50],
		],
		[30],
	],
	[
		'a sample between that does not hold',
		[
			[0, 50],
			[20, 10],
			[30, 50],
			[59, 50],
			[60, 50],
		],
		[60],
	],
	[
		'a sample between within the hysteresis: the condition itself must hold',
		[
			[0, 50],
			[20, 39],
			[30, 50],
			[60, 50],
		],
		[60],
	],
	[
		'a gap is no proof, the duration begins anew after it',
		[
			[0, 50],
			[3_600, 50],
			[3_629, 50],
			[3_630, 50],
		],
		[3_630],
	],
	[
		'a gap as long as the duration is none',
		[
			[0, 50],
			[30, 50],
		],
		[30],
	],
	[
		'samples that are always further apart: the third in a row',
		[
			[0, 50],
			[60, 50],
			[120, 50],
			[180, 50],
		],
		[120],
	],
	[
		'samples that are further apart and do not all hold',
		[
			[0, 50],
			[60, 50],
			[120, 10],
			[180, 50],
			[240, 50],
			[300, 50],
		],
		[300],
	],
];

for (const [what, samples, raisedAtSeconds] of DURATIONS)
	test(`a duration of 30 s: ${what}`, (t) => {
		const { signals, read } = watching(alertRule({ threshold: 40, hysteresis: 5, durationSeconds: 30 }));
		for (const [atSeconds, value] of samples) read(atSeconds * 1_000, value);
		t.deepEqual(
			signals.filter((signal) => signal.startsWith('raised')),
			raisedAtSeconds.map((at) => `raised at ${at * 1_000} by 50`),
		);
	});

test('what stands is not raised again after a restart, and clears', (t) => {
	const { signals, read, restart } = watching(alertRule({ threshold: 40 }));
	read(1_000, 50);
	restart();
	read(900, 10);
	read(2_000, 50);
	t.is(signals.length, 1);
	read(3_000, 10);
	t.deepEqual(signals.slice(1), ['cleared at 3000 by 10']);
});

test('rules are changed while readings come', (t) => {
	const hot = alertRule({ threshold: 40, durationSeconds: 10 });
	const { signals, read, setRules } = watching(hot);
	read(0, 50);
	setRules(hot, alertRule({ threshold: 45 }, 2));
	read(10_000, 50);
	t.deepEqual(signals, ['raised at 10000 by 50', 'raised at 10000 by 50'], 'what was pending goes on');
	setRules({ ...hot, isActive: false });
	read(20_000, 10);
	read(30_000, 50);
	t.is(signals.length, 2, 'one that is not active sees nothing');
	setRules();
	read(40_000, 10);
	t.is(signals.length, 2);
});

test('a device that is not known yet is watched as soon as it is', (t) => {
	const { signals, read, isUnknown, engine } = watching(alertRule({ threshold: 40 }));
	isUnknown.add(METER);
	read(0, 50);
	isUnknown.delete(METER);
	read(1, 50);
	engine().deviceChanged(METER);
	read(2, 50);
	engine().forget(METER);
	read(3, 50);
	t.deepEqual(signals, ['raised at 1 by 50']);
});

const value = fc.double({ min: -100, max: 100, noNaN: true });
const condition = fc.constantFrom<Condition>('gt', 'gte', 'lt', 'lte');

test('law: within the band nothing changes, whatever came before', (t) => {
	fc.assert(
		fc.property(
			condition,
			fc.array(value, { maxLength: 30 }),
			fc.array(fc.double({ min: 0.01, max: 0.99, noNaN: true })),
			(kind, before, shares) => {
				const { signals, read } = watching(alertRule({ condition: kind, threshold: 0, hysteresis: 10 }));
				let at = 0;
				for (const one of before) read((at += 1), one);
				const changes = signals.length;
				const sign = kind.startsWith('g') ? -10 : 10;
				for (const share of shares) read((at += 1), sign * share);
				return signals.length === changes;
			},
		),
	);
	t.pass();
});

test('law: raised and cleared take turns, beginning with raised, and each needs a value beyond its side of the band', (t) => {
	fc.assert(
		fc.property(condition, fc.nat(20), fc.nat(5), fc.array(value), (kind, hysteresis, durationSeconds, samples) => {
			const { signals, read } = watching(alertRule({ condition: kind, threshold: 0, hysteresis, durationSeconds }));
			for (const [index, one] of samples.entries()) read(index * 1_000, one);
			return signals.every((signal, index) => {
				const by = Number(signal.split(' by ')[1]) * (kind.startsWith('g') ? 1 : -1);
				return index % 2 === 0
					? signal.startsWith('raised') && by >= 0
					: signal.startsWith('cleared') && by <= -hysteresis;
			});
		}),
	);
	t.pass();
});

test('law: samples that come again, at once or later, change nothing', (t) => {
	const samples = fc.array(fc.tuple(value, fc.nat(40)), { maxLength: 40 });
	fc.assert(
		fc.property(samples, fc.nat(30), (given, durationSeconds) => {
			const rule = alertRule({ threshold: 10, hysteresis: 5, durationSeconds });
			const once = watching(rule);
			const again = watching(rule);
			let at = 0;
			const read: (readonly [number, number])[] = [];
			for (const [one, gapSeconds] of given) {
				at += 1 + gapSeconds * 1_000;
				again.setNow(at);
				once.read(at, one);
				again.read(at, one);
				again.read(at, -one);
				read.push([at, one]);
				for (const [earlier, older] of read) again.read(earlier, older);
			}
			return once.signals.join() === again.signals.join();
		}),
	);
	t.pass();
});

test('law: an alert with a duration has samples that hold from its beginning to its end', (t) => {
	const samples = fc.array(fc.tuple(value, fc.nat(20)), { maxLength: 60 });
	fc.assert(
		fc.property(samples, fc.integer({ min: 1, max: 30 }), (given, durationSeconds) => {
			const { signals, read } = watching(alertRule({ threshold: 0, durationSeconds }));
			let at = 0;
			let holdsFrom: number | null = null;
			for (const [one, gapSeconds] of given) {
				at += 1 + gapSeconds * 1_000;
				holdsFrom = one > 0 ? (holdsFrom ?? at) : null;
				const before = signals.length;
				read(at, one);
				const isRaised = signals.length > before && signals.at(-1)?.startsWith('raised') === true;
				if (isRaised && (holdsFrom === null || at - holdsFrom < durationSeconds * 1_000)) return false;
			}
			return true;
		}),
	);
	t.pass();
});
