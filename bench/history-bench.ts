import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { chunkGroups } from '../core/history/chunk-groups.ts';
import { queryColumn } from '../core/history/column-query.ts';
import { type DayFolder, openDayFolder } from '../core/history/day-folder.ts';
import { queryRange } from '../core/history/range-query.ts';
import { nodeFileLayer } from '../core/journal/node-file-layer.ts';
import { type EpochMs, epochMs, systemClock } from '../core/kernel/clock.ts';
import { type DeviceId, deviceId, newGatewayId } from '../core/kernel/id.ts';
import { openDatabase } from '../core/storage/pouch.ts';
import type { Reading } from '../core/telemetry/reading.ts';
import { createMeterModel } from '../gateway/simulator/meter-model.ts';
import { INPUT_FLOATS } from '../gateway/simulator/sdm630-registers.ts';
import { member } from '../test/system/kit/rest.ts';
import { median, type Row, table } from './table.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const ORIGIN = newGatewayId();
const METER = deviceId('00000000-0000-4000-8000-000000000001');
const POINTS = [...INPUT_FLOATS.keys()].map((address) => `register_${address}`);
/** Readings that one journal segment brings of a device: a quarter of an hour at a reading a second. */
const ROWS_PER_SEGMENT = 900;
const ROWS_PER_DAY = 86_400;
/** Documents of the peer: an hour of one point at a sample a second, so that the run stays short; times of a day are scaled from it. */
const PEER_ROWS = 7_200;
const PEER_BATCH = 1_000;
const ROUNDS = 7;

const MOST = { bytesPerSample: 2.5, rawDayMs: 50, openMs: 2_000, rssMb: 150 } as const;

export interface HistoryBenchOptions {
	/** Samples of the large store. */
	readonly samples: number;
}

/** What the meter's registers say, as float32; `resolution` rounds to the digits a meter shows. */
type Rounding = (value: number) => number;
const asSent: Rounding = Math.fround;
const toDigits: Rounding = (value) => Math.fround(Number(value.toPrecision(4)));

function* readingsOf(start: number, rows: number, round: Rounding): Generator<Reading> {
	const model = createMeterModel(7);
	const valuesOf = [...INPUT_FLOATS.values()];
	for (let row = 0; row < rows; row += 1) {
		const readAt = start + row * 1_000 + ((row * 7) % 5);
		const state = model.at(readAt);
		yield {
			device: METER,
			readAt: epochMs(readAt),
			telemetryType: 'default',
			points: POINTS,
			values: valuesOf.map((valueOf) => round(valueOf(state))),
			qualities: null,
			origin: ORIGIN,
			epoch: 1,
			firstSeq: 1 + row * POINTS.length,
		};
	}
}

const openDays = (folder: string): Promise<DayFolder> =>
	openDayFolder({
		files: nodeFileLayer,
		folder,
		retentionDays: 3_650,
		clock: systemClock,
		noteLoss: ({ detail }) => {
			throw new Error(detail);
		},
	});

/** Seals readings as the sealer does; answers the processor time it took, ms. */
async function sealInto(days: DayFolder, readings: readonly Reading[]): Promise<number> {
	const startMs = performance.now();
	const touched = new Set<NonNullable<ReturnType<DayFolder['fileFor']>>>();
	for (const group of chunkGroups(readings)) {
		const [first] = group.readings;
		const file = days.fileFor(group.hour);
		if (first === undefined || file === null) continue;
		await file.append(group.readings, first);
		touched.add(file);
	}
	for (const file of touched) await file.commit();
	return performance.now() - startMs;
}

async function bytesIn(folder: string): Promise<number> {
	let bytes = 0;
	for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }))
		if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
	return bytes;
}

async function timed<T>(task: () => Promise<T>): Promise<readonly [number, T]> {
	const startMs = performance.now();
	const result = await task();
	return [performance.now() - startMs, result];
}

