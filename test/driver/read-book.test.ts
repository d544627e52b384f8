import test from 'ava';
import type { Line } from '../../config/connection/connection.ts';
import { createReadBook, type ReadBook } from '../../gateway/driver/modbus/plan/read-book.ts';
import { uncovered } from '../../gateway/driver/modbus/plan/address-holes.ts';
import { plainPlan, point } from '../fake/plain-plan.ts';

const line: Line = { transport: 'tcp', host: 'x', port: 502 };
const TEN_MINUTES = 600_000;

const bookOf = (points: readonly ReturnType<typeof point>[]): ReadBook =>
	createReadBook({ points, maxRegisters: 125, plan: (wanted, limits) => plainPlan(wanted, line, limits) });

/** Asks all that is due, and what that leads to, of a device that refuses these addresses. @returns spans asked for. */
function period(book: ReadBook, nowMs: number, isBad: (address: number) => boolean): readonly string[] {
	const asked: string[] = [];
	const queue = book.due(nowMs);
	for (let slot = queue.shift(); slot !== undefined; slot = queue.shift()) {
		if (!book.has(slot)) continue;
		const { address, count } = slot.request;
		asked.push(`${address}+${count}`);
		const isRefused = Array.from({ length: count }, (_, i) => address + i).some((at) => isBad(at));
		if (isRefused) queue.unshift(...book.refused(slot, nowMs).ask);
		else book.answered(slot, nowMs);
	}
	return asked;
}

test('a refused point is asked again after ten minutes, and read with the others once it is there', (t) => {
	const book = bookOf([point('a', 0), point('b', 1), point('c', 2)]);
	t.deepEqual(
		period(book, 0, (at) => at === 1),
		['0+3', '0+2', '0+1', '1+1', '2+1'],
	);
	t.deepEqual(book.refusedKeys(), ['b']);
	t.deepEqual(
		period(book, 1000, (at) => at === 1),
		['0+1', '2+1'],
	);
	t.deepEqual(
		period(book, TEN_MINUTES + 1000, (at) => at === 1),
		['0+1', '2+1', '1+1'],
	);
	t.deepEqual(
		period(book, TEN_MINUTES + 2000, (at) => at === 1),
		['0+1', '2+1'],
	);
	t.deepEqual(
		period(book, 3 * TEN_MINUTES, () => false),
		['0+1', '2+1', '1+1'],
	);
	t.deepEqual(book.refusedKeys(), []);
	t.deepEqual(
		period(book, 3 * TEN_MINUTES + 1000, () => false),
		['0+3'],
	);
});

test('a device that refuses everything is asked for single points every ten minutes only', (t) => {
	const book = bookOf([point('a', 0), point('b', 1)]);
	period(book, 0, () => true);
	t.deepEqual(book.refusedKeys(), ['a', 'b']);
	t.deepEqual(
		period(book, 1000, () => true),
		[],
	);
	t.is(period(book, TEN_MINUTES, () => true).length, 2);
});

test('settings are due once and then every ten minutes', (t) => {
	const book = bookOf([point('a', 0), point('ratio', 1, { kind: 'setting' })]);
	t.deepEqual(
		period(book, 0, () => false),
		['0+1', '1+1'],
	);
	t.deepEqual(
		period(book, 1000, () => false),
		['0+1'],
	);
	t.deepEqual(
		period(book, TEN_MINUTES, () => false),
		['0+1', '1+1'],
	);
});

test('points that can only be written are not read', (t) => {
	t.deepEqual(
		period(bookOf([point('a', 0), point('reset', 1, { access: 'w' })]), 0, () => false),
		['0+1'],
	);
});

test('a request that is silent while the others are answered is paused', (t) => {
	const book = bookOf([point('a', 0), point('b', 0, { functionCode: 4 })]);
	const [first] = book.due(0);
	if (first === undefined) return t.fail('something is due');
	book.silent(first, 0, 100, 1);
	t.is(book.due(1).length, 2, 'once is weather');
	book.silent(first, 0, 100, 1);
	t.is(book.due(1).length, 1);
	t.is(book.due(2000).length, 2);
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
