import type { LossReason } from '../../core/ledger/stream-range.ts';
import { createRangeSet } from '../../core/ledger/range-set.ts';
import { lastSeq, type Reading } from '../../core/telemetry/reading.ts';
import type { EpochRange } from './not-journalled.ts';

/** Ranges that are looked for at a time; what is asked beyond it is asked again by the next session. */
const MOST_WANTED = 5_000;

/** Readings of the sealed history that have numbers of a range, a page at a time. */
export type SealedReadings = (wanted: EpochRange, signal: AbortSignal) => AsyncIterable<readonly Reading[]>;

export interface SealedAgainDeps {
	readonly find: SealedReadings;
	/** Told of samples that nothing here has any more. */
	readonly gone: (range: EpochRange, reason: LossReason) => void;
}

/** What the hub lacks and the journal has no more, from the sealed history; what is not there either is gone. */
export interface SealedAgain {
	/** @param otherwise why samples are gone that are not found */
	ask(ranges: readonly EpochRange[], otherwise: LossReason): void;
	/** The next readings that were found; empty when nothing is asked, or the search goes on. */
	next(mostSamples: number, signal: AbortSignal): Promise<readonly Reading[]>;
	/** Forgets what was asked. */
	clear(): void;
}

interface Search {
	readonly range: EpochRange;
	readonly otherwise: LossReason;
}

export function createSealedAgain({ find, gone }: SealedAgainDeps): SealedAgain {
	let waiting: Search[] = [];
	let current: AsyncGenerator<readonly Reading[]> | null = null;

	async function* search({ range, otherwise }: Search, signal: AbortSignal): AsyncGenerator<readonly Reading[]> {
		const missing = createRangeSet([range]);
		for await (const page of find(range, signal)) {
			for (const reading of page) missing.remove(reading.firstSeq, lastSeq(reading));
			yield page;
		}
		for (const { first, last } of missing.ranges()) gone({ epoch: range.epoch, first, last }, otherwise);
	}

	async function* all(signal: AbortSignal): AsyncGenerator<readonly Reading[]> {
		for (let wanted = waiting.shift(); wanted !== undefined; wanted = waiting.shift()) yield* search(wanted, signal);
	}

	return {
		ask(ranges, otherwise) {
			for (const range of ranges) if (waiting.length < MOST_WANTED) waiting.push({ range, otherwise });
		},
		async next(mostSamples, signal) {
			const batch: Reading[] = [];
			let samples = 0;
			if (current === null && waiting.length === 0) return batch;
			current ??= all(signal);
			while (samples < mostSamples) {
				const { value: page, done } = await current.next();
				if (done === true) {
					current = null;
					break;
				}
				for (const reading of page) {
					batch.push(reading);
					samples += reading.values.length;
				}
			}
			return batch;
		},
		clear() {
			waiting = [];
			current = null;
		},
	};
}
