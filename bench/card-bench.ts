import { open } from 'node:fs/promises';
import { join } from 'node:path';

import { openStorage } from '../core/box/storage-part.ts';
import { openTelemetry } from '../core/box/telemetry-part.ts';
import { type Clock, epochMs } from '../core/kernel/clock.ts';
import { messageOf } from '../core/kernel/fault.ts';
import { newGatewayId } from '../core/kernel/id.ts';
import { createLifecycle } from '../core/kernel/lifecycle.ts';
import { silentLog } from '../core/kernel/log.ts';
import { openDatabase } from '../core/storage/pouch.ts';
import type { Reading } from '../core/telemetry/reading.ts';
import { readSettings } from '../config/read-settings.ts';
import { type LoopDisk, mountLoopDisk } from './loop-disk.ts';
import { createMeters, POINTS_PER_METER } from './meter-readings.ts';
import { type Row, table } from './table.ts';

const MOST_BYTES_PER_SAMPLE = 15;
const DISK_MEBIBYTES = 512;
const SAMPLES_PER_COMMIT = 1_000;
/** An hour of a commit a second; the peers need no more than shows their rate. */
const COMMITS = 3_600;
const RAW_COMMITS = 1_000;
const POUCH_COMMITS = 20;
const RAW_BYTES_PER_SAMPLE = 20;
/** A quarter past: an hour ends on the way. */
const START_MS = Date.UTC(2026, 5, 3, 11, 15);

const ORIGIN = newGatewayId();

interface Contender {
	readonly name: string;
	readonly commits: number;
	/** Makes the readings of one second durable. */
	readonly take: (readings: readonly Reading[]) => Promise<void>;
	/** Ends with everything at rest, as after a shutdown. */
	readonly stop: () => Promise<void>;
	/** Bytes that the streams of the write meter have counted; `null`: it has none. */
	readonly metered: () => number | null;
}

/** Without what the meter has from the device itself. */
const sumOf = (streams: Readonly<Record<string, number>>): number =>
	Object.entries(streams).reduce((sum, [stream, bytes]) => (stream === 'other' ? sum : sum + bytes), 0);

/** Journal and history as a gateway has them, on a clock that is that of the readings. */
async function openProduct(data: string, clock: Clock): Promise<Contender> {
	const settings = readSettings({ role: 'gateway', environment: {} });
	const lifecycle = createLifecycle(silentLog);
	const common = { clock, log: silentLog, lifecycle };
	const { journal, card } = settings;
	const storage = await openStorage({ data, journal, card, ...common });
	const part = await openTelemetry({
		data,
		// Each second is committed as soon as it is there, not when the time of this machine says so.
		journal: { ...journal, flushIntervalMs: 0, minFlushGapMs: 0 },
		files: storage.files,
		holders: [],
		givesUpHeld: true,
		history: settings.history,
		pointFactsOf: () => null,
		origin: ORIGIN,
		gatewayId: ORIGIN,
		templates: new Set<string>(),
		accounts: { byId: () => undefined },
		onLoss: () => undefined,
		lost: () => undefined,
		...common,
	});
	return {
		name: 'drawbridge: journal, seal, history',
		commits: COMMITS,
		take: (readings) => part.telemetry.acceptStamped(readings, 'live', 'group'),
		async stop() {
			await part.history.sealNow();
			await lifecycle.stop();
		},
		metered: () => sumOf(storage.written().bytes),
	};
}

async function openRaw(folder: string): Promise<Contender> {
	const file = await open(join(folder, 'raw'), 'a');
	return {
		name: 'raw file, 20 bytes a sample, appended',
		commits: RAW_COMMITS,
		async take() {
			await file.write(new Uint8Array(SAMPLES_PER_COMMIT * RAW_BYTES_PER_SAMPLE));
			await file.datasync();
		},
		stop: () => file.close(),
		metered: () => null,
	};
}

async function openPouch(folder: string): Promise<Contender> {
	const database = openDatabase(join(folder, 'pouch'));
	return {
		name: 'PouchDB, one document a sample',
		commits: POUCH_COMMITS,
		async take(readings) {
			const documents = readings.flatMap(({ device, readAt, points, values }) =>
				points.map((point, index) => ({ _id: `${device}!${point}!${readAt}`, value: values[index] })),
			);
			await database.bulkDocs(documents);
		},
		stop: () => database.close(),
		metered: () => null,
	};
}

async function rowOf(disk: LoopDisk, begin: (folder: string, clock: Clock) => Promise<Contender>): Promise<Row> {
	let atMs = START_MS;
	const clock: Clock = { now: () => epochMs(atMs), monotonicMs: () => atMs - START_MS };
	const meters = createMeters(SAMPLES_PER_COMMIT / POINTS_PER_METER, ORIGIN);
	disk.takeWritten();
	const contender = await begin(disk.folder, clock);
	for (let commit = 0; commit < contender.commits; commit += 1) {
		await contender.take(meters(atMs, 1));
		atMs += 1_000;
	}
	const running = disk.takeWritten();
	await contender.stop();
	const ending = disk.takeWritten();
	const metered = contender.metered();
	const samples = contender.commits * SAMPLES_PER_COMMIT;
	const bytesPerSample = (running.bytes + ending.bytes) / samples;
	return {
		store: contender.name,
		samples,
		'bytes/sample at the device': bytesPerSample,
		'counted by its streams': metered === null ? '' : (metered / samples).toFixed(1),
		'of it at the end': ending.bytes / samples,
		'flushes/commit': running.flushes / contender.commits,
		'GB/day at 1 000 samples/s': (bytesPerSample * SAMPLES_PER_COMMIT * 86_400) / 1e9,
	};
}

/** What reaches the block device for each sample, opening and sealing included, beside the same samples stored in plain ways. */
export async function runCardBench(): Promise<{ readonly report: string; readonly isWithinLimits: boolean }> {
	let disk: LoopDisk;
	try {
		disk = mountLoopDisk(DISK_MEBIBYTES);
	} catch (error) {
		return { report: `skipped: there is no disk to count on (${messageOf(error)})`, isWithinLimits: true };
	}
	try {
		const rows: Row[] = [];
		for (const begin of [openProduct, openRaw, openPouch]) rows.push(await rowOf(disk, begin));
		const own = Number(rows[0]?.['bytes/sample at the device']);
		return { report: table(rows), isWithinLimits: own <= MOST_BYTES_PER_SAMPLE };
	} finally {
		disk.stop();
	}
}
