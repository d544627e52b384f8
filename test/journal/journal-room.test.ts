import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

import test from 'ava';

import { nodeFileLayer } from '../../core/journal/node-file-layer.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { everyEighth, journalBench, SEGMENT_BYTES } from '../fake/journal-bench.ts';
import { deviceOf, ORIGIN, readingOf, sequenceOf } from '../fake/sample-readings.ts';

/** Unit of `blocks`, and the step in which a file system hands out room. */
const BLOCK_BYTES = 512;
const PAGE_BYTES = 4096;

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
