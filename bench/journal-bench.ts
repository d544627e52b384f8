import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { decodeBlock, encodeBlock } from '../core/journal/block-codec.ts';
import { openJournal } from '../core/journal/file-journal.ts';
import { systemClock } from '../core/kernel/clock.ts';
import { newGatewayId } from '../core/kernel/id.ts';
import { silentLog } from '../core/kernel/log.ts';
import type { Reading } from '../core/telemetry/reading.ts';
import { plausibleReadings } from './plausible-readings.ts';
import { median, type Row, table } from './table.ts';

const ROUNDS = 9;
/** Rounds that are not counted: the compiler is done after them. */
const WARM_ROUNDS = 3;
const COMMITS_PER_ROUND = 40;
const CODEC_ROUNDS = 60;
const RAW_BYTES_PER_SAMPLE = 20;
const RAW_FILE_BYTES = 8 * 1024 * 1024;
const ORIGIN = newGatewayId();

/** What the journal may be of a raw file's rate, by samples per commit, and its most bytes per sample. */
const LEAST_RATIO: Readonly<Record<number, number>> = { 100: 0.75, 1000: 0.5 };
const MOST_BYTES_PER_SAMPLE = 15;

const batch = (samples: number, firstSeq: number): readonly Reading[] =>
	plausibleReadings({ origin: ORIGIN, epoch: 1, samples, firstSeq });

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

interface Appended {
	readonly row: Row;
	readonly isWithinLimits: boolean;
}

async function appended(samples: number): Promise<Appended> {
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
		for (let round = -WARM_ROUNDS; round < ROUNDS; round += 1) {
			const journalRate = await samplesPerSecond(samples, (readings) => journal.append(readings, 'prompt'));
			const rawRate = await samplesPerSecond(samples, (readings) => raw.append(readings));
			if (round < 0) continue;
			journalRates.push(journalRate);
			rawRates.push(rawRate);
		}
		const { writtenBytes, syncs, committedSamples } = journal.stats();
		const ratios = journalRates.map((rate, round) => rate / (rawRates[round] ?? Number.NaN));
		const bytesPerSample = writtenBytes / committedSamples;
		const syncsPerCommit = (syncs * samples) / committedSamples;
		return {
			row: {
				'samples per commit': samples,
				'journal samples/s': median(journalRates),
				'raw samples/s': median(rawRates),
				'journal / raw': median(ratios),
				lowest: Math.min(...ratios),
				highest: Math.max(...ratios),
				'bytes/sample': bytesPerSample,
				'syncs/commit': syncsPerCommit,
			},
			isWithinLimits:
				median(ratios) >= (LEAST_RATIO[samples] ?? 0) &&
				bytesPerSample <= MOST_BYTES_PER_SAMPLE &&
				syncsPerCommit === 1,
		};
	} finally {
		await journal.stop();
		await raw.close();
		await rm(folder, { recursive: true, force: true });
	}
}

function codecRow(samples: number): Row {
	const readings = batch(samples, 1);
	const encodeUs: number[] = [];
	const decodeUs: number[] = [];
	const block = encodeBlock(readings);
	for (let round = 0; round < CODEC_ROUNDS; round += 1) {
		const startMs = performance.now();
		encodeBlock(readings);
		const middleMs = performance.now();
		decodeBlock(block);
		encodeUs.push(((middleMs - startMs) * 1000) / samples);
		decodeUs.push(((performance.now() - middleMs) * 1000) / samples);
	}
	return {
		'samples per block': samples,
		'encode us/sample': median(encodeUs),
		'decode us/sample': median(decodeUs),
		'bytes/sample': block.length / samples,
	};
}

/** Durable appends beside the limit of the same disk in the same run, and the cost of the block codec. Some seconds. */
export async function runJournalBench(): Promise<{ readonly report: string; readonly isWithinLimits: boolean }> {
	codecRow(1000); // the first run compiles
	const appends = [await appended(100), await appended(1000)];
	return {
		report: [table(appends.map(({ row }) => row)), table([codecRow(100), codecRow(1000)])].join('\n\n'),
		isWithinLimits: appends.every(({ isWithinLimits }) => isWithinLimits),
	};
}
