import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import type { Command } from '../../core/command/command.ts';
import { type CommandDocument, createCommandStore } from '../../core/command/command-store.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { deviceId, DEFAULT_TENANT } from '../../core/kernel/id.ts';
import { openFeedIdentity } from '../../core/sync/record-feed.ts';
import { openDocumentSet } from '../../core/storage/document-set.ts';
import { writeFileDurably } from '../../core/storage/json-file.ts';
import { type DocumentDatabase, openDatabase } from '../../core/storage/pouch.ts';
import { type Logger, silentLog } from '../../core/kernel/log.ts';
import { ensureSound } from '../../core/storage/ensure-sound.ts';
import { createReserve } from '../../core/storage/reserve.ts';
import { createManualClock } from '../fake/manual-clock.ts';
import { fillDisk, mountSmallDisk } from '../fake/small-disk.ts';

const record = (id: string) => ({ id, text: 'x'.repeat(700) });

test('what is confirmed after a disk was full is there after a power cut, and what was refused says so', async (t) => {
	const disk = mountSmallDisk(t, 4);
	if (disk === null) {
		t.pass();
		return;
	}
	const documents = openDocumentSet<{ id: string; text: string }>(join(disk, 'records'), 'record');
	const confirmed: string[] = [];
	const put = async (id: string): Promise<void> => {
		await documents.write([record(id)]);
		confirmed.push(id);
	};
	for (let count = 0; count < 20; count += 1) await put(`before-${count}`);
	const free = await fillDisk(disk);
	let refused = 0;
	for (let count = 0; count < 20; count += 1)
		await put(`during-${count}`).catch((error: unknown) => {
			refused += 1;
			t.like(error, { name: 'Fault', reason: 'unavailable' });
		});
	t.true(refused > 10, 'the disk was full');
	t.true((await documents.all()).length >= 20, 'reading goes on');
	free();
	for (let count = 0; count < 20; count += 1) await put(`after-${count}`);
	await documents.write([record('before-0')], ['before-1']);

	// As it is on the disk at this moment, which is all that a power cut leaves.
	const copy = join(disk, 'copy');
	cpSync(join(disk, 'records'), copy, { recursive: true });
	const again = openDocumentSet<{ id: string; text: string }>(copy, 'record');
	const ids = new Set((await again.all()).map(({ id }) => id));
	t.deepEqual(
		confirmed.filter((id) => !ids.has(id)),
		['before-1'],
	);
	await again.stop();
	await documents.stop();
	t.deepEqual(
		readdirSync(disk).filter((name) => name.includes('probe')),
		[],
	);
});

test('a database that is closed stays closed, whatever was written to it before', async (t) => {
	const disk = mountSmallDisk(t, 4);
	if (disk === null) {
		t.pass();
		return;
	}
	const documents = openDocumentSet<{ id: string; text: string }>(join(disk, 'records'), 'record');
	await documents.write([record('one')]);
	const free = await fillDisk(disk);
	for (let count = 0; count < 20; count += 1) await documents.write([record(`full-${count}`)]).catch(() => undefined);
	free();
	await documents.stop();
	await t.throwsAsync(documents.write([record('late')]));
	const again = openDocumentSet<{ id: string; text: string }>(join(disk, 'records'), 'record');
	t.false((await again.all()).some(({ id }) => id === 'late'));
	await again.stop();
});

test('files that do not fit leave nothing behind', async (t) => {
	const disk = mountSmallDisk(t, 4);
	if (disk === null) {
		t.pass();
		return;
	}
	const free = await fillDisk(disk);
	for (let count = 0; count < 5; count += 1)
		await t.throwsAsync(writeFileDurably(join(disk, 'settings.json'), 'x'.repeat(10_000)), { code: 'ENOSPC' });
	t.deepEqual(readdirSync(disk), ['filler']);
	free();
	await writeFileDurably(join(disk, 'settings.json'), '{}');
	t.deepEqual(readdirSync(disk), ['settings.json']);
});

