import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { decodeBlock, encodeBlock } from '../core/journal/block-codec.ts';
import { openJournal } from '../core/journal/file-journal.ts';
import { epochMs, systemClock } from '../core/kernel/clock.ts';
import { deviceId, newGatewayId } from '../core/kernel/id.ts';
import { silentLog } from '../core/kernel/log.ts';
import type { Reading } from '../core/telemetry/reading.ts';

const ROUNDS = 7;
const COMMITS_PER_ROUND = 40;
const RAW_BYTES_PER_SAMPLE = 20;
const RAW_FILE_BYTES = 8 * 1024 * 1024;
const POINTS_PER_DEVICE = 100;
const POINTS = Array.from({ length: POINTS_PER_DEVICE }, (_, index) => `point_${index}`);
const ORIGIN = newGatewayId();

export interface BenchRow {
	readonly name: string;
	readonly value: number;
	readonly unit: string;
}

const median = (numbers: readonly number[]): number =>
	numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0;

/** Readings of devices with 100 float points, as a Modbus poll makes them; values move with noise. */
function batch(samples: number, firstSeq: number): readonly Reading[] {
	return Array.from({ length: samples / POINTS_PER_DEVICE }, (_, row) => {
		const seq = firstSeq + row * POINTS_PER_DEVICE;
		return {
			device: deviceId(`00000000-0000-4000-8000-${String(row).padStart(12, '0')}`),
			readAt: epochMs(1_790_000_000_000 + seq),
			telemetryType: 'default',
			points: POINTS,
			values: POINTS.map((_name, index) => Math.fround(230 + Math.sin(seq + index) * 5 + Math.random() * 0.1)),
			qualities: null,
			origin: ORIGIN,
			epoch: 1,
			firstSeq: seq,
		};
	});
}

/** The physical limit beside it: 20 bytes per sample into a file that is already there, one fdatasync per batch. */
async function openRaw(folder: string) {
	const file = await open(join(folder, 'raw'), 'w+');
	await file.write(new Uint8Array(RAW_FILE_BYTES), 0, RAW_FILE_BYTES, 0);
	await file.datasync();
	let position = 0;
	return {
		async append(readings: readonly Reading[]): Promise<void> {
			const samples = readings.reduce((sum, reading) => sum + reading.values.length, 0);
			const bytes = new Uint8Array(samples * RAW_BYTES_PER_SAMPLE);
			const view = new DataView(bytes.buffer);
			let at = 0;
			for (const { readAt, firstSeq, values } of readings) {
				for (const [index, value] of values.entries()) {
					view.setUint32(at, firstSeq + index, true);
					view.setFloat64(at + 4, readAt, true);
					view.setFloat64(at + 12, Number(value), true);
					at += RAW_BYTES_PER_SAMPLE;
				}
			}
			if (position + bytes.length > RAW_FILE_BYTES) position = 0;
			await file.write(bytes, 0, bytes.length, position);
			position += bytes.length;
			await file.datasync();
		},
		close: () => file.close(),
	};
}

async function samplesPerSecond(
	samples: number,
	append: (readings: readonly Reading[]) => Promise<void>,
): Promise<number> {
	const batches = Array.from({ length: COMMITS_PER_ROUND }, (_, index) => batch(samples, 1 + index * samples));
	const startMs = performance.now();
	for (const readings of batches) await append(readings);
	return (COMMITS_PER_ROUND * samples * 1000) / (performance.now() - startMs);
}

async function appendRows(samples: number): Promise<readonly BenchRow[]> {
	const folder = await mkdtemp(join(tmpdir(), 'journal-bench-'));
	const raw = await openRaw(folder);
	// `prompt` without a window: each batch is a commit of its own, as it is for the raw file.
	const journal = await openJournal({
		folder: join(folder, 'journal'),
		clock: systemClock,
		log: silentLog,
		promptMs: 0,
	});
	try {
		const journalRates: number[] = [];
		const rawRates: number[] = [];
		for (let round = 0; round < ROUNDS; round += 1) {
			journalRates.push(await samplesPerSecond(samples, (readings) => journal.append(readings, 'prompt')));
			rawRates.push(await samplesPerSecond(samples, (readings) => raw.append(readings)));
		}
		const { writtenBytes, syncs, committedSamples } = journal.stats();
		const name = `append, ${samples} samples per commit`;
		return [
			{ name: `${name}: journal`, value: median(journalRates), unit: 'samples/s' },
			{ name: `${name}: raw file, 20 bytes a sample`, value: median(rawRates), unit: 'samples/s' },
			{ name: `${name}: journal / raw`, value: median(journalRates) / median(rawRates), unit: 'ratio' },
			{ name: `${name}: written`, value: writtenBytes / committedSamples, unit: 'bytes/sample' },
			{ name: `${name}: syncs`, value: (syncs * samples) / committedSamples, unit: 'syncs/commit' },
		];
	} finally {
		await journal.stop();
		await raw.close();
		await rm(folder, { recursive: true, force: true });
	}
}

function codecRows(samples: number): readonly BenchRow[] {
	const readings = batch(samples, 1);
	const encodeUs: number[] = [];
	const decodeUs: number[] = [];
	const block = encodeBlock(readings);
	for (let round = 0; round < 60; round += 1) {
		const startMs = performance.now();
		encodeBlock(readings);
		const middleMs = performance.now();
		decodeBlock(block);
		encodeUs.push(((middleMs - startMs) * 1000) / samples);
		decodeUs.push(((performance.now() - middleMs) * 1000) / samples);
	}
	const name = `standalone block of ${samples} samples`;
	return [
		{ name: `${name}: encode`, value: median(encodeUs), unit: 'us/sample' },
		{ name: `${name}: decode`, value: median(decodeUs), unit: 'us/sample' },
		{ name: `${name}: size`, value: block.length, unit: 'bytes' },
	];
}

/** Durable appends beside the limit of the same disk in the same run, and the cost of the block codec. Some seconds. */
export async function runJournalBench(): Promise<readonly BenchRow[]> {
	codecRows(1000); // the first run compiles
	return [...codecRows(100), ...codecRows(1000), ...(await appendRows(100)), ...(await appendRows(1000))];
}

const [, program] = process.argv;
if (program !== undefined && import.meta.url === pathToFileURL(program).href) {
	for (const { name, value, unit } of await runJournalBench()) console.log(`${name}: ${value.toPrecision(4)} ${unit}`);
}
