import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { lackPeer } from '../kit/peer.ts';
import { createRandom } from '../kit/random.ts';
import { folderDifferences } from './folder-difference.ts';
import { parseRecords, RECORD } from './record-log.ts';
import { createRecordedDisk } from './recorded-disk.ts';
import { buildRecorder, recorderEnvironment } from './recorder.ts';

/** Every way in which the product writes: plain files, several at once, streams of LevelDB, renames, folders. */
const PROGRAM = `
import { mkdir, open, rename, rm, truncate, writeFile, appendFile, copyFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
const folder = process.argv.at(-1);
const at = (name) => join(folder, name);
const syncFolder = async (name) => { const handle = await open(at(name), 'r'); await handle.sync(); await handle.close(); };
await mkdir(at('a/b'), { recursive: true });
for (let round = 0; round < 3; round += 1) {
	const handle = await open(at('a/log-' + round), 'w+');
	for (let index = 0; index < 20; index += 1) await handle.write(Buffer.alloc(700, 65 + index), 0, 700, index * 650);
	await handle.writev([Buffer.from('one'), Buffer.from('two')], 9_000);
	await handle.datasync();
	await handle.truncate(5_000);
	await handle.close();
}
await Promise.all([1, 2, 3, 4, 5, 6].map((n) => writeFile(at('a/b/parallel-' + n), 'x'.repeat(n * 3_000))));
await rename(at('a/log-0'), at('a/b/moved'));
await rename(at('a/log-1'), at('a/log-2'));
await appendFile(at('a/log-2'), 'more');
await copyFile(at('a/log-2'), at('a/copy'));
await truncate(at('a/copy'), 100);
await rm(at('a/b/parallel-3'));
await mkdir(at('gone'));
await writeFile(at('gone/file'), 'x');
await rm(at('gone'), { recursive: true });
await syncFolder('a');
const leveldown = createRequire(process.cwd() + '/package.json')('leveldown');
const promised = (call) => new Promise((resolve, reject) => call((error) => (error ? reject(error) : resolve())));
for (let round = 0; round < 2; round += 1) {
	const database = leveldown(at('level'));
	await promised((done) => database.open(done));
	for (let index = 0; index < 50; index += 1) await promised((done) => database.put('key' + index, 'v'.repeat(index), { sync: index % 5 === 0 }, done));
	await promised((done) => database.close(done));
}
const durable = await open(at('durable.tmp'), 'wx');
await durable.writeFile('promised');
await durable.sync();
await durable.close();
await rename(at('durable.tmp'), at('durable'));
await syncFolder('');
await writeFile(at('loose'), 'perhaps');
`;

function recordOf(t: ExecutionContext) {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-recorder-'));
	t.teardown(() => rmSync(folder, { recursive: true, force: true }));
	const library = buildRecorder(folder);
	if (library === null) {
		lackPeer(t, 'a C compiler');
		return null;
	}
	const [data, log] = [join(folder, 'data'), join(folder, 'log')];
	mkdirSync(data);
	const program = join(folder, 'program.mjs');
	writeFileSync(program, PROGRAM);
	const load = `import(${JSON.stringify(program)})`;
	execFileSync(process.execPath, ['--input-type=module', '--eval', load, data], {
		// oxlint-disable-next-line node/no-process-env -- the environment of a child
		env: { ...process.env, ...recorderEnvironment(library, { folder: data, log, tag: 'x' }) },
		timeout: 30_000,
	});
	return { folder, data, records: parseRecords(readFileSync(log)) };
}

test('the record of a program rebuilds its folder byte for byte', (t) => {
	const recorded = recordOf(t);
	if (recorded === null) return;
	const disk = createRecordedDisk();
	for (const record of recorded.records) disk.apply(record);
	const scratch = join(recorded.folder, 'scratch');
	disk.rebuild(scratch, 'process', createRandom(1));
	t.deepEqual(folderDifferences(recorded.data, scratch), []);
	t.true(readdirSync(join(scratch, 'level')).some((name) => name.startsWith('MANIFEST')));
	t.deepEqual(disk.unknown(), []);
});

test('after a power cut what was flushed is there whole, whatever else is not', (t) => {
	const recorded = recordOf(t);
	if (recorded === null) return;
	const { records, folder } = recorded;
	const scratch = join(folder, 'scratch');
	const loose = new Set<string>();
	for (let seed = 0; seed < 40; seed += 1) {
		const disk = createRecordedDisk();
		for (const record of records) disk.apply(record);
		disk.rebuild(scratch, 'power', createRandom(seed));
		t.is(readFileSync(join(scratch, 'durable'), 'utf8'), 'promised');
		t.is(readFileSync(join(scratch, 'a', 'log-2')).length >= 5_000 - 650, true);
		loose.add(readdirSync(scratch).includes('loose') ? readFileSync(join(scratch, 'loose'), 'utf8') : 'not there');
	}
	t.true(loose.has('not there') && loose.has('perhaps'), [...loose].join(', '));
	t.true(records.some(({ kind }) => kind === RECORD.SYNC_END));
});