const command = (id: string, attempts = 0): Command => ({
	id,
	device: deviceId('aa000000-0000-4000-8000-000000000001'),
	tenantId: DEFAULT_TENANT,
	name: 'restart',
	payload: {},
	status: 'pending',
	actor: { userId: null, email: 'ada@example.com' },
	origin: 'local',
	createdAt: epochMs(1_000),
	expiresAt: epochMs(61_000),
	acceptedAt: null,
	sentAt: null,
	executedAt: null,
	error: null,
	result: null,
	attempts,
});

/** Writes and then fails, as a disk does whose flush fails. */
function failingAfterwards<T extends object>(
	database: DocumentDatabase<T>,
	isFailing: () => boolean,
): DocumentDatabase<T> {
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one method that is changed hands on to the other
	const bulkDocs = (async (documents: Parameters<DocumentDatabase<T>['bulkDocs']>[0]) => {
		const results = await database.bulkDocs(documents);
		if (isFailing()) throw new Error('the flush failed');
		return results;
	}) as DocumentDatabase<T>['bulkDocs'];
	return { ...database, bulkDocs };
}

test('a command whose write failed although it was carried out can be changed all the same', async (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-commands-'));
	t.teardown(() => rmSync(folder, { recursive: true, force: true }));
	const database = openDatabase<never>(join(folder, 'commands'));
	const identity = await openFeedIdentity(database, silentLog);
	let isFailing = false;
	const store = await createCommandStore(
		failingAfterwards<CommandDocument>(database, () => isFailing),
		createManualClock(),
		identity,
	);
	await store.put([command('a')]);
	isFailing = true;
	await t.throwsAsync(store.put([command('a', 1)]));
	await t.throwsAsync(store.put([command('b')]));
	t.is(store.find('a')?.attempts, 0, 'memory follows the disk');
	isFailing = false;
	await store.put([command('a', 2)]);
	await store.put([command('c')]);
	t.is(store.find('a')?.attempts, 2);
	const again = await createCommandStore(database, createManualClock(), identity);
	t.deepEqual([again.find('a')?.attempts, again.find('b'), again.find('c')?.id], [2, null, 'c']);
	await database.close();
});

test('a sound database on a full disk is not taken for a damaged one', async (t) => {
	const disk = mountSmallDisk(t, 4);
	if (disk === null) {
		t.pass();
		return;
	}
	const folder = join(disk, 'records');
	const documents = openDocumentSet<{ id: string; text: string }>(folder, 'record');
	await documents.write([record('one')]);
	await documents.stop();
	const said: string[] = [];
	const free = await fillDisk(disk);
	await ensureSound(folder, { ...silentLog, error: (event) => void said.push(event) });
	t.deepEqual(said, []);
	free();
	const again = openDocumentSet<{ id: string; text: string }>(folder, 'record');
	t.deepEqual(
		(await again.all()).map(({ id }) => id),
		['one'],
	);
	await again.stop();
});

test('the reserve is made while there is room, given up when there is none, and made again', async (t) => {
	const disk = mountSmallDisk(t, 4);
	if (disk === null) {
		t.pass();
		return;
	}
	const said: string[] = [];
	const log: Logger = {
		...silentLog,
		error: (event) => void said.push(event),
		warn: (event) => void said.push(event),
	};
	const reserve = createReserve({ folder: disk, log, bytes: 512 * 1024 });
	await reserve.release();
	await reserve.keep();
	t.deepEqual(readdirSync(disk), ['reserve']);
	const free = await fillDisk(disk);
	t.is(said.length, 0);
	await reserve.release();
	t.false(existsSync(join(disk, 'reserve')));
	t.deepEqual(said, ['disk-full']);
	await reserve.keep();
	t.false(existsSync(join(disk, 'reserve')), 'room is scarce');
	free();
	await reserve.keep();
	t.true(existsSync(join(disk, 'reserve')));
});
