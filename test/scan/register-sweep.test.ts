import test from 'ava';
import fc from 'fast-check';

import type { ReadFunction } from '../../config/template/template.ts';
import type { SweepAsk } from '../../gateway/scan/cap-search.ts';
import {
	createRegisterSweep,
	type RegisterSweepOptions,
	type SweepFindings,
} from '../../gateway/scan/register-sweep.ts';

/** What a device makes of a read. */
type Device = (ask: SweepAsk) => 'data' | 'refusal' | 'silence';

interface Run extends SweepFindings {
	readonly asks: readonly SweepAsk[];
	readonly done: number;
}

const MOST_READS = 300_000;

function sweep(device: Device, options: Partial<RegisterSweepOptions> = {}): Run {
	const run = createRegisterSweep({ functionCode: 3, first: 0, last: 65_535, isThorough: true, ...options });
	const asks: SweepAsk[] = [];
	for (let ask = run.next(); ask !== null; ask = run.next()) {
		asks.push(ask);
		if (asks.length > MOST_READS) throw new Error('the sweep does not end');
		const answer = device(ask);
		if (answer === 'data') run.answered(ask);
		else if (answer === 'refusal') run.refused(ask);
		else run.silent(ask);
	}
	return { ...run.findings(), asks, done: run.done };
}

/** A device that has these addresses and refuses every read with another one in it, or of more than `most`. */
const having =
	(has: (address: number) => boolean, most = 125): Device =>
	({ address, count }) => {
		if (count > most) return 'refusal';
		for (let k = 0; k < count; k += 1) if (!has(address + k)) return 'refusal';
		return 'data';
	};

const isIn =
	(...spans: readonly (readonly [number, number])[]) =>
	(address: number): boolean =>
		spans.some(([first, last]) => address >= first && address <= last);

/** Values of two registers that are only read whole, from even addresses on, at most 80 registers at once. */
const meter: Device = (ask) =>
	ask.address % 2 === 1 || ask.count % 2 === 1 ? 'refusal' : having(isIn([0, 399], [1000, 1099]), 80)(ask);

test('case 11: a sweep of all 65 536 registers finds the last one and asks for nothing beyond it, nor for more than 125 at once', (t) => {
	const { answered, asks, mostPerRead, isCapKnown, done } = sweep(
		having(isIn([0, 300], [40_000, 40_199], [65_535, 65_535])),
	);
	t.deepEqual(answered, [
		{ first: 0, last: 300 },
		{ first: 40_000, last: 40_199 },
		{ first: 65_535, last: 65_535 },
	]);
	t.is(done, 65_536);
	t.true(asks.every(({ address, count }) => count >= 1 && count <= 125 && address + count <= 65_536));
	t.is(mostPerRead, 125);
	t.true(isCapKnown);
});

test('case 11: the limits 125 and 126, 2000 and 2001 are told apart from a device that takes fewer', (t) => {
	const limits: readonly (readonly [ReadFunction, number, number])[] = [
		[3, 200, 125],
		[4, 125, 125],
		[3, 124, 124],
		[3, 123, 123],
		[4, 81, 81],
		[4, 80, 80],
		[4, 64, 64],
		[3, 10, 10],
		[3, 1, 1],
		[1, 2500, 2000],
		[2, 2000, 2000],
		[1, 1999, 1999],
		[1, 512, 512],
	];
	for (const [functionCode, most, found] of limits) {
		const { mostPerRead, isCapKnown, asks } = sweep(having(isIn([0, 4999]), most), { functionCode, last: 5200 });
		t.is(mostPerRead, found, `function ${functionCode}, ${most}`);
		t.true(isCapKnown, `function ${functionCode}, ${most}`);
		t.true(asks.every(({ count }) => count <= (functionCode <= 2 ? 2000 : 125)));
	}
});

test('case 11: a meter of 32-bit values with a limit of 80 registers is found whole, limit and width included', (t) => {
	const { answered, mostPerRead, isCapKnown, answersPairsOnly } = sweep(meter, { functionCode: 4, last: 1299 });
	t.deepEqual(answered, [
		{ first: 0, last: 399 },
		{ first: 1000, last: 1099 },
	]);
	t.is(mostPerRead, 80);
	t.true(isCapKnown);
	t.true(answersPairsOnly);
});

