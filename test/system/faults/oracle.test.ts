import test from 'ava';

import type { TelemetryRecord } from '../kit/telemetry.ts';
import { type Budget, type Evidence, judge } from './oracle.ts';
import type { DeviceTruth, Occurrence } from './truth.ts';

const START_MS = Date.UTC(2026, 0, 1);
const at = (ms: number): string => new Date(START_MS + ms).toISOString();

/** Ten values, one per second; the first five acknowledged. */
const truth: DeviceTruth = {
	uid: 'device',
	keepsAll: true,
	occurrences: () =>
		Array.from({ length: 10 }, (_, n): Occurrence => ({
			n,
			fromMs: START_MS + n * 1_000,
			toMs: START_MS + n * 1_000 + 900,
			isAcknowledged: n < 5,
		})),
	numberOf: ({ payload }) => (typeof payload['n'] === 'number' ? payload['n'] : null),
	mistake: ({ id, payload }) => (payload['unit'] === 1 || payload['n'] === undefined ? null : `${id} is not of unit 1`),
};

const record = (n: number, more: Partial<TelemetryRecord> = {}): TelemetryRecord => ({
	id: `id-${n}`,
	telemetry_type: 'default',
	payload: { n, unit: 1 },
	recorded_at: at(n * 1_000 + 10),
	...more,
});

const all = (): readonly TelemetryRecord[] => Array.from({ length: 10 }, (_, n) => record(n));
const without = (...numbers: readonly number[]): readonly TelemetryRecord[] =>
	all().filter((_, n) => !numbers.includes(n));

const budget = (more: Partial<Budget>): Budget => ({ declared: 0, gatewayLetGo: 0, hubLetGo: 0, ...more });

const evidence = (more: Partial<Evidence>): Evidence => ({
	truth,
	atHub: all(),
	atGateway: all(),
	clocks: [],
	deaths: [],
	forgotten: [],
	full: [],
	declaredIds: new Set(),
	budget: budget({}),
	...more,
});

const death = (fromMs: number, toMs: number) => [{ fromMs: START_MS + fromMs, toMs: START_MS + toMs }];

interface Case {
	readonly what: string;
	readonly given: Partial<Evidence>;
	/** What is complained of; none: nothing. */
	readonly wrong: readonly ('lost' | 'twice' | 'misattributed' | 'different')[];
}

