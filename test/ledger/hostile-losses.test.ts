import test from 'ava';
import fc from 'fast-check';

import { joinedLosses } from '../../cloud/link/joined-losses.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { gatewayId } from '../../core/kernel/id.ts';
import { explain, MAX_GAPS } from '../../core/ledger/explain.ts';
import { createLedger } from '../../core/ledger/ledger.ts';
import { createRangeSet, joinedRanges, type Range, withoutRanges } from '../../core/ledger/range-set.ts';
import { linkMessage, parseLinkMessage } from '../../core/link/link-messages.ts';

const origin = gatewayId('9a000000-0000-4000-8000-000000000001');

const anyRange: fc.Arbitrary<Range> = fc
	.tuple(fc.nat({ max: 200 }), fc.nat({ max: 20 }))
	.map(([first, more]) => ({ first, last: first + more }));
const anySet = fc.array(anyRange, { maxLength: 30 }).map((list) => createRangeSet(list).ranges());

test('what some ranges leave open of others is what taking them out one by one leaves', (t) => {
	fc.assert(
		fc.property(anySet, anySet, (ranges, taken) => {
			const slow = createRangeSet(ranges);
			for (const { first, last } of taken) slow.remove(first, last);
			t.deepEqual(createRangeSet(withoutRanges(ranges, taken)).ranges(), slow.ranges());
		}),
	);
});

test('lists of ranges joined are one set of them', (t) => {
	fc.assert(
		fc.property(fc.array(fc.array(anyRange, { maxLength: 10 }), { maxLength: 4 }), (lists) =>
			t.deepEqual(joinedRanges(lists), createRangeSet(lists.flat()).ranges()),
		),
	);
});

test('a loss that is declared thousands of times in one message is one', (t) => {
	const loss = { epoch: 1, first: 0, last: Number.MAX_SAFE_INTEGER, reason: 'not-kept' } as const;
	const losses = Array.from({ length: 5_000 }, (_, index) => ({ ...loss, first: index }));
	t.deepEqual(joinedLosses(losses), [loss]);
	t.throws(() => joinedLosses([{ ...loss, first: 2, last: 1 }]), { instanceOf: Fault, message: /no range/ });
});

test('a range that ends before it begins is none, in whatever message', (t) => {
	const received = [{ epoch: 1, ranges: [{ first: 5, last: 4 }] }];
	t.throws(() => parseLinkMessage('ack', linkMessage('ack', { received, losses: [] })), {
		instanceOf: Fault,
		message: /received\[0\]\.ranges\[0\]\.last/,
	});
	t.throws(() => parseLinkMessage('welcome', linkMessage('welcome', { received: [], owed: received })), {
		instanceOf: Fault,
	});
});

test('a ledger in as many pieces as it takes names its holes right', (t) => {
	const ledger = createLedger();
	const pieces = 20_000;
	for (let piece = 0; piece < pieces; piece += 1)
		ledger.commit({ origin, epoch: 1, first: 2 * piece + 2, last: 2 * piece + 2 });
	ledger.declare({ origin, epoch: 1, first: 1, last: pieces, reason: 'disk-full' });
	ledger.declare({ origin, epoch: 1, first: 1, last: 2 * pieces, reason: 'not-kept' });
	t.like(ledger.completeness(origin), {
		receivedSamples: pieces,
		declaredLostSamples: pieces,
		missingSamples: 0,
	});
	t.is(ledger.completeness(origin).lostByReason['disk-full'], pieces / 2);
	t.deepEqual(ledger.settledFrom(origin, 0), [{ epoch: 1, ranges: [{ first: 1, last: 2 * pieces }] }]);
});

test('an answer about a device that came and went names so many gaps and looks for no more', (t) => {
	const seen = Array.from({ length: 50_000 }, (_, index) => ({
		from: epochMs(index * 10_000),
		to: epochMs(index * 10_000 + 1_000),
	}));
	let looked = 0;
	const watched = seen.map(({ from, to }) => ({
		from,
		get to() {
			looked += 1;
			return to;
		},
	}));
	const gaps = explain({
		from: epochMs(0),
		to: epochMs(500_000_000),
		seen: watched,
		faults: [],
		holes: [],
		boots: [],
		heardUntil: epochMs(500_000_000),
	});
	t.is(gaps.length, MAX_GAPS);
	t.true(looked <= 3 * seen.length, 'each stretch is looked at once');
});
