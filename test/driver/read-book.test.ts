import test from 'ava';
import type { ModbusTuning, PollClass } from '../../config/connection/connection.ts';
import type { TemplatePoint } from '../../config/template/template.ts';
import type { Learnt } from '../../gateway/driver/modbus/plan/learnt.ts';
import { createReadBook, type ReadBook } from '../../gateway/driver/modbus/plan/read-book.ts';
import { uncovered } from '../../gateway/driver/modbus/plan/address-holes.ts';
import { tcpCost } from '../../gateway/driver/modbus/plan/line-cost.ts';
import { plainPlan, point, template } from '../fake/plain-plan.ts';

const TEN_MINUTES = 600_000;

interface BookOptions {
	readonly tuning?: ModbusTuning;
	readonly learnt?: Learnt;
}

const bookOf = (points: readonly TemplatePoint[], { tuning = {}, learnt }: BookOptions = {}): ReadBook =>
	createReadBook({
		template: template(points),
		timing: { periodMs: 1000, tuning, phase: 0, startMs: 0 },
		plan: (wanted, limits) => plainPlan(wanted, tcpCost(5), limits),
		...(learnt === undefined ? {} : { learnt }),
	});

type Judge = (address: number, count: number) => boolean;

/** Asks all that is due, and what that leads to, of a device that refuses such reads. @returns spans asked for. */
function round(book: ReadBook, nowMs: number, refuses: Judge): readonly string[] {
	const asked: string[] = [];
	const queue = book.begin(nowMs);
	const grids = new Set(queue.map(({ grid }) => grid));
	for (let slot = queue.shift(); slot !== undefined; slot = queue.shift()) {
		if (!book.has(slot)) continue;
		const { address, count } = slot.request;
		asked.push(`${address}+${count}`);
		if (refuses(address, count)) queue.unshift(...book.refused(slot, nowMs).ask);
		else book.answered(slot, nowMs);
	}
	for (const grid of grids) if (grid !== null) book.finish(grid, nowMs);
	return asked;
}

const touches =
	(bad: number): Judge =>
	(address, count) =>
		address <= bad && address + count > bad;
const never: Judge = () => false;

test('a refused point is asked again after ten minutes, and read with the others once it is there', (t) => {
	const book = bookOf([point('a', 0), point('b', 1), point('c', 2)]);
	t.deepEqual(round(book, 0, touches(1)), ['0+3', '0+2', '0+1', '1+1', '2+1']);
	t.deepEqual(book.refusedKeys(), ['b']);
	t.deepEqual(round(book, 1000, touches(1)), ['0+1', '2+1']);
	t.deepEqual(round(book, TEN_MINUTES + 1000, touches(1)), ['0+1', '2+1', '1+1']);
	t.deepEqual(round(book, TEN_MINUTES + 2000, touches(1)), ['0+1', '2+1']);
	t.deepEqual(round(book, 3 * TEN_MINUTES, never), ['0+1', '2+1', '1+1']);
	t.deepEqual(book.refusedKeys(), []);
	t.deepEqual(round(book, 3 * TEN_MINUTES + 1000, never), ['0+3']);
});

test('a device that refuses everything is asked for single points every ten minutes only', (t) => {
	const book = bookOf([point('a', 0), point('b', 1)]);
	round(book, 0, () => true);
	t.deepEqual(book.refusedKeys(), ['a', 'b']);
	t.deepEqual(
		round(book, 1000, () => true),
		[],
	);
	t.is(round(book, TEN_MINUTES, () => true).length, 2);
});

test('settings are due once and then every ten minutes', (t) => {
	const book = bookOf([point('a', 0), point('ratio', 1, { kind: 'setting' })]);
	t.deepEqual(round(book, 0, never), ['0+1', '1+1']);
	t.deepEqual(round(book, 1000, never), ['0+1']);
	t.deepEqual(round(book, TEN_MINUTES, never), ['0+1', '1+1']);
});

test('points that can only be written are not read', (t) => {
	t.deepEqual(round(bookOf([point('a', 0), point('reset', 1, { access: 'w' })]), 0, never), ['0+1']);
});

const polled = (key: string, address: number, poll: PollClass): TemplatePoint => point(key, address, { poll });

test('each class of points has its own period, and what is read on demand is never polled', (t) => {
	const points = [
		polled('fast', 0, 'fast'),
		polled('normal', 10, 'normal'),
		polled('slow', 20, 'slow'),
		polled('once', 30, 'once'),
		polled('demand', 40, 'on-demand'),
	];
	const book = bookOf(points, { tuning: { fastPeriodMs: 250, slowPeriodMs: 5000 } });
	const counts = new Map<string, number>();
	for (let nowMs = 0; nowMs < 20_000; nowMs += 250) {
		for (const span of round(book, nowMs, never)) counts.set(span, (counts.get(span) ?? 0) + 1);
	}
	t.deepEqual(
		[...counts],
		[
			['0+1', 80],
			['10+1', 20],
			['20+1', 4],
			['30+1', 1],
		],
	);
	book.lost(20_000);
	t.true(round(book, 20_000, never).includes('30+1'), 'what is read once is read again after a loss');
});

