import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { type LogFields, type Logger, silentLog } from '../../core/kernel/log.ts';
import { openSettingsStore } from '../../core/storage/settings-store.ts';

interface Document {
	readonly name: string;
	readonly count: number;
}

const defaults: Document = { name: 'new', count: 0 };

async function inFolder(run: (path: string, folder: string) => Promise<void>): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), 'settings-store-'));
	try {
		await run(join(folder, 'settings.json'), folder);
	} finally {
		await rm(folder, { recursive: true });
	}
}

test('what an update confirms is there at the next start, readable by its owner only', (t) =>
	inFolder(async (path) => {
		const store = await openSettingsStore({ path, defaults, log: silentLog });
		t.deepEqual(store.get(), defaults);
		await store.update((current) => ({ ...current, name: 'cellar' }));
		const again = await openSettingsStore({ path, defaults, log: silentLog });
		t.deepEqual(again.get(), { name: 'cellar', count: 0 });
		t.is((await stat(path)).mode & 0o777, 0o600);
	}));

test('updates at the same time follow one another and none is lost', (t) =>
	inFolder(async (path) => {
		const store = await openSettingsStore({ path, defaults, log: silentLog });
		await Promise.all(
			Array.from({ length: 20 }, () => store.update((current) => ({ ...current, count: current.count + 1 }))),
		);
		t.is(store.get().count, 20);
		t.regex(await readFile(path, 'utf8'), /"count": 20/);
	}));

test('a change that throws, or cannot be written, leaves the document as it was', (t) =>
	inFolder(async (path) => {
		const store = await openSettingsStore({ path, defaults, log: silentLog });
		await t.throwsAsync(
			store.update(() => {
				throw new RangeError('no');
			}),
			{ message: 'no' },
		);
		t.deepEqual(store.get(), defaults);

		const blocked = await openSettingsStore({ path: join(path, 'below/settings.json'), defaults, log: silentLog });
		await writeFile(path, '{}');
		await t.throwsAsync(blocked.update((current) => ({ ...current, count: 9 })));
		t.is(blocked.get().count, 0);
	}));

for (const [name, content] of [
	['torn', '{"name": "cel'],
	['zeroed', '\0\0\0\0'],
	['empty', ''],
	['a list', '[1]'],
	['a number', '7'],
] as const) {
	test(`a damaged file (${name}) is moved aside, the loss is logged, and the defaults take over`, (t) =>
		inFolder(async (path, folder) => {
			const events: [string, LogFields | undefined][] = [];
			const log: Logger = { ...silentLog, error: (event, fields) => void events.push([event, fields]) };
			await writeFile(`${path}.damaged-1`, 'older');
			await writeFile(path, content);
			const store = await openSettingsStore({ path, defaults, log });
			t.deepEqual(store.get(), defaults);
			await store.update((current) => ({ ...current, count: 1 }));
			t.deepEqual((await readdir(folder)).toSorted(), [
				'settings.json',
				'settings.json.damaged-1',
				'settings.json.damaged-2',
			]);
			t.is(await readFile(`${path}.damaged-2`, 'utf8'), content);
			t.is(events[0]?.[0], 'settings-lost');
			t.is(events[0]?.[1]?.['movedTo'], `${path}.damaged-2`);
		}));
}

test('a list that is none is damage, not a list', (t) =>
	inFolder(async (path) => {
		await writeFile(path, '{"adapters": "x", "name": "cellar"}');
		const store = await openSettingsStore({ path, defaults: { adapters: [], name: '' }, log: silentLog });
		t.deepEqual(store.get(), { adapters: [], name: '' });
		t.is(await readFile(`${path}.damaged-1`, 'utf8'), '{"adapters": "x", "name": "cellar"}');
	}));
