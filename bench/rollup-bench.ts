import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chunkGroups } from '../core/history/chunk-groups.ts';
import { queryColumn } from '../core/history/column-query.ts';
import { type DayFolder, openDayFolder } from '../core/history/day-folder.ts';
import { queryRange } from '../core/history/range-query.ts';
import { openRollups } from '../core/history/rollups.ts';
import { nodeFileLayer } from '../core/journal/node-file-layer.ts';
import { type Clock, epochMs, systemClock } from '../core/kernel/clock.ts';
import { deviceId, newGatewayId } from '../core/kernel/id.ts';
import { silentLog } from '../core/kernel/log.ts';
import { openDatabase } from '../core/storage/pouch.ts';
import type { HistoryRepository } from '../core/telemetry/history-repository.ts';
import type { Reading } from '../core/telemetry/reading.ts';
import { createMeterModel } from '../gateway/simulator/meter-model.ts';
import { INPUT_FLOATS } from '../gateway/simulator/sdm630-registers.ts';
import { median, type Row, table } from './table.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const DAYS = 30;
const METER = deviceId('00000000-0000-4000-8000-000000000001');
const ORIGIN = newGatewayId();
/** Points of the device, read every second. */
const REGISTERS = [...INPUT_FLOATS].slice(0, 10);
const POINTS = REGISTERS.map(([address]) => `register_${address}`);
const ROWS_PER_SEGMENT = 900;
const ROWS_PER_DAY = 86_400;
const SAMPLES = DAYS * ROWS_PER_DAY * POINTS.length;
/** Documents of the peer: two hours of one point; scaled from there, as their time grows with their number. */
const PEER_ROWS = 7_200;
const PEER_BATCH = 1_000;
const WARM_ROUNDS = 4;
const ROUNDS = 9;
const MOST = { hourlyMs: 10, ratio: 10 } as const;

const noLoss = ({ detail }: { readonly detail: string }): never => {
	throw new Error(detail);
};

async function timed<T>(task: () => Promise<T>): Promise<readonly [number, T]> {
	const startMs = performance.now();
	const result = await task();
	return [performance.now() - startMs, result];
}

interface Cost {
	readonly medianMs: number;
	readonly bestMs: number;
	/** Processor time of all threads. */
	readonly cpuMs: number;
}

async function costOf(task: () => Promise<unknown>): Promise<Cost> {
	// Compiling is no part of it.
	for (let round = 0; round < WARM_ROUNDS; round += 1) await task();
	const times: number[] = [];
	const before = process.cpuUsage();
	for (let round = 0; round < ROUNDS; round += 1) times.push((await timed(task))[0]);
	const { user, system } = process.cpuUsage(before);
	return { medianMs: median(times), bestMs: Math.min(...times), cpuMs: (user + system) / 1_000 / ROUNDS };
}

const times = ({ medianMs, bestMs, cpuMs }: Cost, factor: number): Cost => ({
	medianMs: medianMs * factor,
	bestMs: bestMs * factor,
	cpuMs: cpuMs * factor,
});

const rowOf = (name: string, { medianMs, bestMs, cpuMs }: Cost): Row => ({
	'30 days of hours of one device': name,
	'ms p50': medianMs,
	'ms best': bestMs,
	'processor ms': cpuMs,
});

async function bytesIn(folder: string): Promise<number> {
	let bytes = 0;
	for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }))
		if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
	return bytes;
}

/** A day of the meter in the files of the history. */
async function sealDay(folder: string, start: number): Promise<DayFolder> {
	const days = await openDayFolder({
		files: nodeFileLayer,
		folder,
		retentionDays: 3_650,
		clock: systemClock,
		noteLoss: noLoss,
	});
	const model = createMeterModel(7);
	let segment: Reading[] = [];
	for (let row = 0; row < ROWS_PER_DAY; row += 1) {
		const readAt = start + row * 1_000 + ((row * 7) % 5);
		const state = model.at(readAt);
		segment.push({
			device: METER,
			readAt: epochMs(readAt),
			telemetryType: 'default',
			points: POINTS,
			values: REGISTERS.map(([, valueOf]) => Math.fround(valueOf(state))),
			qualities: null,
			origin: ORIGIN,
			epoch: 1,
			firstSeq: 1 + row * POINTS.length,
		});
		if (segment.length < ROWS_PER_SEGMENT) continue;
		for (const group of chunkGroups(segment)) {
			const [first] = group.readings;
			if (first !== undefined) await days.fileFor(group.hour)?.append(group.readings, first);
		}
		segment = [];
	}
	await days.fileFor(start)?.commit();
	await days.fileFor(start)?.finish();
	return days;
}

/** The history of one day, which answers for every day: what is read and decoded is real, and the disk holds a day only. */
function repeating(days: DayFolder, start: number): Pick<HistoryRepository, 'range' | 'column'> {
	const source = { days, noteLoss: noLoss };
	const shiftOf = (at: number): number => Math.floor((at - start) / DAY_MS) * DAY_MS;
	return {
		async range(query) {
			const shift = shiftOf(query.from);
			const { after } = query;
			const found = await queryRange(source, {
				...query,
				from: epochMs(query.from - shift),
				to: epochMs(query.to - shift),
				...(after === undefined ? {} : { after: { ...after, readAt: epochMs(after.readAt - shift) } }),
			});
			return found.map((reading) => Object.assign({}, reading, { readAt: epochMs(reading.readAt + shift) }));
		},
		column: (query) => queryColumn(source, query, []),
	};
}