const pair: Device = (ask) => (ask.address === 65_534 && ask.count === 2 ? 'data' : 'refusal');

test('case 11: a 32-bit value in the last two registers is found whole, and nothing is asked for at 65 535 with two', (t) => {
	const { answered, asks } = sweep(pair, { first: 65_000 });
	t.deepEqual(answered, [{ first: 65_534, last: 65_535 }]);
	t.false(asks.some(({ address, count }) => address + count > 65_536));
});

const odd: Device = ({ address, count }) =>
	address % 2 === 1 && count === 2 && isIn([11, 16])(address) ? 'data' : 'refusal';

test('pairs that lie across even addresses are found too', (t) => {
	t.deepEqual(sweep(odd, { last: 40 }).answered, [{ first: 11, last: 16 }]);
});

const bordered: Device = (ask) =>
	ask.address < 300 && ask.address + ask.count > 300 ? 'refusal' : having(isIn([0, 599]))(ask);

test('a border inside the device, over which no read may go, is no limit of its length', (t) => {
	const { answered, mostPerRead, isCapKnown } = sweep(bordered, { last: 700 });
	t.deepEqual(answered, [{ first: 0, last: 599 }]);
	t.is(mostPerRead, 125);
	t.true(isCapKnown);
});

test('a device that answers nothing is asked a bounded number of times', (t) => {
	const { answered, silent, asks } = sweep(() => 'silence');
	t.deepEqual(answered, []);
	t.deepEqual(silent, [{ first: 0, last: 65_535 }]);
	t.true(asks.length < 700, String(asks.length));
});

/** Like a device whose first table ends at 60, and whose others take all that fits. */
const shortFirst: Device = (ask) =>
	ask.address < 60 && ask.address + ask.count > 60 ? 'refusal' : having(isIn([0, 599]))(ask);

test('a limit that shows at one place only is not called known', (t) => {
	const { answered, mostPerRead, isCapKnown } = sweep(shortFirst, { last: 700 });
	t.deepEqual(answered, [{ first: 0, last: 599 }]);
	t.true(mostPerRead > 120);
	t.false(isCapKnown);
});

const mute: Device = (ask) => (having(isIn([100, 219]))(ask) === 'data' ? 'data' : 'silence');

test('silence beyond the map of a device does not hide the map', (t) => {
	const { answered, asks } = sweep(mute, { last: 9_999 });
	t.is(answered.length, 1);
	t.true((answered[0]?.first ?? 0) <= 112 && (answered[0]?.last ?? 0) >= 208, JSON.stringify(answered));
	t.true(asks.length < 300, String(asks.length));
});

test('a quick sweep finds large blocks in a desert for a fraction of the reads', (t) => {
	const device = having(isIn([0, 99], [30_000, 30_063], [50_000, 50_007]));
	const quick = sweep(device, { isThorough: false });
	const thorough = sweep(device);
	t.deepEqual(quick.answered, thorough.answered);
	t.true(quick.asks.length * 3 < thorough.asks.length, `${quick.asks.length} of ${thorough.asks.length}`);
});

const spanArb = fc
	.tuple(fc.integer({ min: 0, max: 1500 }), fc.integer({ min: 1, max: 300 }))
	.map(([first, length]) => [first, first + length - 1] as const);

test('law: whatever a device has, a thorough sweep finds exactly that, in a bounded number of reads', (t) => {
	fc.assert(
		fc.property(
			fc.array(spanArb, { maxLength: 6 }),
			fc.integer({ min: 1, max: 130 }),
			fc.integer({ min: 0, max: 500 }),
			fc.integer({ min: 500, max: 2000 }),
			(spans, most, first, last) => {
				const has = isIn(...spans);
				const { answered, asks, done } = sweep(having(has, most), { first, last });
				const found = isIn(...answered.map((span) => [span.first, span.last] as const));
				for (let address = first; address <= last; address += 1)
					if (has(address) !== found(address)) throw new Error(`address ${address}`);
				if (done !== last - first + 1) throw new Error(`done ${done}`);
				return asks.length < 3 * (last - first + 1) + 20;
			},
		),
		{ numRuns: 150 },
	);
	t.pass();
});
