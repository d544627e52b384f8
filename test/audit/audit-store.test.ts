import test from 'ava';
import fc from 'fast-check';

import { HIDDEN } from '../../core/audit/audit-redaction.ts';
import { deferred } from '../fake/deferred.ts';
import { actionsOf, auditBox, eventOf, FOLDER } from './audit-box.ts';

test('an entry is on the disk when record resolves, and is read back as it was', async (t) => {
	const box = auditBox(t);
	const store = await box.open();
	const event = eventOf('updateDevice', {
		target: 'dd',
		before: { name: 'a', tags: ['x', { deep: [1n] }] },
		after: { name: 'b' },
		requestId: 'r',
	});
	await store.record(event);
	box.files.cut(() => 0);
	const { entries, before } = await (await box.open()).page(null, 10, () => true);
	t.is(before, null);
	const [entry] = entries;
	t.like(entry, { ...event, before: { name: 'a', tags: ['x', { deep: ['1'] }] }, count: 1, seq: 1, prev: '' });
	t.is(entry?.at, box.clock.now());
});

test('records of one moment share a sync', async (t) => {
	const box = auditBox(t);
	const store = await box.open();
	await store.record(eventOf('first'));
	const before = box.files.syncs();
	await Promise.all(Array.from({ length: 80 }, (_, index) => store.record(eventOf(`n${index}`))));
	t.is(box.files.syncs() - before, 1);
	t.is((await actionsOf(store)).length, 81);
	t.true((await store.verify()).isIntact);
});

test('whatever a power cut does, what was recorded is kept, the chain holds, and writing goes on', async (t) => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.nat(3), { maxLength: 6 }),
			fc.infiniteStream(fc.double({ min: 0, max: 0.999 })),
			async (rounds, numbers) => {
				const box = auditBox(t);
				const random = (): number => Number(numbers.next().value);
				const kept: string[] = [];
				for (const [round, extra] of rounds.entries()) {
					const store = await box.open({ segmentBytes: 900 });
					const action = `round-${round}`;
					await store.record(eventOf(action));
					kept.push(action);
					// On their way when the power goes.
					const open = Array.from({ length: extra }, () => store.record(eventOf('open')));
					await Promise.resolve();
					box.files.cut(random);
					box.advance(60_000);
					await Promise.all(open);
					await store.stop();
				}
				const store = await box.open();
				const actions = await actionsOf(store);
				t.deepEqual(
					actions.filter((action) => action !== 'open' && action !== 'audit-lost'),
					kept,
				);
				t.deepEqual((await store.verify()).breaks, []);
				await store.stop();
			},
		),
		{ numRuns: 60 },
	);
});

test('half a line at the end is cut off at the start, and the log says so', async (t) => {
	const box = auditBox(t);
	const store = await box.open();
	await store.record(eventOf('whole'));
	await store.stop();
	const [name = ''] = box.files.names();
	const file = await box.files.open(`${FOLDER}/${name}`);
	await file.write(box.files.content(`${FOLDER}/${name}`).length, Buffer.from('{"seq":2,"prev":'));
	const again = await box.open();
	t.like(
		box.logged.find(({ event }) => event === 'audit-torn-line'),
		{ fields: { bytes: 16 } },
	);
	await again.record(eventOf('next'));
	t.deepEqual(await actionsOf(again), ['whole', 'next']);
	t.true((await again.verify()).isIntact);
});

