import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { messageOf } from '../../../core/kernel/fault.ts';
import type { FaultLog } from '../faults/fault-log.ts';
import { compare, drained, type Examination } from '../faults/examine.ts';
import { startWorld, type World } from '../faults/fault-world.ts';
import type { DeviceTruth, Span } from '../faults/truth.ts';
import type { Role } from '../kit/hull-process.ts';
import { createRandom, type Random } from '../kit/random.ts';
import { json } from '../kit/telemetry.ts';
import { appendMark, type DiskRecord, parseRecords, RECORD } from './record-log.ts';
import { createRecordedDisk, type CutKind } from './recorded-disk.ts';
import { folderDifferences } from './folder-difference.ts';
import { recorderEnvironment } from './recorder.ts';

export interface PowerCutOptions {
	readonly seed: number;
	readonly cuts: number;
	/** The compiled recorder. */
	readonly recorder: string;
	/** Gets the log of the recorder. */
	readonly folder: string;
	readonly log: FaultLog;
	readonly say: (text: string) => void;
}

/** What one cut has shown. */
export interface CutReport {
	readonly index: number;
	/** Whose power went; of the other only the process died. */
	readonly victims: readonly Role[];
	/** The last record before it. */
	readonly place: number;
	readonly complaints: readonly string[];
	/** Null: it was cut before anybody had been promised anything; it had to open, no more. */
	readonly examination: Omit<Examination, 'drainedMs'> | null;
}

export interface PowerCutReport {
	readonly records: number;
	readonly flushes: number;
	readonly cuts: readonly CutReport[];
	readonly complaints: readonly string[];
}

const TAGS: Readonly<Record<Role, string>> = { gateway: 'g', hub: 'h' };
const ROLES: readonly Role[] = ['hub', 'gateway'];
const VICTIMS: readonly (readonly Role[])[] = [['gateway'], ['gateway'], ['hub'], ['gateway', 'hub']];
/** Both have their administrators, and values flow. */
const LIVE = 'live';
const RECORD_MS = 12_000;
const DEAD_MS = 300;
const DOCUMENTS = 6;
/** Share of the cuts before anything is promised. */
const EARLY_SHARE = 0.2;
const QUIET_MS = 800;

const ackMark = (uid: string, n: number): string => `ack ${uid} ${n}`;
const madeMark = (uid: string): string => `made ${uid}`;

/**
 * Lets a world live for a while: values, documents, a death, a polite end. Everything it writes is in the log.
 * @returns when the gateway was dead
 */
async function live(world: World, log: string): Promise<readonly Span[]> {
	const deaths: Span[] = [];
	appendMark(log, LIVE);
	const startMs = performance.now();
	const gateway = await world.rest('gateway');
	for (let index = 0; index < DOCUMENTS; index += 1) {
		await sleep(RECORD_MS / 2 / DOCUMENTS);
		const uid = `made-${index}`;
		const { status } = await gateway.post('/api/v1/devices', { device_uid: uid, name: uid, device_type: 'sensor' });
		if (status === 201) appendMark(log, madeMark(uid));
	}
	for (const role of ['gateway', 'hub'] as const) {
		const fromMs = Date.now();
		await world.subjects[role].hull.kill9();
		await sleep(DEAD_MS);
		await world.subjects[role].hull.start();
		if (role === 'gateway') deaths.push({ fromMs, toMs: Date.now() });
	}
	await sleep(Math.max(0, RECORD_MS - (performance.now() - startMs)));
	await Promise.all(world.senders.map((sender) => sender.pause()));
	await world.subjects.gateway.hull.stop();
	await world.subjects.hub.hull.kill9();
	await Promise.all(world.slaves.map((slave) => slave.stop()));
	return deaths;
}

/** The truths as they were at an instant: what came later was never promised, and may not be missed. */
function truthsAt(world: World, marks: ReadonlySet<string>): readonly DeviceTruth[] {
	const senders = new Set(world.senders.map(({ uid }) => uid));
	return world.truths.map((truth) => ({
		...truth,
		occurrences: () =>
			truth.occurrences().map(({ n, fromMs, toMs }) => ({
				n,
				fromMs,
				toMs,
				isAcknowledged: senders.has(truth.uid) && marks.has(ackMark(truth.uid, n)),
			})),
	}));
}

/** Devices that were made with a 201 and are not there. */
async function missingDocuments(world: World, marks: ReadonlySet<string>): Promise<readonly string[]> {
	const gateway = await world.rest('gateway');
	const missing: string[] = [];
	for (let index = 0; index < DOCUMENTS; index += 1) {
		const uid = `made-${index}`;
		if (!marks.has(madeMark(uid))) continue;
		await json(gateway, `/api/v1/devices/${uid}`).catch((error: unknown) =>
			missing.push(`lost: device ${uid} was made, and is not there: ${messageOf(error)}`),
		);
	}
	return missing;
}

/** A life that was recorded. */
interface Recorded {
	readonly records: readonly DiskRecord[];
	readonly deaths: readonly Span[];
}

interface Cut {
	readonly index: number;
	readonly place: number;
	readonly victims: readonly Role[];
}

