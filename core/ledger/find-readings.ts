import { epochMs } from '../kernel/clock.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { HistoryRepository } from '../telemetry/history-repository.ts';
import { lastSeq, type Reading } from '../telemetry/reading.ts';
import { readingPages } from '../telemetry/reading-pages.ts';
import type { Ledger } from './ledger.ts';
import type { StreamRange } from './stream-range.ts';

/** Readings of one moment do not stand in the order of their numbers. */
const MARGIN_MS = 60_000;

/** Readings of the history that have numbers of a range, a page at a time. Rejects when the signal ends it. */
export type FindReadings = (wanted: StreamRange, signal: AbortSignal) => AsyncIterable<readonly Reading[]>;

export interface FindReadingsDeps {
	readonly devices: () => readonly DeviceId[];
	readonly history: Pick<HistoryRepository, 'range'>;
	/** Says when numbers were read. */
	readonly ledger: Pick<Ledger, 'around'>;
}

/** Looks in the history for numbers of a boot: at the time at which they were read, device after device. */
export function createFindReadings({ devices, history, ledger }: FindReadingsDeps): FindReadings {
	return async function* find(wanted: StreamRange, signal: AbortSignal): AsyncGenerator<readonly Reading[]> {
		const span = ledger.around(wanted);
		if (span === null) return;
		const isWanted = (reading: Reading): boolean =>
			reading.origin === wanted.origin &&
			reading.epoch === wanted.epoch &&
			reading.firstSeq <= wanted.last &&
			lastSeq(reading) >= wanted.first;
		const [from, to] = [epochMs(span.from - MARGIN_MS), epochMs(span.to + MARGIN_MS)];
		for (const device of devices()) {
			for await (const page of readingPages(history, { device, from, to })) {
				signal.throwIfAborted();
				yield page.filter(isWanted);
			}
		}
	};
}
