import { setImmediate as nextTurn } from 'node:timers/promises';

import test from 'ava';

import { Fault } from '../../core/kernel/fault.ts';
import { everyEighth, FOLDER, journalBench, SEGMENT_BYTES } from '../fake/journal-bench.ts';
import { readingOf, sequenceOf } from '../fake/sample-readings.ts';

test('many appends share one commit and one sync', async (t) => {
	const { files, timer, open } = journalBench();
	const journal = await open();
	const before = files.syncs();
	const appends = everyEighth(50).map((seq) => journal.append([readingOf(seq)], 'group'));
	t.is(journal.stats().pendingSamples, 400);
	timer.advance(999);
	t.is(files.syncs(), before);
	timer.advance(1);
	await Promise.all(appends);
	t.is(files.syncs(), before + 1);
	t.like(journal.stats(), { commits: 1, syncs: 1, committedSamples: 400, pendingSamples: 0 });
	t.deepEqual(await sequenceOf(journal), everyEighth(50));
	await journal.stop();
});

test('a prompt append shrinks the window for the group it joins', async (t) => {
	const { timer, open } = journalBench();
	const journal = await open();
	const patient = journal.append([readingOf(1)], 'group');
	const prompt = journal.append([readingOf(9)], 'prompt');
	timer.advance(20);
	await Promise.all([patient, prompt]);
	t.is(journal.stats().commits, 1);
	await journal.stop();
});

test('a large group is committed without waiting', async (t) => {
	const { open } = journalBench();
	const journal = await open({ flushBytes: 1000 });
	await Promise.all(everyEighth(40).map((seq) => journal.append([readingOf(seq)], 'group')));
	t.true(journal.stats().commits >= 1);
	await journal.stop();
});

test('prompt appends that wait in numbers are committed without waiting for their time', async (t) => {
	const { open } = journalBench();
	const journal = await open();
	await Promise.all(everyEighth(256).map((seq) => journal.append([readingOf(seq)], 'prompt')));
	t.is(journal.stats().committedSamples, 2048);
	const few = journal.append([readingOf(2049)], 'prompt');
	await nextTurn();
	t.is(journal.stats().pendingSamples, 8);
	await Promise.all([few, journal.stop()]);
});

test('commits keep the distance that protects the card', async (t) => {
	const { timer, open } = journalBench();
	const journal = await open({ minFlushGapMs: 200 });
	const first = journal.append([readingOf(1)], 'prompt');
	timer.advance(20);
	await first;
	const second = journal.append([readingOf(9)], 'prompt');
	timer.advance(199);
	t.is(journal.stats().pendingSamples, 8);
	timer.advance(1);
	await second;
	await journal.stop();
});

test('the next group gathers while one is being written', async (t) => {
	const { timer, open } = journalBench();
	const journal = await open();
	const first = journal.append([readingOf(1)], 'prompt');
	timer.advance(20);
	const others = everyEighth(5, 9).map((seq) => journal.append([readingOf(seq)], 'prompt'));
	await first;
	await nextTurn();
	timer.advance(20);
	await Promise.all(others);
	t.is(journal.stats().commits, 2);
	await journal.stop();
});

test('the queue is bounded and says so', async (t) => {
	const { timer, open } = journalBench();
	const journal = await open({ maxPendingSamples: 16 });
	const taken = [journal.append([readingOf(1)], 'group'), journal.append([readingOf(9)], 'group')];
	const error = await t.throwsAsync(journal.append([readingOf(17)], 'group'), { instanceOf: Fault });
	t.regex(error?.message ?? '', /16 samples wait, 16 may/);
	timer.advance(1000);
	await Promise.all(taken);
	await journal.stop();
});

test('a reading that cannot be stored costs only its own append', async (t) => {
	const { timer, open } = journalBench();
	const journal = await open();
	const good = [journal.append([readingOf(1)], 'group'), journal.append([readingOf(17)], 'group')];
	const bad = journal.append([readingOf(9, { values: [] })], 'group');
	const noise = Array.from({ length: 6000 }, (_, index) => Math.sin(index) ** 2);
	const points = noise.map((_, index) => `p${index}`);
	const huge = journal.append([readingOf(9, { values: noise, points })], 'group');
	timer.advance(1000);
	await Promise.all(good);
	await t.throwsAsync(bad, { instanceOf: Fault, message: /8 points have 0 values/ });
	await t.throwsAsync(huge, { instanceOf: Fault, message: /fits no segment/ });
	t.deepEqual(await sequenceOf(journal), [1, 17]);
	await journal.stop();
});

test('stop writes what waits, and takes no more', async (t) => {
	const { open } = journalBench();
	const journal = await open();
	const waiting = journal.append([readingOf(1)], 'group');
	await journal.stop();
	await waiting;
	await journal.stop();
	await t.throwsAsync(journal.append([readingOf(9)], 'group'), { instanceOf: Fault, message: /closed/ });
	t.deepEqual(await sequenceOf(await open()), [1]);
});

