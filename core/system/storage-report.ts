import type { OverflowNote } from '../history/overflow-log.ts';
import type { JournalStats } from '../journal/journal.ts';
import type { DataUsage } from './data-usage.ts';
import type { Written } from './write-meter.ts';

const YEAR_DAYS = 365.25;
/** Nothing is promised beyond: other parts of a card age too. */
const MOST_YEARS = 100;

/** The medium under the data folder. */
export interface CardFacts {
	/** GB (10^9 bytes); 0: that of the file system. */
	readonly capacityGb: number;
	/** How often the whole of it can be written. */
	readonly enduranceCycles: number;
	/** Bytes that the medium writes for one that it is given. */
	readonly writeAmplification: number;
}

/** What the journal is allowed and made to do. */
export interface JournalBounds {
	readonly flushIntervalMs: number;
	readonly flushBytes: number;
	readonly maxBytes: number;
	readonly minFreeBytes: number;
}

export interface StorageReport {
	readonly data: DataUsage;
	readonly journal: JournalStats;
	readonly bounds: JournalBounds;
	readonly written: Written;
	/** What the history let go of, oldest first. */
	readonly overflow: readonly OverflowNote[];
	readonly card: CardFacts & {
		readonly capacityBytes: number;
		/** At the pace of `written`; `null` before there is one, 100 at most. */
		readonly projectedLifeYears: number | null;
	};
}

/** Years until a medium has been written as often as it stands. */
export function projectedLifeYears(
	capacityBytes: number,
	{ enduranceCycles, writeAmplification }: Pick<CardFacts, 'enduranceCycles' | 'writeAmplification'>,
	bytesPerDay: number,
): number {
	const years = (capacityBytes * enduranceCycles) / (bytesPerDay * writeAmplification * YEAR_DAYS);
	return Math.min(MOST_YEARS, years);
}

/** What the box stores, what it wears, and what a power cut would cost now. */
export function storageReport(
	known: Pick<StorageReport, 'data' | 'journal' | 'bounds' | 'written' | 'overflow'>,
	card: CardFacts,
): StorageReport {
	const capacityBytes = card.capacityGb === 0 ? known.data.totalBytes : card.capacityGb * 1e9;
	const { bytesPerDay } = known.written;
	const perDay = bytesPerDay === null ? null : Object.values(bytesPerDay).reduce((sum, bytes) => sum + bytes, 0);
	return {
		...known,
		card: {
			...card,
			capacityBytes,
			projectedLifeYears: perDay === null ? null : projectedLifeYears(capacityBytes, card, perDay),
		},
	};
}
