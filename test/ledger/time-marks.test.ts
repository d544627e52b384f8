import test from 'ava';
import fc from 'fast-check';

import { epochMs } from '../../core/kernel/clock.ts';
import { createTimeMarks } from '../../core/ledger/time-marks.ts';

const START = Date.UTC(2026, 0, 1);
/** Ten samples a second. */
const at = (seq: number) => epochMs(START + seq * 100);

test('whatever arrives in whatever order, the outermost numbers are marked, and marks stand in the order of their numbers', (t) => {
	fc.assert(
		fc.property(fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 200 }), (seqs) => {
			const marks = createTimeMarks();
			for (const seq of seqs) marks.note(seq, at(seq));
			const list = marks.marks();
			t.is(list[0]?.seq, Math.min(...seqs));
			t.is(list.at(-1)?.seq, Math.max(...seqs));
			t.deepEqual(
				list.map(({ seq }) => seq),
				list.map(({ seq }) => seq).toSorted((one, other) => one - other),
			);
			t.true(list.every((mark) => mark.at === at(mark.seq)));
		}),
	);
});

test('a range was read between the marks around it', (t) => {
	const seqs = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 2, maxLength: 100 });
	fc.assert(
		fc.property(
			seqs,
			fc.integer({ min: 1, max: 100_000 }),
			fc.integer({ min: 0, max: 5_000 }),
			(noted, first, length) => {
				const marks = createTimeMarks();
				for (const seq of noted) marks.note(seq, at(seq));
				const [lowest, highest, last] = [Math.min(...noted), Math.max(...noted), first + length];
				fc.pre(first >= lowest && last <= highest);
				const span = marks.around({ first, last });
				t.true(span !== null && span.from <= at(first) && span.to >= at(last));
			},
		),
	);
});

test('a day of samples takes a mark a minute, and the end moves along', (t) => {
	const marks = createTimeMarks();
	for (let seq = 1; seq <= 864_000; seq += 50) marks.note(seq, at(seq));
	t.true(marks.count() > 1_400 && marks.count() < 1_600, String(marks.count()));
	t.deepEqual(marks.span(), { from: at(1), to: at(863_951) });
	marks.thin();
	t.true(marks.count() < 800);
	t.deepEqual(marks.span(), { from: at(1), to: at(863_951) });
});

test('a clock that was set back does not hide when later numbers were read', (t) => {
	const marks = createTimeMarks();
	marks.note(1, at(1));
	marks.note(10_000, at(10_000));
	marks.note(10_001, epochMs(START - 3_600_000));
	marks.note(20_000, epochMs(START - 3_000_000));
	t.deepEqual(marks.around({ first: 15_000, last: 16_000 }), {
		from: epochMs(START - 3_600_000),
		to: epochMs(START - 3_000_000),
	});
	t.deepEqual(marks.around({ first: 10_000, last: 10_001 }), { from: epochMs(START - 3_600_000), to: at(10_000) });
});

test('without a mark nobody knows when', (t) => {
	const marks = createTimeMarks();
	t.is(marks.around({ first: 1, last: 2 }), null);
	t.is(marks.span(), null);
	marks.note(5, at(5));
	t.deepEqual(marks.around({ first: 7, last: 9 }), { from: at(5), to: at(5) });
});