test('reading goes on from any position, across segments', async (t) => {
	const { open, fill } = journalBench();
	const journal = await open();
	await fill(journal, 120);
	t.true(journal.stats().segments > 2);
	const positions = [];
	for await (const commit of journal.read(journal.oldest())) positions.push(commit.next);
	for (const [index, position] of positions.entries()) {
		t.deepEqual(await sequenceOf(journal, position), everyEighth(119 - index, 9 + index * 8));
	}
	t.deepEqual(positions.at(-1), journal.end());
	await journal.stop();
	const reopened = await open();
	t.deepEqual(await sequenceOf(reopened), everyEighth(120));
	t.deepEqual(await sequenceOf(reopened, positions[59]), everyEighth(60, 481));
	await reopened.stop();
});

test('segments before all holds are recycled, the others stay', async (t) => {
	const { files, open, fill } = journalBench();
	const journal = await open();
	await fill(journal, 60);
	const middle = { segment: 2, offset: 0 };
	journal.hold('sealer', journal.end());
	journal.hold('uplink', middle);
	await nextTurn();
	t.is(journal.oldest().segment, 2);
	const kept = await sequenceOf(journal);
	t.deepEqual(await sequenceOf(journal, { segment: 1, offset: 4_184 }), kept);
	journal.hold('uplink', journal.end());
	await nextTurn();
	t.is(journal.stats().segments, 1);
	t.is(files.names().filter((name) => name.startsWith('spare')).length, 1);
	await fill(journal, 60, 481);
	t.deepEqual((await sequenceOf(journal)).slice(-60), everyEighth(60, 481));
	t.deepEqual(journal.stats().losses, []);
	await journal.stop();
});

test('a reader that is overtaken by recycling goes on at the oldest commit', async (t) => {
	const { open, fill } = journalBench();
	const journal = await open();
	await fill(journal, 120);
	const seen: number[] = [];
	for await (const { readings } of journal.read(journal.oldest())) {
		seen.push(...readings.map((reading) => reading.firstSeq));
		if (seen.length !== 3) continue;
		journal.hold('uplink', journal.end());
		await nextTurn();
		await fill(journal, 60, 961);
	}
	const last = await sequenceOf(journal);
	t.deepEqual(seen.slice(0, 3), [1, 9, 17]);
	t.deepEqual(seen.slice(-last.length), last);
	t.deepEqual(seen, [...new Set(seen)]);
	t.deepEqual(journal.stats().losses, []);
	await journal.stop();
});

test('what a recycled file held before is never taken for commits', async (t) => {
	const { files, open, fill } = journalBench();
	const journal = await open();
	await fill(journal, 80);
	journal.hold('sealer', journal.end());
	await nextTurn();
	await fill(journal, 1, 9_001);
	await journal.closeSegment();
	await fill(journal, 1, 10_001);
	files.cut(() => 0.99);
	const found = await sequenceOf(await open());
	t.deepEqual(found.slice(-2), [9_001, 10_001]);
	t.true(found.every((seq, index) => index === 0 || seq > (found[index - 1] ?? 0)));
});

test('epochs ascend with each start, and start from the clock when everything is lost', async (t) => {
	const { files, timer, open, fill } = journalBench();
	const first = await open();
	await fill(first, 1);
	await first.stop();
	const second = await open();
	t.is(second.epoch, first.epoch + 1);
	await second.stop();
	for (const name of files.names()) await files.remove(`${FOLDER}/${name}`);
	timer.clock.advance(60_000);
	const third = await open();
	t.is(third.epoch, Math.floor(timer.clock.now() / 1000));
	t.true(third.epoch > second.epoch);
});

test('a folder that is put back to an older copy hands out no epoch a second time', async (t) => {
	const { files, timer, open, fill } = journalBench();
	const first = await open();
	await fill(first, 1);
	await first.stop();
	const copy = await files.readText(`${FOLDER}/epoch`);
	timer.clock.advance(60_000);
	const second = await open();
	await second.stop();
	await files.writeText(`${FOLDER}/epoch`, copy ?? '');
	timer.clock.advance(60_000);
	const third = await open();
	t.true(third.epoch > second.epoch);
});

test('starts without a commit leave no segments behind', async (t) => {
	const { files, open } = journalBench();
	for (let start = 0; start < 5; start += 1) {
		await open();
		files.cut(() => 0.99);
	}
	t.is(files.names().filter((name) => name.endsWith('.segment')).length, 1);
});

test('segments that are held for long give their unused part back; in normal running files only change hands', async (t) => {
	const { files, open, fill } = journalBench();
	const journal = await open({ segmentBytes: 4 * SEGMENT_BYTES });
	for (let round = 0; round < 6; round += 1) {
		await fill(journal, 1, 1 + round * 8);
		await journal.closeSegment();
	}
	t.is(journal.stats().segments, 6);
	t.true(journal.stats().bytes < 16 * SEGMENT_BYTES);
	t.deepEqual(await sequenceOf(journal), everyEighth(6));
	journal.hold('uplink', journal.end());
	await nextTurn();
	for (let round = 6; round < 30; round += 1) {
		await fill(journal, 1, 1 + round * 8);
		await journal.closeSegment();
		journal.hold('uplink', journal.end());
		await nextTurn();
		t.true(files.names().length <= 3);
	}
	t.true(journal.stats().bytes <= 8 * SEGMENT_BYTES);
	await journal.stop();
});
