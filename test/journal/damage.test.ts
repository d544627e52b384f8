import test from 'ava';

import { createRangeSet } from '../../core/ledger/range-set.ts';
import { everyEighth, FOLDER, journalBench, segmentPath } from '../fake/journal-bench.ts';
import type { PowerCutFiles } from '../fake/power-cut-files.ts';
import { sequenceOf, START_MS } from '../fake/sample-readings.ts';

test('damage costs what it hits, is said, and never keeps the journal from opening', async (t) => {
	const cases: readonly {
		readonly name: string;
		readonly damage: (files: PowerCutFiles) => Promise<void> | void;
		readonly reason: string | null;
		readonly kept: (seq: number, segmentOf: ReadonlyMap<number, number>) => boolean;
	}[] = [
		{
			name: 'a zeroed segment',
			damage: (files) => void files.content(segmentPath(2)).fill(0),
			reason: 'corrupt',
			kept: (seq, segmentOf) => segmentOf.get(seq) !== 2,
		},
		{
			name: 'garbage in place of a segment',
			damage: (files) => void files.content(segmentPath(2)).fill('garbage'),
			reason: 'corrupt',
			kept: (seq, segmentOf) => segmentOf.get(seq) !== 2,
		},
		{
			name: 'a missing segment',
			damage: (files) => files.remove(segmentPath(2)),
			reason: 'missing-segment',
			kept: (seq, segmentOf) => segmentOf.get(seq) !== 2,
		},
		{
			name: 'a garbled summary',
			damage: (files) => void files.content(segmentPath(2)).fill('garbage', 512, 4096),
			reason: null,
			kept: () => true,
		},
		{
			name: 'a lost first page',
			damage: (files) => void files.content(segmentPath(2)).fill(0, 0, 4096),
			reason: null,
			kept: () => true,
		},
		{
			name: 'a lost first sector',
			damage: (files) => void files.content(segmentPath(2)).fill(0, 0, 512),
			reason: null,
			kept: () => true,
		},
		{
			name: 'a flipped bit in the middle of a segment',
			damage: (files) => {
				const content = files.content(segmentPath(2));
				content[5584] = (content[5584] ?? 0) ^ 1;
			},
			reason: 'corrupt',
			kept: (seq) => seq !== -1,
		},
		{
			name: 'a missing epoch file',
			damage: (files) => files.remove(`${FOLDER}/epoch`),
			reason: null,
			kept: () => true,
		},
		{
			name: 'an epoch file of zeros',
			damage: (files) => void files.content(`${FOLDER}/epoch`).fill(0),
			reason: null,
			kept: () => true,
		},
		{
			name: 'a truncated segment',
			damage: async (files) => {
				const file = await files.open(segmentPath(2));
				await file.truncate(4_284);
			},
			reason: 'corrupt',
			kept: (seq, segmentOf) => segmentOf.get(seq) !== 2,
		},
	];
	for (const { name, damage, reason, kept } of cases) {
		const { files, timer, lost, open, fill } = journalBench();
		const journal = await open();
		await fill(journal, 120);
		const segmentOf = new Map<number, number>();
		for await (const { at, readings } of journal.read(journal.oldest())) {
			for (const { firstSeq } of readings) segmentOf.set(firstSeq, at.segment);
		}
		await journal.stop();
		await damage(files);
		// The clock alone must not be what makes the next epoch new.
		timer.clock.jumpTo(START_MS - 86_400_000);
		const reopened = await open();
		t.true(reopened.epoch > journal.epoch, name);
		const found = await sequenceOf(reopened);
		const expected = everyEighth(120).filter((seq) => kept(seq, segmentOf));
		if (name.startsWith('a flipped')) t.is(found.length, 119, name);
		else if (name.startsWith('a truncated')) t.true(found.length >= expected.length && found.length < 120, name);
		else t.deepEqual(found, expected, name);
		const reasons = reopened.stats().losses.map((loss) => loss.reason);
		t.deepEqual([...new Set(reasons)], reason === null ? [] : [reason], name);
		const missing = createRangeSet([{ first: 1, last: 960 }]);
		for (const seq of found) missing.remove(seq, seq + 7);
		const told = createRangeSet(lost.flatMap(({ ranges }) => ranges));
		t.deepEqual(told.ranges(), missing.ranges(), `${name}: who needs them is told which samples are lost`);
		const held = createRangeSet(reopened.held());
		t.true(
			missing.ranges().every(({ first, last }) => held.within(first, last).length === 0),
			name,
		);
		await fill(reopened, 1, 50_001);
		t.is((await sequenceOf(reopened)).at(-1), 50_001, name);
		await reopened.stop();
	}
});

test('a torn tail is cut and said once', async (t) => {
	const { files, open, fill } = journalBench();
	const journal = await open();
	await fill(journal, 5);
	const { offset } = journal.end();
	await fill(journal, 1, 41);
	files.content(segmentPath(1)).fill(0, offset + 60);
	const reopened = await open();
	t.deepEqual(
		reopened.stats().losses.map((loss) => loss.reason),
		['torn-tail'],
	);
	t.deepEqual(await sequenceOf(reopened), everyEighth(5));
	await fill(reopened, 1, 49);
	await reopened.stop();
	t.deepEqual((await open()).stats().losses, []);
});
