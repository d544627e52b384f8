import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import type { Logger } from '../../core/kernel/log.ts';
import { ensureSound } from '../../core/storage/ensure-sound.ts';
import { openDatabase } from '../../core/storage/pouch.ts';

function bench(t: ExecutionContext) {
	const parent = mkdtempSync(join(tmpdir(), 'drawbridge-sound-'));
	t.teardown(() => rmSync(parent, { recursive: true, force: true }));
	const said: string[] = [];
	const say = (event: string): void => void said.push(event);
	const log: Logger = { debug: say, info: say, warn: say, error: say, child: () => log };
	return { folder: join(parent, 'documents'), said, log };
}

async function fill(folder: string): Promise<void> {
	const database = openDatabase(folder);
	await database.put({ _id: 'one', value: 1 });
	await database.close();
}

test('a database whose table of contents is damaged is repaired with its documents', async (t) => {
	const { folder, said, log } = bench(t);
	await fill(folder);
	writeFileSync(join(folder, 'CURRENT'), 'nothing');
	await ensureSound(folder, log);
	t.deepEqual(said, ['database-repaired']);
	const database = openDatabase(folder);
	t.like(await database.get('one'), { value: 1 });
	await database.close();
});

test('what cannot be repaired is put aside, and a new database takes its place', async (t) => {
	const { folder, said, log } = bench(t);
	writeFileSync(folder, 'this is no folder');
	await ensureSound(folder, log);
	t.deepEqual(said, ['database-lost']);
	t.true(existsSync(`${folder}.damaged-1`));
	await fill(folder);
	t.true(readdirSync(folder).includes('CURRENT'));
});

test('a sound database, a missing one and one that is in use are left alone', async (t) => {
	const { folder, said, log } = bench(t);
	await ensureSound(folder, log);
	t.false(existsSync(folder));
	await fill(folder);
	await ensureSound(folder, log);
	const database = openDatabase(folder);
	await database.info();
	await ensureSound(folder, log);
	t.like(await database.get('one'), { value: 1 });
	await database.close();
	t.deepEqual(said, []);
});