const CASES: readonly Case[] = [
	{ what: 'both stores have everything', given: {}, wrong: [] },
	{ what: 'the hub misses an acknowledged value', given: { atHub: without(2) }, wrong: ['lost'] },
	{ what: 'both miss an acknowledged value', given: { atHub: without(2), atGateway: without(2) }, wrong: ['lost'] },
	{ what: 'the gateway misses an acknowledged value', given: { atGateway: without(2) }, wrong: ['lost'] },
	{
		what: 'a death does not excuse the loss of an acknowledged value',
		given: { atHub: without(2), atGateway: without(2), deaths: death(1_500, 3_000) },
		wrong: ['lost'],
	},
	{
		what: 'both miss a value that nothing excuses',
		given: { atHub: without(7), atGateway: without(7) },
		wrong: ['lost'],
	},
	{
		what: 'both miss a value that was read just before a death',
		given: { atHub: without(7), atGateway: without(7), deaths: death(7_500, 7_800) },
		wrong: [],
	},
	{
		what: 'the hub misses what the gateway kept, whatever died',
		given: { atHub: without(7), deaths: death(7_500, 7_800) },
		wrong: ['lost'],
	},
	{
		what: 'the hub misses what the ledger declares',
		given: { atHub: without(7), declaredIds: new Set(['id-7']), budget: budget({ declared: 3 }) },
		wrong: [],
	},
	{
		what: 'both miss what a full disk refused and the ledger counts as lost',
		given: { atHub: without(7), atGateway: without(7), budget: budget({ declared: 3 }), full: death(7_500, 9_000) },
		wrong: [],
	},
	{
		what: 'both miss what a full disk refused and nobody counts',
		given: { atHub: without(7), atGateway: without(7), full: death(6_500, 9_000) },
		wrong: ['lost'],
	},
	{
		what: 'both miss what was acknowledged while a disk was full, and the ledger counts it as lost',
		given: { atHub: without(4), atGateway: without(4), budget: budget({ declared: 3 }), full: death(3_500, 9_000) },
		wrong: ['lost'],
	},
	{
		what: 'both miss what the ledger counts as lost, and the gateway never said that it let go of anything',
		given: { atHub: without(7), atGateway: without(7), budget: budget({ declared: 3 }) },
		wrong: ['lost'],
	},
	{
		what: 'both miss what the gateway let go of and the ledger counts as lost',
		given: { atHub: without(2), atGateway: without(2), budget: budget({ declared: 3, gatewayLetGo: 3 }) },
		wrong: [],
	},
	{
		what: 'both miss more than the ledger counts as lost',
		given: { atHub: without(2, 8), atGateway: without(2, 8), budget: budget({ declared: 3, gatewayLetGo: 6 }) },
		wrong: ['lost'],
	},
	{
		what: 'both miss what both let go of',
		given: { atHub: without(2), atGateway: without(2), budget: budget({ hubLetGo: 3, gatewayLetGo: 3 }) },
		wrong: [],
	},
	{
		what: 'both miss what only the hub let go of',
		given: { atHub: without(2), atGateway: without(2), budget: budget({ hubLetGo: 3 }) },
		wrong: ['lost'],
	},
	{
		what: 'the hub let go of what the gateway still has',
		given: { atHub: without(2), budget: budget({ hubLetGo: 3 }) },
		wrong: [],
	},
	{
		what: 'the hub misses more than it let go of',
		given: { atHub: without(2, 3), budget: budget({ hubLetGo: 3 }) },
		wrong: ['lost'],
	},
	{
		what: 'the gateway was put back, and has forgotten',
		given: { atGateway: without(3, 8), forgotten: death(2_000, 9_000) },
		wrong: [],
	},
	{
		what: 'a gateway without room let go of what the hub has',
		given: { atGateway: without(2), budget: budget({ gatewayLetGo: 3 }) },
		wrong: [],
	},
	{
		what: 'a gateway misses more of what the hub has than it let go of',
		given: { atGateway: without(2, 7), budget: budget({ gatewayLetGo: 3 }) },
		wrong: ['lost'],
	},
	{
		what: 'a full gateway did not take what it had not promised, and the hub heard it live',
		given: { atGateway: without(7), full: death(7_500, 9_000) },
		wrong: [],
	},
	{
		what: 'a full gateway misses what it had promised, and the hub has it',
		given: { atGateway: without(3), full: death(2_500, 9_000) },
		wrong: ['lost'],
	},
	{
		what: 'a gateway without room let go of what nobody has, and nobody counts it',
		given: { atHub: without(2), atGateway: without(2), budget: budget({ gatewayLetGo: 3 }) },
		wrong: ['lost'],
	},
	{ what: 'a record is listed twice', given: { atHub: [...all(), record(3)] }, wrong: ['twice'] },
	{ what: 'a value has two records', given: { atHub: [...all(), record(3, { id: 'other' })] }, wrong: ['twice'] },
	{
		what: 'a value was never given',
		given: { atHub: [...all(), record(99)], atGateway: [...all(), record(99)] },
		wrong: ['misattributed'],
	},
	{
		what: 'a value is under a wrong name',
		given: { atHub: [...without(3), record(3, { payload: { n: 3, unit: 2 } })] },
		wrong: ['misattributed', 'different'],
	},
	{
		what: 'a value carries another instant than it was read at',
		given: { atHub: [...without(3), record(3, { recorded_at: at(3_950) })] },
		wrong: ['misattributed', 'different'],
	},
	{
		what: 'a value carries the instant of a clock that stood wrong',
		given: {
			atHub: [...without(3), record(3, { recorded_at: at(3_010 + 3_600_000) })],
			atGateway: [...without(3), record(3, { recorded_at: at(3_010 + 3_600_000) })],
			clocks: [{ fromMs: START_MS + 2_500, toMs: START_MS + 4_000, offsetMs: 3_600_000 }],
		},
		wrong: [],
	},
	{
		what: 'a value carries an instant that no clock had',
		given: {
			atHub: [...without(3), record(3, { recorded_at: at(3_010 + 60_000) })],
			atGateway: [...without(3), record(3, { recorded_at: at(3_010 + 60_000) })],
			clocks: [{ fromMs: START_MS + 2_500, toMs: START_MS + 4_000, offsetMs: 3_600_000 }],
		},
		wrong: ['misattributed'],
	},
	{
		what: 'a record without a value is at the gateway only',
		given: { atGateway: [...all(), { id: 'null', telemetry_type: 'default', payload: {}, recorded_at: at(0) }] },
		wrong: ['lost'],
	},
];

for (const { what, given, wrong } of CASES) {
	test(`${what}: ${wrong.length === 0 ? 'nothing is wrong' : wrong.join(' and ')}`, (t) => {
		const verdict = judge(evidence(given));
		for (const kind of ['lost', 'twice', 'misattributed', 'different'] as const)
			t.is(verdict[kind].length > 0, wrong.includes(kind), `${kind}: ${verdict[kind].join('; ')}`);
	});
}

test('a message that was published and never acknowledged may be there or not', (t) => {
	const sender: DeviceTruth = { ...truth, keepsAll: false };
	const missing = judge(evidence({ truth: sender, atHub: without(7, 8), atGateway: without(7, 8) }));
	t.deepEqual(missing.lost, []);
	t.is(missing.counts.acknowledged, 5);
	t.is(judge(evidence({ truth: sender, atHub: without(7) })).lost.length, 1, 'but what the gateway kept has to arrive');
});

test('the age of what a death took is told', (t) => {
	const verdict = judge(evidence({ atHub: without(7, 8), atGateway: without(7, 8), deaths: death(8_400, 8_800) }));
	t.deepEqual(verdict.lost, []);
	t.is(verdict.counts.explained, 2);
	t.is(verdict.counts.worstLossMs, 1_400);
});