test('a line that was changed, removed or put in is found, and does not keep the box from starting', async (t) => {
	const changes: Readonly<Record<string, (lines: string[]) => string[]>> = {
		changed: (lines) => lines.map((line) => line.replace('"two"', '"owt"')),
		removed: (lines) => lines.filter((line) => !line.includes('"two"')),
		'put in': (lines) => lines.flatMap((line) => (line.includes('"two"') ? [line, line] : [line])),
		'no entry': (lines) => lines.map((line) => (line.includes('"two"') ? 'x'.repeat(line.length) : line)),
		'beginning removed': (lines) => lines.slice(1),
	};
	for (const [what, change] of Object.entries(changes)) {
		const box = auditBox(t);
		const store = await box.open();
		for (const action of ['one', 'two', 'three']) await store.record(eventOf(action));
		t.true((await store.verify()).isIntact);
		await store.stop();
		const path = `${FOLDER}/${box.files.names()[0]}`;
		const lines = box.files.content(path).toString().split('\n');
		await box.files.writeText(path, change(lines).join('\n'));
		const again = await box.open();
		await again.record(eventOf('four'));
		const report = await again.verify();
		t.false(report.isIntact, what);
		t.is(report.breaks.length, 1, what);
		t.true(
			box.logged.some(({ event }) => event === 'audit-chain-broken'),
			what,
		);
	}
});

test('lines that are cut from the end while the box runs are found', async (t) => {
	const box = auditBox(t);
	const store = await box.open();
	await store.record(eventOf('one'));
	await store.record(eventOf('two'));
	const path = `${FOLDER}/${box.files.names()[0]}`;
	await box.files.writeText(path, `${box.files.content(path).toString().split('\n')[0]}\n`);
	t.regex((await store.verify()).breaks[0]?.rule ?? '', /newest/);
});

test('the log goes on in a new file when one is full, and the quota removes the oldest file whole and says so', async (t) => {
	const box = auditBox(t);
	const limits = { segmentBytes: 2_000, maxBytes: 8_000 };
	const store = await box.open(limits);
	for (let index = 0; index < 60; index += 1) await store.record(eventOf(`n${index}`));
	t.true(store.stats().bytes <= limits.maxBytes);
	t.true(box.files.names().length <= 5);
	const actions = await actionsOf(store);
	t.is(
		actions.findLast((action) => action !== 'audit-quota'),
		'n59',
	);
	t.true(actions.includes('audit-quota'));
	t.deepEqual((await store.verify()).breaks, []);
	await store.stop();
	const again = await box.open(limits);
	t.deepEqual((await again.verify()).breaks, []);
	await again.stop();
	// The same by hand is no quota.
	await box.files.remove(`${FOLDER}/${box.files.names()[0]}`);
	const robbed = await box.open(limits);
	t.regex((await robbed.verify()).breaks[0]?.rule ?? '', /no quota/);
});

test('while the disk takes nothing the caller goes on, entries wait, and what finds no place is counted and told', async (t) => {
	const box = auditBox(t);
	const store = await box.open();
	await store.record(eventOf('before'));
	box.files.fail('ENOSPC', ['write']);
	for (let index = 0; index < 1_200; index += 1) await store.record(eventOf(`n${index}`));
	t.is(store.stats().queued, 1_000);
	t.is(store.stats().lost, 200);
	t.regex(store.stats().writeError ?? '', /ENOSPC/);
	t.is(box.logged.filter(({ event }) => event === 'audit-write-failed').length, 1);
	box.files.fail(null);
	box.advance(5_000);
	await store.stop();
	const actions = await actionsOf(store);
	t.deepEqual(actions.slice(0, 3), ['before', 'audit-lost', 'n0']);
	t.is(actions.length, 1_002);
	t.is(store.stats().writeError, null);
	t.true((await store.verify()).isIntact);
});

test('half a batch that was written before the disk was full is not there twice', async (t) => {
	const box = auditBox(t);
	const store = await box.open();
	await store.record(eventOf('one'));
	box.files.fail('EIO', ['datasync']);
	await store.record(eventOf('two'));
	box.files.fail(null);
	box.advance(5_000);
	await store.record(eventOf('three'));
	t.deepEqual(await actionsOf(store), ['one', 'two', 'three']);
	t.true((await store.verify()).isIntact);
});

test('a disk that hangs keeps no answer back for ever', async (t) => {
	const box = auditBox(t);
	const store = await box.open();
	const disk = deferred<void>();
	Object.assign(box.files, { syncFolder: () => disk.promise });
	const recorded = store.record(eventOf('slow'));
	await Promise.resolve();
	box.advance(5_000);
	await recorded;
	t.true(box.logged.some(({ event }) => event === 'audit-slow'));
	disk.resolve();
});

