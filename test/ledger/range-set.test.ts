import test from 'ava';
import fc from 'fast-check';

import { createRangeSet } from '../../core/ledger/range-set.ts';

const TOP = 60;
const step = fc.record({
	kind: fc.constantFrom('add', 'remove'),
	first: fc.integer({ min: 1, max: TOP }),
	length: fc.integer({ min: 1, max: 12 }),
});

test('a range set answers as a set of single numbers would', (t) => {
	fc.assert(
		fc.property(fc.array(step, { maxLength: 40 }), step, (steps, asked) => {
			const ranges = createRangeSet();
			const plain = new Set<number>();
			for (const { kind, first, length } of steps) {
				const last = first + length - 1;
				let changed = 0;
				for (let number = first; number <= last; number += 1) {
					if (kind === 'add' && !plain.has(number)) changed += plain.add(number) && 1;
					if (kind === 'remove' && plain.delete(number)) changed += 1;
				}
				t.is(kind === 'add' ? ranges.add(first, last) : ranges.remove(first, last), changed);
			}
			const last = asked.first + asked.length - 1;
			const numbers = Array.from({ length: asked.length }, (_, index) => asked.first + index);
			t.is(ranges.size(), plain.size);
			t.is(
				ranges.covers(asked.first, last),
				numbers.every((number) => plain.has(number)),
			);
			t.deepEqual(
				ranges
					.missing(asked.first, last)
					.flatMap((hole) => numbers.filter((number) => number >= hole.first && number <= hole.last)),
				numbers.filter((number) => !plain.has(number)),
			);
			t.deepEqual(
				ranges
					.within(asked.first, last)
					.flatMap((part) => Array.from({ length: part.last - part.first + 1 }, (_, index) => part.first + index)),
				numbers.filter((number) => plain.has(number)),
			);
		}),
	);
});

test('ranges are sorted and neither overlap nor touch', (t) => {
	fc.assert(
		fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
			const set = createRangeSet();
			for (const { kind, first, length } of steps) set[kind === 'add' ? 'add' : 'remove'](first, first + length - 1);
			const list = set.ranges();
			t.true(
				list.every(
					({ first, last }, index) => first <= last && (index === 0 || first > (list[index - 1]?.last ?? 0) + 1),
				),
			);
		}),
	);
});

test('what is no range is a programmer mistake', (t) => {
	const set = createRangeSet();
	for (const [first, last] of [
		[2, 1],
		[1.5, 2],
		[1, Number.NaN],
	] as const) {
		t.throws(() => set.add(first, last), { instanceOf: RangeError });
	}
});
