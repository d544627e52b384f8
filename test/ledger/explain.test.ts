import test from 'ava';
import fc from 'fast-check';

import { type EpochMs, epochMs } from '../../core/kernel/clock.ts';
import type { LedgerHole } from '../../core/ledger/completeness.ts';
import { explain, type ExplainRequest, type Gap } from '../../core/ledger/explain.ts';
import type { HoleReason } from '../../core/ledger/stream-range.ts';
import type { Span } from '../../core/ledger/time-marks.ts';

const at = (ms: number): EpochMs => epochMs(ms);
const span = (from: number, to: number): Span => ({ from: at(from), to: at(to) });

const hole = (from: number, to: number, reason: HoleReason = 'journal-quota'): LedgerHole => ({
	epoch: 1,
	first: 1,
	last: 10,
	reason,
	...span(from, to),
});

const request = (more: Partial<ExplainRequest>): ExplainRequest => ({
	...span(0, 1_000),
	seen: [],
	faults: [],
	holes: [],
	boots: [],
	heardUntil: at(1_000),
	...more,
});

const short = (gaps: readonly Gap[]) => gaps.map(({ from, to, reason }) => [from, to, reason]);

const cases: readonly (readonly [string, Partial<ExplainRequest>, readonly (readonly [number, number, string])[]])[] = [
	['nothing is missing where there are values', { seen: [span(0, 1_000)], holes: [hole(100, 200)] }, []],
	['a device that says nothing is silent', { seen: [span(0, 400)] }, [[400, 1_000, 'device-silent']]],
	[
		'a hole has the reason of the ledger, the rest of the silence its own',
		{ seen: [span(0, 100), span(600, 1_000)], holes: [hole(100, 500, 'disk-full')] },
		[
			[100, 500, 'disk-full'],
			[500, 600, 'device-silent'],
		],
	],
	[
		'between two boots the gateway was off',
		{
			seen: [span(0, 300), span(700, 1_000)],
			boots: [
				{ epoch: 1, ...span(0, 300) },
				{ epoch: 2, ...span(700, 1_000) },
			],
		},
		[[300, 700, 'gateway-off']],
	],
	[
		'what a declared hole explains is not put down to the bus',
		{ seen: [span(0, 100), span(900, 1_000)], faults: [span(100, 900)], holes: [hole(200, 300)] },
		[
			[100, 200, 'bus-fault'],
			[200, 300, 'journal-quota'],
			[300, 900, 'bus-fault'],
		],
	],
	[
		'what a gateway that is away has read since is on its way',
		{ seen: [span(0, 600)], heardUntil: at(600) },
		[[600, 1_000, 'in-transit']],
	],
	['of a device that speaks when it likes, silence tells nothing', { seen: null }, []],
	['but what its gateway lacks is told', { seen: null, holes: [hole(200, 300)] }, [[200, 300, 'journal-quota']]],
	[
		'a hole of which nobody knows the time is nowhere in it',
		{ seen: null, holes: [{ ...hole(1, 2), from: null, to: null }] },
		[],
	],
];

for (const [name, more, expected] of cases)
	test(`explain: ${name}`, (t) => {
		t.deepEqual(short(explain(request(more))), expected);
	});

test('samples are those of the hole', (t) => {
	const [gap] = explain(request({ seen: null, holes: [hole(200, 300)] }));
	t.is(gap?.samples, 10);
});

const instant = fc.integer({ min: -200, max: 1_200 });
const anySpan = fc.tuple(instant, instant).map(([one, other]) => span(Math.min(one, other), Math.max(one, other)));
const apart = fc.uniqueArray(fc.integer({ min: 0, max: 1_000 }), { maxLength: 12 }).map((edges) => {
	const sorted = edges.toSorted((one, other) => one - other);
	return Array.from({ length: sorted.length >> 1 }, (_, index) =>
		span(sorted[index * 2] ?? 0, sorted[index * 2 + 1] ?? 0),
	);
});

test('gaps and values together make up the period, and overlap nowhere', (t) => {
	fc.assert(
		fc.property(
			apart,
			fc.array(anySpan, { maxLength: 5 }),
			fc.array(anySpan, { maxLength: 5 }),
			fc.array(anySpan, { maxLength: 4 }),
			instant,
			(seen, faults, holes, boots, heard) => {
				const gaps = explain(
					request({
						seen,
						faults,
						holes: holes.map(({ from, to }) => hole(from, to)),
						boots: boots.map((boot, index) => ({ epoch: index + 1, ...boot })),
						heardUntil: at(heard),
					}),
				);
				const all = [...gaps, ...seen].toSorted((one, other) => one.from - other.from || one.to - other.to);
				let end = 0;
				for (const { from, to } of all) {
					t.is(from, at(end));
					end = to;
				}
				t.is(end, 1_000);
				t.true(gaps.every(({ from, to }) => from < to));
			},
		),
	);
});