test('what looks like a secret by its name is not kept, and a huge record is named by its size', async (t) => {
	const box = auditBox(t);
	const store = await box.open();
	await store.record(
		eventOf('x', {
			before: {
				password: 'hunter2',
				passwordHash: 'h',
				apiKey: 'k',
				claim_code: 'c',
				keyboard: 'qwerty',
				decode: 'd',
				mqtt: [{ token: 't' }],
			},
			after: { text: 'y'.repeat(40_000) },
			reason: 'z'.repeat(5_000),
		}),
	);
	const [entry] = (await store.page(null, 1, () => true)).entries;
	t.deepEqual(entry?.before, {
		password: HIDDEN,
		passwordHash: HIDDEN,
		apiKey: HIDDEN,
		claim_code: HIDDEN,
		keyboard: 'qwerty',
		decode: 'd',
		mqtt: [{ token: HIDDEN }],
	});
	t.deepEqual(entry?.after, { left_out: '40011 bytes' });
	t.is(entry?.reason?.length, 500);
});

test('a refusal is written at once, equal ones of the next minute as one entry with their count', async (t) => {
	const box = auditBox(t);
	const store = await box.open();
	const refused = eventOf('login', { outcome: 'refused', reason: 'INVALID_CREDENTIALS: wrong', actor: null });
	for (let index = 0; index < 1_000; index += 1) store.refused({ ...refused, requestId: String(index) });
	store.refused({ ...refused, from: '192.0.2.2' });
	await store.record(eventOf('mark'));
	t.deepEqual(await actionsOf(store), ['login', 'login', 'mark']);
	box.advance(60_000);
	await store.record(eventOf('mark'));
	const counts = (await store.page(null, 10, ({ action }) => action === 'login')).entries.map(({ count }) => count);
	t.deepEqual(counts.toReversed(), [1, 1, 999]);
	box.advance(60_000);
	box.advance(60_000);
	store.refused(refused);
	await store.record(eventOf('mark'));
	t.is((await store.page(null, 10, ({ action }) => action === 'login')).entries.length, 4);
});

test('a flood of refusals from everywhere costs few entries, and none of it is unsaid', async (t) => {
	const box = auditBox(t);
	const store = await box.open();
	for (let minute = 0; minute < 5; minute += 1) {
		for (let index = 0; index < 2_000; index += 1)
			store.refused(
				eventOf('x', { outcome: 'refused', from: `2001:db8::${index}:${minute}`, reason: 'NOT_AUTHENTICATED' }),
			);
		box.advance(60_000);
	}
	await store.record(eventOf('mark'));
	const { entries } = await store.page(null, 1_000, ({ outcome }) => outcome === 'refused');
	t.true(entries.length < 150, String(entries.length));
	t.is(
		entries.reduce((sum, { count }) => sum + count, 0),
		10_000,
	);
});

test('pages go back to the first line, each entry once, whatever is written meanwhile', async (t) => {
	const box = auditBox(t);
	const store = await box.open({ segmentBytes: 1_500 });
	for (let index = 0; index < 100; index += 1) await store.record(eventOf(index % 3 === 0 ? 'third' : 'other'));
	const found: number[] = [];
	let before: number | null = null;
	do {
		const page = await store.page(before, 7, ({ action }) => action === 'third');
		found.push(...page.entries.map(({ seq }) => seq));
		({ before } = page);
		await store.record(eventOf('third'));
	} while (before !== null);
	t.deepEqual(
		found,
		Array.from({ length: 34 }, (_, index) => 100 - index * 3),
	);
	const exported: number[] = [];
	for await (const part of store.all(50, ({ action }) => action === 'other'))
		exported.push(...part.map(({ seq }) => seq));
	t.is(exported.length, 50);
	t.is(exported[0], 2);
});
