import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { epochMs, systemClock } from '../../core/kernel/clock.ts';
import { type Logger, silentLog } from '../../core/kernel/log.ts';
import { createFolderMetadataSource } from '../../firmware-ota/trust/folder-source.ts';
import { openTrust, type TrustedView } from '../../firmware-ota/trust/trust-service.ts';
import { lackPeer } from '../system/kit/peer.ts';
import { createRandom } from '../system/kit/random.ts';
import { type DiskRecord, parseRecords, RECORD } from '../system/power-cut/record-log.ts';
import { type CutKind, createRecordedDisk } from '../system/power-cut/recorded-disk.ts';
import { buildRecorder, recorderEnvironment } from '../system/power-cut/recorder.ts';
import { newFolder, withAppliance } from './both-clients.ts';
import { createHostileRepository, newTestKey } from './hostile-repository.ts';

const STAGES = 6;
/** Ways in which the power goes at one place. */
const SEEDS = 6;
const WRITER = join(process.cwd(), 'dist', 'test', 'firmware-ota', 'trust-writer.js');

/** News, a new root, a root that takes the online keys back, and news again; each stage in a folder of its own. */
function makeStages(folder: string): void {
	const repository = createHostileRepository();
	const { world } = repository;
	withAppliance(repository);
	repository.publishRoot();
	repository.publish();
	for (let stage = 1; stage <= STAGES; stage += 1) {
		if (stage === 3) {
			world.root.version = 2;
			repository.publishRoot();
		}
		if (stage === 5) {
			world.root.version = 3;
			world.timestamp.keys = [newTestKey()];
			world.snapshot.keys = [newTestKey()];
			repository.publishRoot();
		}
		if (stage > 1) repository.next();
		const home = join(folder, String(stage));
		mkdirSync(home, { recursive: true });
		for (const [name, bytes] of repository.files)
			if (name.startsWith('metadata/')) writeFileSync(join(home, name.slice('metadata/'.length)), bytes);
	}
}

function record(t: ExecutionContext) {
	const home = newFolder(t);
	const library = buildRecorder(home);
	if (library === null) {
		lackPeer(t, 'a C compiler');
		return null;
	}
	const [data, log, stages] = [join(home, 'data'), join(home, 'log'), join(home, 'stages')];
	mkdirSync(data);
	makeStages(stages);
	execFileSync(process.execPath, [WRITER, data, stages, String(STAGES), log], {
		// oxlint-disable-next-line node/no-process-env -- the environment of a child
		env: { ...process.env, ...recorderEnvironment(library, { folder: data, log, tag: 't' }) },
		timeout: 30_000,
	});
	return { home, stages, records: parseRecords(readFileSync(log)) };
}

/** What was promised last before a place of the record. */
function promised(records: readonly DiskRecord[]): {
	readonly stage: number;
	readonly root: number;
	readonly timestamp: number;
} {
	const mark = records.findLast(({ kind }) => kind === RECORD.MARK);
	const [stage = 0, root = 0, timestamp = 0] = (mark?.text ?? '').split(' ').map(Number);
	return { stage, root, timestamp };
}

/** Names and bytes of all files of a folder. */
function digestOf(folder: string): string {
	const hash = createHash('sha256');
	for (const name of readdirSync(folder).toSorted()) hash.update(`${name}\0`).update(readFileSync(join(folder, name)));
	return hash.digest('hex');
}

test('wherever the power goes, a whole set is trusted, not older than what was promised, and updates go on', async (t) => {
	t.timeout(120_000);
	const recorded = record(t);
	if (recorded === null) return;
	const { home, stages, records } = recorded;
	const factoryRoot = readFileSync(join(stages, '1', '1.root.json'), 'utf8');
	const scratch = join(home, 'scratch');
	let [cuts, fresh] = [0, 0];
	const examined = new Set<string>();

	async function examine(place: number, kind: CutKind, seed: number): Promise<void> {
		const life = records.slice(0, place);
		const disk = createRecordedDisk();
		for (const one of life) disk.apply(one);
		t.deepEqual(disk.unknown(), []);
		disk.rebuild(scratch, kind, createRandom(seed));
		cuts += 1;
		const { stage, root, timestamp } = promised(life);
		const found = `${stage} ${digestOf(scratch)}`;
		if (examined.has(found)) return;
		examined.add(found);
		const events: string[] = [];
		const log: Logger = { ...silentLog, error: (event) => void events.push(event) };
		const trust = await openTrust({ folder: scratch, factoryRoot, builtAt: epochMs(0), clock: systemClock, log });
		const what = `place ${place} of ${records.length}, ${kind}, seed ${seed}, promised ${timestamp}`;
		const view = trust.view();
		t.true((view?.timestampVersion ?? 0) >= timestamp && (view?.rootVersion ?? 0) >= root, what);
		t.deepEqual(events, [], what);
		t.true(
			readdirSync(scratch).every((name) => name === 'set-a' || name === 'set-b'),
			what,
		);
		if (view === null) fresh += 1;
		const refresh = (from: number): Promise<TrustedView> =>
			trust.refresh({
				source: createFolderMetadataSource(join(stages, String(from))),
				signal: new AbortController().signal,
			});
		// Under the keys of its time, what was before the promise stays refused.
		if (stage > 1 && stage !== 5) await t.throwsAsync(refresh(stage - 1), undefined, what);
		t.is((await refresh(STAGES)).timestampVersion, STAGES, what);
	}

	for (let place = 0; place <= records.length; place += 1) {
		await examine(place, 'process', 0);
		for (let seed = 0; seed < SEEDS; seed += 1) await examine(place, 'power', place * SEEDS + seed);
	}
	t.log(`${cuts} cuts at ${records.length + 1} places leave ${examined.size} states, ${fresh} of them without a set`);
	t.is(promised(records).stage, STAGES);
	t.true(records.some(({ kind }) => kind === RECORD.SYNC_END));
});
