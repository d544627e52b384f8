import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

import test from 'ava';

import { nodeFileLayer } from '../../core/journal/node-file-layer.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { everyEighth, FOLDER, journalBench, SEGMENT_BYTES } from '../fake/journal-bench.ts';
import { deviceOf, ORIGIN, readingOf, sequenceOf } from '../fake/sample-readings.ts';

/** Unit of `blocks`, and the step in which a file system hands out room. */
const BLOCK_BYTES = 512;
const PAGE_BYTES = 4096;

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

test('the quota gives up the oldest segment and names exactly what is lost', async (t) => {
	const { open, fill, lost } = journalBench();
	const journal = await open({ maxBytes: 4 * SEGMENT_BYTES });
	await fill(journal, 30);
	journal.hold('uplink', journal.oldest());
	const positions = [];
	for await (const { next } of journal.read(journal.oldest())) positions.push(next);
	journal.hold('uplink', positions[4] ?? journal.end());
	await nextTurn();
	await fill(journal, 170, 241);
	t.true(journal.stats().bytes <= 4 * SEGMENT_BYTES);
	const kept = await sequenceOf(journal);
	const declared = lost.flatMap(({ ranges }) => ranges);
	t.true(lost.length > 0 && lost.every(({ loss }) => loss.reason === 'quota'));
	const first = Math.min(...kept);
	t.is(declared[0]?.first, 41);
	t.is(declared.at(-1)?.last, first - 1);
	t.true(declared.every((range, index) => index === 0 || range.first === (declared[index - 1]?.last ?? 0) + 1));
	t.like(declared[0], { origin: ORIGIN, epoch: journal.epoch });
	t.is(
		lost.reduce((sum, { loss }) => sum + (loss.samples ?? 0), 0),
		first - 41,
	);
	await journal.stop();
});

test('case 18: what the quota gives up is gone from the disk', async (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-quota-'));
	t.teardown(() => rmSync(folder, { recursive: true, force: true }));
	/** What the file system counts, not what the journal says. */
	const onDisk = () =>
		readdirSync(folder)
			.map((name) => statSync(join(folder, name)))
			.reduce((sum, { size, blocks }) => sum + Math.max(size, blocks * BLOCK_BYTES), 0);
	const { open, fill } = journalBench();
	const journal = await open({ files: nodeFileLayer, folder, maxBytes: 4 * SEGMENT_BYTES });
	journal.hold('uplink', journal.oldest());
	await fill(journal, 200);
	const names = readdirSync(folder);
	t.true(names.length >= 3 && !names.includes('00000001.segment'), names.join(' '));
	t.true(onDisk() <= 4 * SEGMENT_BYTES + names.length * PAGE_BYTES, `${onDisk()} bytes`);
	await journal.stop();
});

test('the free-space floor costs the oldest segments that somebody else has on disk, and nothing is lost by it', async (t) => {
	const { files, open, fill, lost } = journalBench();
	const journal = await open({ minFreeBytes: 100_000, holders: ['uplink'] });
	journal.onNeed(async () => true);
	await fill(journal, 120);
	const before = journal.stats().segments;
	files.setFreeBytes(100_000);
	await fill(journal, 60, 961);
	t.true(journal.stats().segments <= before);
	t.deepEqual(lost, []);
	t.deepEqual((await sequenceOf(journal)).slice(-60), everyEighth(60, 961));
	await journal.stop();
});

test('below the floor nothing goes that only the journal has: appends are refused, until it is elsewhere or there is room', async (t) => {
	for (const remedy of ['elsewhere', 'room'] as const) {
		const { files, open, fill, lost } = journalBench();
		const journal = await open({ minFreeBytes: 100_000, holders: ['sealer', 'uplink'] });
		let isElsewhere = false;
		journal.onNeed(async () => isElsewhere);
		await fill(journal, 120);
		files.setFreeBytes(50_000);
		let taken = 120;
		await t.throwsAsync(
			async () => {
				for (; taken < 500; taken += 1) await fill(journal, 1, 1 + taken * 8);
			},
			{ instanceOf: Fault, message: /no room/ },
		);
		t.deepEqual(await sequenceOf(journal), everyEighth(taken));
		t.deepEqual(lost, []);
		if (remedy === 'room') files.setFreeBytes(Number.MAX_SAFE_INTEGER);
		else {
			isElsewhere = true;
			journal.hold('sealer', journal.end());
			await nextTurn();
		}
		if (remedy === 'room') {
			await fill(journal, 1, 1 + taken * 8);
			t.deepEqual(await sequenceOf(journal), everyEighth(taken + 1));
		} else {
			files.setFreeBytes(100_000);
			await fill(journal, 1, 1 + taken * 8);
			t.is((await sequenceOf(journal)).at(-1), 1 + taken * 8);
		}
		t.deepEqual(lost, []);
		await journal.stop();
	}
});

test('a full disk rejects appends, and the journal recovers by itself', async (t) => {
	for (const code of ['ENOSPC', 'EIO'] as const) {
		const { files, timer, open, fill } = journalBench();
		const journal = await open();
		await fill(journal, 5);
		files.fail(code);
		const refused = journal.append([readingOf(41, { device: deviceOf(2) })], 'prompt');
		timer.advance(20);
		await t.throwsAsync(refused, { instanceOf: Fault, message: new RegExp(code) });
		t.regex(journal.stats().writeError ?? '', new RegExp(code));
		t.like(journal.stats().losses.at(-1), { reason: 'disk-full', samples: 8 });
		t.deepEqual(await sequenceOf(journal), everyEighth(5));
		files.fail(null);
		const again = journal.append([readingOf(49, { device: deviceOf(2), epoch: journal.epoch })], 'prompt');
		timer.advance(20);
		await again;
		t.is(journal.stats().writeError, null);
		t.deepEqual(await sequenceOf(journal), [...everyEighth(5), 49]);
		files.cut(() => 0.99);
		t.deepEqual(await sequenceOf(await open()), [...everyEighth(5), 49]);
	}
});

test('a journal opens on a full disk, with an epoch that was never used', async (t) => {
	const { files, timer, open, fill } = journalBench();
	const first = await open();
	await fill(first, 1);
	await first.stop();
	files.fail('ENOSPC');
	timer.clock.advance(60_000);
	const second = await open();
	t.true(second.epoch > first.epoch);
	t.not(second.stats().writeError, null);
	files.fail(null);
	await fill(second, 1, 9);
	t.deepEqual(await sequenceOf(second), [1, 9]);
	await second.stop();
	t.true((await open()).epoch > second.epoch);
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

test('a journal that gives up nothing that is held refuses what it has no room for, and takes it later', async (t) => {
	const { lost, open, fill } = journalBench();
	const journal = await open({ givesUpHeld: false, holders: ['sealer'], maxBytes: 3 * SEGMENT_BYTES });
	let taken = 0;
	await t.throwsAsync(
		async () => {
			for (; taken < 500; taken += 1) await fill(journal, 1, 1 + taken * 8);
		},
		{ instanceOf: Fault, message: /no room/ },
	);
	t.true(taken > 50);
	t.deepEqual(await sequenceOf(journal), everyEighth(taken));
	t.deepEqual(lost, []);
	journal.hold('sealer', journal.end());
	await fill(journal, 1, 1 + taken * 8);
	t.is((await sequenceOf(journal)).at(-1), 1 + taken * 8);
	await journal.stop();
});