/** One document a sample: hours of one point summed up from documents, scaled to 30 days. */
async function documents(folder: string, start: number): Promise<Cost> {
	const database = openDatabase<{ readonly _id: string; readonly v: number }>(join(folder, 'peer'));
	const samples = Array.from({ length: PEER_ROWS }, (_, row) => ({
		_id: `${METER}!register_0!${String(start + row * 1_000).padStart(16, '0')}`,
		v: Math.fround(230 + Math.sin(row)),
	}));
	for (let at = 0; at < samples.length; at += PEER_BATCH) await database.bulkDocs(samples.slice(at, at + PEER_BATCH));
	const cost = await costOf(async () => {
		const { rows } = await database.allDocs({ include_docs: true });
		const hours = new Map<number, { count: number; sum: number }>();
		for (const { doc, id } of rows) {
			const hour = Math.floor(Number(id.split('!')[2]) / HOUR_MS);
			const sum = hours.get(hour) ?? { count: 0, sum: 0 };
			hours.set(hour, { count: sum.count + 1, sum: sum.sum + (doc?.v ?? 0) });
		}
	});
	await database.close();
	return times(cost, (DAYS * ROWS_PER_DAY) / PEER_ROWS);
}

/** 30 days of hours from rollups, from samples, and from documents, in the same run. */
export async function runRollupBench(): Promise<{ readonly report: string; readonly isWithinLimits: boolean }> {
	const folder = await mkdtemp(join(tmpdir(), 'rollup-bench-'));
	try {
		const start = Math.floor(systemClock.now() / DAY_MS) * DAY_MS - (DAYS + 1) * DAY_MS;
		const days = await sealDay(join(folder, 'history'), start);
		const history = repeating(days, start);
		let aheadMs = 0;
		const clock: Clock = { now: () => systemClock.now(), monotonicMs: () => systemClock.monotonicMs() + aheadMs };
		const open = () =>
			openRollups({
				files: nodeFileLayer,
				folder: join(folder, 'rollups'),
				rollupDays: 3_650,
				minuteDays: 400,
				clock,
				log: silentLog,
				setTimer: () => () => undefined,
			});
		const input = {
			history,
			unsealedHours: () => new Set<number>(),
			rawFrom: () => epochMs(0),
			ruleOf: () => null,
			devices: () => [],
		};
		let rollups = await open();
		let running = rollups.begin(input);
		await running.run();
		const hours = Array.from({ length: DAYS * 24 }, (_, hour) => ({
			device: METER,
			hour: epochMs(start + hour * HOUR_MS),
		}));
		await rollups.watcher.touching(hours);
		rollups.watcher.touched(hours);
		aheadMs += HOUR_MS;
		const cpu = process.cpuUsage();
		const [sumMs] = await timed(() => running.run());
		const { user, system } = process.cpuUsage(cpu);
		await running.stop();
		await rollups.stop();
		const bytes = await bytesIn(join(folder, 'rollups'));
		const minuteBytes = rollups.overflow[0]?.bytes() ?? 0;

		const edges = Array.from({ length: DAYS * 24 + 1 }, (_, hour) => start + hour * HOUR_MS);
		const ask = (points: readonly string[] | null, count = edges.length) =>
			running.aggregate({
				device: METER,
				points: points === null ? null : new Set(points),
				edges: edges.slice(0, count),
				isWanted: () => true,
			});
		rollups = await open();
		running = rollups.begin(input);
		const [firstMs, { buckets }] = await timed(() => ask(['register_0']));
		if (buckets.some((bucket) => bucket.get('register_0')?.numbers?.count !== 3_600))
			throw new Error('hours are missing');
		const one = await costOf(() => ask(['register_0']));
		const all = await costOf(() => ask(null));
		// The same without rollups: a day of samples, decoded and summed up.
		await rollups.watcher.touching(hours.slice(0, 24));
		const raw = times(await costOf(() => ask(['register_0'], 25)), DAYS);
		await running.stop();
		await rollups.stop();
		const peer = await documents(folder, start);

		const rows: readonly Row[] = [
			rowOf('rollups, one point', one),
			rowOf(`rollups, all ${POINTS.length} points`, all),
			rowOf('chunks of samples, one point (a day × 30)', raw),
			rowOf('one document a sample, one point (2 hours × 360)', peer),
		];
		const cost: readonly Row[] = [
			{ figure: 'ms of the first question after the start', value: firstMs },
			{ figure: 'bytes of rollups a sample, minutes included', value: bytes / SAMPLES },
			{ figure: 'without minutes', value: (bytes - minuteBytes) / SAMPLES },
			{ figure: 'µs a sample to read and sum up', value: (sumMs * 1_000) / SAMPLES },
			{ figure: 'of it processor time, all threads', value: (user + system) / SAMPLES },
		];
		return {
			report: [table(rows), table(cost)].join('\n\n'),
			// The best round: the others say what else a shared machine does.
			isWithinLimits: one.bestMs < MOST.hourlyMs && one.bestMs * MOST.ratio <= peer.bestMs,
		};
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}