function planCuts(random: Random, count: number, records: readonly DiskRecord[]): readonly Cut[] {
	const liveAt = records.findIndex(({ kind, text }) => kind === RECORD.MARK && text === LIVE);
	return Array.from({ length: count }, (_, index) => {
		const isEarly = random.below(1) < EARLY_SHARE;
		const place = isEarly ? random.below(liveAt) : liveAt + 1 + random.below(records.length - liveAt - 1);
		return { index, place: Math.floor(place), victims: VICTIMS[Math.floor(random.below(VICTIMS.length))] ?? ROLES };
	});
}

/** The folders as a cut leaves them, and what was promised by then. */
function rebuild(world: World, records: readonly DiskRecord[], { place, victims }: Cut, random: Random) {
	const marks = new Set<string>();
	const disks = new Map(ROLES.map((role) => [TAGS[role], { role, disk: createRecordedDisk() }]));
	for (const record of records.slice(0, place + 1)) {
		if (record.kind === RECORD.MARK) marks.add(record.text);
		disks.get(record.tag)?.disk.apply(record);
	}
	for (const { role, disk } of disks.values()) {
		const kind: CutKind = victims.includes(role) ? 'power' : 'process';
		disk.rebuild(world.subjects[role].hull.dataFolder, kind, random);
	}
	return { marks, atMs: records[place]?.atMs ?? 0 };
}

/** What the record says of the folders as they are now, where it is wrong: something was written that it does not have. */
function unseen(world: World, records: readonly DiskRecord[], scratch: string): readonly string[] {
	return ROLES.flatMap((role) => {
		const disk = createRecordedDisk();
		for (const record of records) if (record.tag === TAGS[role]) disk.apply(record);
		disk.rebuild(scratch, 'process', createRandom(0));
		const differences = folderDifferences(world.subjects[role].hull.dataFolder, scratch);
		return [...differences, ...disk.unknown()].map((what) => `the record of the ${role} is not whole: ${what}`);
	});
}

async function examineCut(
	world: World,
	marks: ReadonlySet<string>,
	deaths: readonly Span[],
): Promise<Omit<Examination, 'drainedMs'>> {
	const stores = await drained(world, QUIET_MS);
	const found = await compare(stores, {
		deaths,
		forgotten: [],
		full: [],
		clocks: [],
		truths: truthsAt(world, marks),
		kinds: new Set(['power-cut']),
		isSmall: false,
	});
	return { ...found, complaints: [...found.complaints, ...(await missingDocuments(world, marks))] };
}

async function tryCut(world: World, { records, deaths }: Recorded, cut: Cut, random: Random): Promise<CutReport> {
	const { marks, atMs } = rebuild(world, records, cut, random);
	const report = { ...cut, examination: null };
	try {
		const starts = await Promise.allSettled(ROLES.map((role) => world.subjects[role].hull.start()));
		for (const start of starts) if (start.status === 'rejected') throw start.reason;
		if (!marks.has(LIVE)) return { ...report, complaints: [] };
		const examination = await examineCut(world, marks, [...deaths, { fromMs: atMs, toMs: Number.POSITIVE_INFINITY }]);
		return { ...cut, complaints: examination.complaints, examination };
	} catch (error) {
		return { ...report, complaints: [messageOf(error)] };
	} finally {
		await Promise.all(ROLES.map((role) => world.subjects[role].hull.kill9()));
	}
}

/**
 * Records what a gateway and a hub write in a short life, then lets the power go at random places of that record, and starts both on what is
 * left. Stops at the first cut that shows something wrong.
 */
export async function runPowerCuts(options: PowerCutOptions): Promise<PowerCutReport> {
	const random = createRandom(options.seed);
	const recording = join(options.folder, 'recording');
	rmSync(recording, { force: true });
	let isRecording = true;
	const world = await startWorld({
		hasDisks: false,
		hasMiddle: false,
		isSmall: false,
		preload: ({ role, dataFolder }) =>
			isRecording ? recorderEnvironment(options.recorder, { folder: dataFolder, log: recording, tag: TAGS[role] }) : {},
		log: options.say,
		acked: (uid, n) => {
			if (isRecording && existsSync(recording)) appendMark(recording, ackMark(uid, n));
		},
	});
	try {
		const deaths = await live(world, recording);
		isRecording = false;
		const records = parseRecords(readFileSync(recording));
		const flushes = records.filter(({ kind }) => kind === RECORD.SYNC_END).length;
		options.log.note('recorded', { records: records.length, flushes });
		const notSeen = unseen(world, records, join(options.folder, 'scratch'));
		if (notSeen.length > 0) return { records: records.length, flushes, cuts: [], complaints: notSeen };
		const cuts: CutReport[] = [];
		for (const cut of planCuts(random, options.cuts, records)) {
			options.log.note('cut', { ...cut });
			const report = await tryCut(world, { records, deaths }, cut, random);
			cuts.push(report);
			options.log.note('examined', { ...report });
			if (report.complaints.length > 0) {
				await world.keep(join(options.folder, `cut-${cut.index}`));
				break;
			}
		}
		return { records: records.length, flushes, cuts, complaints: cuts.flatMap(({ complaints }) => complaints) };
	} finally {
		await world.stop();
	}
}
