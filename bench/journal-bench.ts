import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { decodeBlock, encodeBlock } from '../core/journal/block-codec.ts';
import { openJournal } from '../core/journal/file-journal.ts';
import { systemClock } from '../core/kernel/clock.ts';
import { newGatewayId } from '../core/kernel/id.ts';
import { silentLog } from '../core/kernel/log.ts';
import { openDatabase } from '../core/storage/pouch.ts';
import type { Reading } from '../core/telemetry/reading.ts';
import { plausibleReadings } from './plausible-readings.ts';
import { median, type Row, table } from './table.ts';

const ROUNDS = 11;
/** Rounds that are not counted: the compiler is done after them. */
const WARM_ROUNDS = 3;
const COMMITS_PER_ROUND = 40;
/** The documents take a hundred times as long, and leave work behind that would disturb the others: they come last. */
const DOCUMENT_COMMITS = 10;
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

/** One document a sample, each batch with a flush of its own: what a document database makes of telemetry. */
function openDocuments(folder: string) {
	const database = openDatabase(join(folder, 'pouch'));
	let round = 0;
	return {
		async append(readings: readonly Reading[]): Promise<void> {
			round += 1;
			await database.bulkDocs(
				readings.flatMap(({ device, readAt, points, values }) =>
					points.map((point, index) => ({ _id: `${device}!${round}!${point}!${readAt}`, value: values[index] })),
				),
			);
		},
		close: () => database.close(),
	};
}

type Append = (readings: readonly Reading[]) => Promise<void>;

async function timedMs(append: Append, readings: readonly Reading[]): Promise<number> {
	const startMs = performance.now();
	await append(readings);
	return performance.now() - startMs;
}

/** Samples a second of each, in the order given. They take turns commit by commit, so that a disk that others use is as slow for each. */
async function samplesPerSecond(
	samples: number,
	commits: number,
	contenders: readonly Append[],
): Promise<readonly number[]> {
	const batches = Array.from({ length: commits }, (_, index) => batch(samples, 1 + index * samples));
	const spentMs = contenders.map(() => 0);
	for (const [turn, readings] of batches.entries())
		for (const offset of contenders.keys()) {
			const index = (turn + offset) % contenders.length;
			const append = contenders[index];
			if (append !== undefined) spentMs[index] = (spentMs[index] ?? 0) + (await timedMs(append, readings));
		}
	return spentMs.map((ms) => (commits * samples * 1000) / ms);
}

interface Appended {
	readonly row: Row;
	readonly isWithinLimits: boolean;
}

async function appended(samples: number): Promise<Appended> {
	const folder = await mkdtemp(join(tmpdir(), 'journal-bench-'));
	const raw = await openRaw(folder);
	const documents = openDocuments(folder);
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
			const [journalRate = 0, rawRate = 0] = await samplesPerSecond(samples, COMMITS_PER_ROUND, [
				(readings) => journal.append(readings, 'prompt'),
				(readings) => raw.append(readings),
			]);
			if (round < 0) continue;
			journalRates.push(journalRate);
			rawRates.push(rawRate);
		}
		const [documentRate = 0] = await samplesPerSecond(samples, DOCUMENT_COMMITS, [
			(readings) => documents.append(readings),
		]);
		const { writtenBytes, syncs, committedSamples } = journal.stats();
		const ratios = journalRates.map((rate, round) => rate / (rawRates[round] ?? Number.NaN));
		const bytesPerSample = writtenBytes / committedSamples;
		const syncsPerCommit = (syncs * samples) / committedSamples;
		return {
			row: {
				'samples per commit': samples,
				'journal samples/s': Math.round(median(journalRates)),
				'raw samples/s': Math.round(median(rawRates)),
				'PouchDB samples/s': Math.round(documentRate),
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
		await documents.close();
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
