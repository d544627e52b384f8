import type { Clock, EpochMs } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';

/** Something of the history that cannot be read any more. Said, never hidden. */
export interface HistoryLoss {
	/**
	 * `torn-tail`: writing was interrupted; what was in it is still in the journal. `damaged`: bytes that are no record, or a chunk
	 * whose checksum does not hold. `missing`: a file that was there when the history was opened.
	 */
	readonly reason: 'torn-tail' | 'damaged' | 'missing';
	readonly file: string;
	/** Place in the file. */
	readonly offset: number;
	readonly bytes: number;
	/** Samples known to be in it; `null` where nobody can know. */
	readonly samples: number | null;
	/** When it was found. */
	readonly at: EpochMs;
	readonly detail: string;
}

/** Losses kept for `losses()`; the log hears of each. */
const MAX_KEPT = 100;
/** Places that are remembered, so that each is told once. */
const MAX_KNOWN = 10_000;

export function createLossList({ clock, log }: { readonly clock: Clock; readonly log: Logger }) {
	const losses: HistoryLoss[] = [];
	const known = new Set<string>();

	return {
		note: (found: Omit<HistoryLoss, 'at'>): void => {
			const key = `${found.file}:${found.offset}:${found.detail}`;
			if (known.has(key) || known.size >= MAX_KNOWN) return;
			known.add(key);
			const loss = { ...found, at: clock.now() };
			losses.push(loss);
			if (losses.length > MAX_KEPT) losses.shift();
			log.warn('history-loss', { ...found });
		},
		/** Found since the start. */
		count: (): number => known.size,
		all: (): readonly HistoryLoss[] => [...losses],
	};
}

export type NoteLoss = ReturnType<typeof createLossList>['note'];
