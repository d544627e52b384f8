import test from 'ava';

import { readingBytes } from '../../core/journal/reading-bytes.ts';
import { decodeBlock, encodeBlock } from '../../core/journal/block-codec.ts';
import { Fault } from '../../core/kernel/fault.ts';
import type { SampleValue } from '../../core/telemetry/reading.ts';
import { journalBench } from '../fake/journal-bench.ts';
import { readingOf, sequenceOf } from '../fake/sample-readings.ts';

const MIB = 1024 * 1024;
const textOf = (bytes: number) => 'a'.repeat(bytes);
const large = (firstSeq: number, bytes: number) => readingOf(firstSeq, { points: ['text'], values: [textOf(bytes)] });

test('whatever was acknowledged can be read again, however well it was compressed', async (t) => {
	const { timer, open } = journalBench();
	const journal = await open({ segmentBytes: 4 * MIB });
	const sequence = Array.from({ length: 40 }, (_, index) => index + 1);
	const appends = sequence.map((seq) => journal.append([large(seq, MIB)], 'group'));
	timer.advance(1_000);
	await Promise.all(appends);
	await journal.stop();
	const again = await open({ segmentBytes: 4 * MIB });
	t.deepEqual(await sequenceOf(again), sequence);
	t.deepEqual(again.stats().losses, []);
	await again.stop();
});

test('readings of one append that no single block can hold are stored in several commits', async (t) => {
	const { timer, open } = journalBench();
	const journal = await open({ segmentBytes: 4 * MIB });
	const sequence = Array.from({ length: 40 }, (_, index) => index + 1);
	const append = journal.append(
		sequence.map((seq) => large(seq, MIB)),
		'prompt',
	);
	timer.advance(20);
	await append;
	t.deepEqual(await sequenceOf(journal), sequence);
	await journal.stop();
});

test('the queue is bounded in bytes too', async (t) => {
	const { timer, open } = journalBench();
	const journal = await open({ segmentBytes: 4 * MIB, maxPendingBytes: 3 * MIB });
	const taken = [1, 2].map((seq) => journal.append([large(seq, MIB)], 'group'));
	await t.throwsAsync(journal.append([large(3, 2 * MIB)], 'group'), { instanceOf: Fault, message: /cannot keep up/ });
	timer.advance(1_000);
	await Promise.all(taken);
	await journal.stop();
});

test('no block is made that no reader would take', (t) => {
	const readings = Array.from({ length: 17 }, (_, index) => large(index + 1, MIB));
	t.throws(() => encodeBlock(readings), { instanceOf: Fault, message: /more than 16777216 bytes/ });
	t.is(decodeBlock(encodeBlock(readings.slice(0, 15))).length, 15);
});

test('the size of a reading is told without encoding it, and never much too small', (t) => {
	const values: readonly SampleValue[] = [1.5, null, true, 'äöü', 12n, { a: ['x', 1], b: textOf(1_000) }];
	for (const value of values) {
		const reading = readingOf(1, { points: ['p'], values: [value] });
		const plain = readingOf(1, { points: [], values: [] });
		const encoded = encodeBlock([reading]).length;
		t.true(readingBytes(reading) * 2 >= encoded - encodeBlock([plain]).length, typeof value);
	}
	t.true(readingBytes(large(1, MIB)) >= MIB);
	t.true(readingBytes(readingOf(1)) < 400);
});
