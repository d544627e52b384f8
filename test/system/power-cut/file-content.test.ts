import test from 'ava';
import fc from 'fast-check';

import { createRandom } from '../kit/random.ts';
import { type Change, createFileContent } from './file-content.ts';

const write = (position: number, text: string): Change => ({ position, bytes: Buffer.from(text) });

const anyChange: fc.Arbitrary<Change> = fc.oneof(
	fc
		.record({ position: fc.nat(3_000), bytes: fc.uint8Array({ minLength: 1, maxLength: 1_500 }) })
		.map(({ position, bytes }): Change => ({ position, bytes: Buffer.from(bytes) })),
	fc.record({ length: fc.nat(3_000) }),
);

test('what is flushed stays, and without a flush everything or nothing may stay', (t) => {
	const file = createFileContent();
	file.change(write(0, 'kept'));
	file.flushed(file.changes());
	file.change(write(4, ' and perhaps'));
	const found = new Set(Array.from({ length: 60 }, (_, seed) => file.cut(createRandom(seed)).toString()));
	t.true(found.has('kept') && found.has('kept and perhaps'), [...found].join(' | '));
	for (const text of found) t.true(text.startsWith('kept'));
});

test('a flush covers what was there when it began', (t) => {
	const file = createFileContent();
	file.change(write(0, 'before'));
	const covered = file.changes();
	file.change(write(0, 'behind'));
	file.flushed(covered);
	const found = new Set(Array.from({ length: 60 }, (_, seed) => file.cut(createRandom(seed)).toString()));
	t.deepEqual([...found].toSorted(), ['before', 'behind']);
});

test('a later write may reach the medium without an earlier one, and a long one in part', (t) => {
	const file = createFileContent();
	file.change({ length: 2_048 });
	file.flushed(file.changes());
	file.change({ position: 0, bytes: Buffer.alloc(1_024, 1) });
	file.change({ position: 1_024, bytes: Buffer.alloc(1_024, 2) });
	const sectors = new Set(
		Array.from({ length: 200 }, (_, seed) => {
			const bytes = file.cut(createRandom(seed));
			return [0, 512, 1_024, 1_536].map((at) => bytes[at]).join('');
		}),
	);
	t.true(sectors.has('0022'), 'the second alone');
	t.true(sectors.has('1000'), 'half of the first');
});

test('everything that was flushed is what a cut leaves, and what the process sees', (t) => {
	fc.assert(
		fc.property(fc.array(anyChange, { maxLength: 12 }), fc.nat(), (changes, seed) => {
			const file = createFileContent();
			for (const change of changes) file.change(change);
			const seen = file.cached();
			file.flushed(file.changes());
			return file.cut(createRandom(seed)).equals(seen) && file.cached().equals(seen);
		}),
	);
	t.pass();
});