async function medianMs(task: () => Promise<unknown>): Promise<number> {
	const times: number[] = [];
	for (let round = 0; round < ROUNDS; round += 1) times.push((await timed(task))[0]);
	return median(times);
}

const today = (): number => Math.floor(systemClock.now() / DAY_MS) * DAY_MS;
const oneDay = (start: number): { readonly from: EpochMs; readonly to: EpochMs } => ({
	from: epochMs(start),
	to: epochMs(start + DAY_MS),
});

interface Measured {
	readonly row: Row;
	readonly rawDayMs: number;
	readonly bytesPerSample: number;
}

/** A day of one meter, sealed, and read again. */
async function sealedDay(name: string, round: Rounding, rows: number): Promise<Measured> {
	const folder = await mkdtemp(join(tmpdir(), 'history-bench-'));
	try {
		const days = await openDays(folder);
		const start = today() - 2 * DAY_MS;
		let sealMs = 0;
		let segment: Reading[] = [];
		for (const reading of readingsOf(start, rows, round)) {
			segment.push(reading);
			if (segment.length < ROWS_PER_SEGMENT) continue;
			sealMs += await sealInto(days, segment);
			segment = [];
		}
		for (const file of days.all()) await file.finish();
		const samples = rows * POINTS.length;
		const bytesPerSample = (await bytesIn(folder)) / samples;
		const query = { device: METER, point: 'register_0', ...oneDay(start) };
		const read = () => queryColumn({ days, noteLoss: () => undefined }, query, []);
		const [coldMs, column] = await timed(async () => {
			for (const file of days.all()) file.unload();
			return read();
		});
		if (column.times.length !== rows) throw new Error(`${column.times.length} samples of ${rows}`);
		const scale = ROWS_PER_DAY / rows;
		const rawDayMs = (await medianMs(read)) * scale;
		const newest = { device: METER, ...oneDay(start), order: 'newest-first', limit: 32 } as const;
		return {
			rawDayMs,
			bytesPerSample,
			row: {
				store: name,
				'bytes/sample': bytesPerSample,
				'seal us/sample': (sealMs * 1_000) / samples,
				'raw day of a point ms': rawDayMs,
				'first time ms': coldMs * scale,
				'newest 32 readings ms': await medianMs(() => queryRange({ days, noteLoss: () => undefined }, newest)),
			},
		};
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

/** The peer: one document a sample, written and read in the way that suits it best. */
async function documentDay(): Promise<Measured> {
	const folder = await mkdtemp(join(tmpdir(), 'history-bench-'));
	const database = openDatabase<{ readonly _id: string; readonly t: number; readonly v: number }>(join(folder, 'peer'));
	try {
		const start = today() - 2 * DAY_MS;
		const documents = [...readingsOf(start, PEER_ROWS, asSent)].map(({ readAt, values }) => ({
			_id: `${METER}!register_0!${String(readAt).padStart(16, '0')}`,
			t: Number(readAt),
			v: Number(values[0]),
		}));
		const [sealMs] = await timed(async () => {
			for (let at = 0; at < documents.length; at += PEER_BATCH)
				await database.bulkDocs(documents.slice(at, at + PEER_BATCH));
		});
		const range = { startkey: `${METER}!register_0!`, endkey: `${METER}!register_0!~`, include_docs: true };
		const rawDayMs = ((await timed(() => database.allDocs(range)))[0] * ROWS_PER_DAY) / PEER_ROWS;
		const newestMs = await medianMs(() =>
			database.allDocs({ ...range, startkey: range.endkey, endkey: range.startkey, descending: true, limit: 32 }),
		);
		await database.close();
		const bytesPerSample = (await bytesIn(folder)) / PEER_ROWS;
		return {
			rawDayMs,
			bytesPerSample,
			row: {
				store: 'one document a sample',
				'bytes/sample': bytesPerSample,
				'seal us/sample': (sealMs * 1_000) / PEER_ROWS,
				'raw day of a point ms': rawDayMs,
				'first time ms': '',
				'newest 32 readings ms': newestMs,
			},
		};
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

const deviceOf = (number: number): DeviceId => deviceId(`00000000-0000-4000-8000-${String(number).padStart(12, '0')}`);

const movedTo = (reading: Reading, device: DeviceId, at: number): Reading => ({
	...reading,
	device,
	readAt: epochMs(at),
});

/** Days of ten devices, made of one hour of the meter again and again. */
async function fill(folder: string, samples: number): Promise<number> {
	const days = await openDays(folder);
	const hour = [...readingsOf(0, ROWS_PER_SEGMENT, asSent)];
	const devices = 10;
	let written = 0;
	for (let day = today() - DAY_MS; written < samples; day -= DAY_MS) {
		for (let part = 0; part < 24 * 4 * devices && written < samples; part += 1) {
			const at = day + Math.floor(part / devices) * (HOUR_MS / 4);
			const readings = hour.map((reading, row) => movedTo(reading, deviceOf(part % devices), at + row * 1_000));
			for (const group of chunkGroups(readings)) {
				const [first] = group.readings;
				if (first !== undefined) await days.fileFor(group.hour)?.append(group.readings, first);
			}
			written += readings.length * POINTS.length;
		}
		const file = days.fileFor(day);
		await file?.commit();
		await file?.finish();
		file?.unload();
	}
	return written;
}

interface Opened {
	readonly row: Row;
	readonly openMs: number;
	readonly rssMb: number;
}

const OPENER = fileURLToPath(new URL('load/history-open.js', import.meta.url));
const OPEN_TIMEOUT_MS = 60_000;

/** Opened by a process that has not made it, as after a start. */
async function largeStore(samples: number): Promise<Opened> {
	const folder = await mkdtemp(join(tmpdir(), 'history-bench-'));
	try {
		const written = await fill(join(folder, 'history'), samples);
		const bytes = await bytesIn(folder);
		const { from, to } = oneDay(today() - DAY_MS);
		const { stdout } = await promisify(execFile)(
			process.execPath,
			[OPENER, folder, deviceOf(3), 'register_0', String(from), String(to)],
			{ timeout: OPEN_TIMEOUT_MS },
		);
		const told: unknown = JSON.parse(stdout);
		const [openMs, firstMs, rssMb] = ['openMs', 'firstMs', 'rssMb'].map((name) => Number(member(told, name)));
		return {
			openMs: openMs ?? Number.NaN,
			rssMb: rssMb ?? Number.NaN,
			row: {
				samples: written,
				MB: bytes / 1e6,
				'open ms': openMs ?? Number.NaN,
				'first day of a point ms': firstMs ?? Number.NaN,
				'rss MB': rssMb ?? Number.NaN,
			},
		};
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

/** Size and times of the sealed history beside one document a sample, in the same run. About 15 s. */
export async function runHistoryBench({ samples }: HistoryBenchOptions) {
	await sealedDay('warm-up', toDigits, 3_600);
	const rounded = await sealedDay('chunks, registers with four digits', toDigits, 4 * ROWS_PER_SEGMENT * 6);
	const noisy = await sealedDay('chunks, registers as simulated', asSent, ROWS_PER_DAY);
	const peer = await documentDay();
	const large = await largeStore(samples);
	return {
		report: [table([noisy.row, rounded.row, peer.row]), table([large.row])].join('\n\n'),
		isWithinLimits:
			noisy.bytesPerSample <= MOST.bytesPerSample &&
			rounded.bytesPerSample <= MOST.bytesPerSample &&
			noisy.rawDayMs < MOST.rawDayMs &&
			noisy.rawDayMs * 10 <= peer.rawDayMs &&
			large.openMs < MOST.openMs &&
			large.rssMb < MOST.rssMb,
	};
}