test('without tuning, slow is ten periods of the device and fast is its period', (t) => {
	const book = bookOf([polled('fast', 0, 'fast'), polled('slow', 20, 'slow')]);
	let slow = 0;
	for (let nowMs = 0; nowMs < 30_000; nowMs += 1000) {
		const asked = round(book, nowMs, never);
		t.true(asked.includes('0+1'));
		if (asked.includes('20+1')) slow += 1;
	}
	t.is(slow, 3);
});

test('a request that is silent while the others are answered is paused', (t) => {
	const book = bookOf([point('a', 0), point('b', 0, { functionCode: 4 })]);
	const [first] = book.begin(0);
	if (first === undefined || first.grid === null) return t.fail('something is due');
	book.silent(first, 0, 100, true, true);
	book.finish(first.grid, 0);
	t.is(book.begin(1000).length, 2, 'once is weather');
	book.silent(first, 1000, 100, true, true);
	book.finish(first.grid, 1000);
	t.is(book.begin(2000).length, 1);
	book.finish(first.grid, 2000);
	t.is(book.begin(4000).length, 2);
});

test('a device that is silent to reads that are too long is read in shorter ones', (t) => {
	const book = bookOf(Array.from({ length: 100 }, (_, i) => point(`p${i}`, i)));
	for (let nowMs = 0; nowMs < 2_000_000; nowMs += 1000) {
		const queue = book.begin(nowMs);
		const grid = queue[0]?.grid ?? null;
		for (let slot = queue.shift(); slot !== undefined; slot = queue.shift()) {
			if (slot.request.count <= 60) book.answered(slot, nowMs);
			else queue.unshift(...book.silent(slot, nowMs, 100, true, true).ask);
		}
		if (grid !== null) book.finish(grid, nowMs);
	}
	t.true(book.regular().every(({ request }) => request.count <= 60));
	t.deepEqual(book.refusedKeys(), []);
});

for (const cap of [12, 40, 80, 100, 124]) {
	test(`a device that allows ${cap} registers at once is found out, by halves, and what was learnt is used from the start next time`, (t) => {
		const points = Array.from({ length: 250 }, (_, i) => point(`p${i}`, i));
		const book = bookOf(points);
		let refusals = 0;
		const judge: Judge = (_, count) => {
			if (count <= cap) return false;
			refusals += 1;
			return true;
		};
		for (let nowMs = 0; nowMs < 60_000; nowMs += 1000) round(book, nowMs, judge);
		const needed = Math.ceil(250 / cap);
		t.is(book.regular().length, needed, 'as few requests as the cap allows');
		t.true(refusals <= 30, `${refusals} refusals`);
		const asked = refusals;
		round(book, 61_000, judge);
		t.is(refusals, asked, 'once known, it is not exceeded any more');
		const again = bookOf(points, { learnt: book.learnt() });
		round(again, 0, judge);
		t.is(refusals, asked);
		t.is(again.regular().length, needed);
	});
}

const refusesMiddle: Judge = (address, count) => address < 32 && address + count > 16;

test('the middle of a block that is refused costs its own points only, and is asked no more', (t) => {
	const points = Array.from({ length: 48 }, (_, i) => point(`p${i}`, i));
	const book = bookOf(points);
	round(book, 0, refusesMiddle);
	t.deepEqual(
		book.refusedKeys(),
		points.slice(16, 32).map(({ key }) => key),
	);
	t.deepEqual(round(book, 1000, refusesMiddle), ['0+16', '32+16']);
	t.is(book.learnt().refused.length, 16);
	const again = bookOf(points, { learnt: book.learnt() });
	t.deepEqual(round(again, 0, refusesMiddle), ['0+16', '32+16']);
});

const part = (address: number, count: number) => ({ functionCode: 3, address, count }) as const;

test('what no part covers is a hole', (t) => {
	const block = { functionCode: 3, address: 10, count: 20 } as const;
	t.deepEqual(uncovered(block, [part(20, 2), part(10, 5), part(12, 4), part(0, 3), part(40, 9)]), [
		{ functionCode: 3, first: 16, last: 19 },
		{ functionCode: 3, first: 22, last: 29 },
	]);
	t.deepEqual(uncovered(block, [part(5, 50)]), []);
});
