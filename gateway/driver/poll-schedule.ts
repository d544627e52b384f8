/** Part of a period that follows the golden ratio: start phases stay spread however many are added. */
const GOLDEN = 0.618_033_988_749_895;

/** A first reading is not kept waiting for a long period: it comes within this time. */
const FIRST_WITHIN_MS = 5000;

/** Whose turn it is, or for how long it is nobody's. */
export type Turn = { readonly id: string } | { readonly waitMs: number };

/**
 * When which device of a line is due: earliest due time first, periods on a fixed grid, missed periods skipped and never
 * stacked. Pure; instants are monotonic, ms.
 */
export interface PollSchedule {
	add(id: string, periodMs: number, nowMs: number): void;
	remove(id: string): void;
	next(nowMs: number): Turn;
	/** The device had its turn: it is due again at its next grid point. @returns the periods that were missed meanwhile. */
	done(id: string, nowMs: number): number;
	/** The device is not due before `untilMs`. */
	postpone(id: string, untilMs: number): void;
	/** Takes back a longer postponement: the device is due at `atMs`, or at its next grid point when that comes first. */
	advance(id: string, atMs: number): void;
}

interface Entry {
	readonly periodMs: number;
	readonly gridMs: number;
	dueMs: number;
}

export function createPollSchedule(): PollSchedule {
	const entries = new Map<string, Entry>();
	let added = 0;

	return {
		add(id, periodMs, nowMs) {
			const phase = (added * GOLDEN) % 1;
			added += 1;
			entries.set(id, {
				periodMs,
				gridMs: nowMs + phase * periodMs,
				dueMs: nowMs + phase * Math.min(periodMs, FIRST_WITHIN_MS),
			});
		},
		remove: (id) => void entries.delete(id),
		next(nowMs) {
			let first: { readonly id: string; readonly dueMs: number } | null = null;
			for (const [id, { dueMs }] of entries) if (first === null || dueMs < first.dueMs) first = { id, dueMs };
			if (first === null) return { waitMs: Number.POSITIVE_INFINITY };
			return first.dueMs <= nowMs ? { id: first.id } : { waitMs: first.dueMs - nowMs };
		},
		done(id, nowMs) {
			const entry = entries.get(id);
			if (entry === undefined) return 0;
			const { periodMs, gridMs, dueMs } = entry;
			// A grid point may come out a rounding error before itself.
			const slot = (ms: number): number => Math.floor((ms - gridMs) / periodMs + 1e-9);
			const missed = Math.max(0, slot(nowMs) - Math.max(slot(dueMs), -1));
			entry.dueMs = gridMs + (slot(nowMs) + 1) * periodMs;
			return missed;
		},
		postpone(id, untilMs) {
			const entry = entries.get(id);
			if (entry !== undefined) entry.dueMs = untilMs;
		},
		advance(id, atMs) {
			const entry = entries.get(id);
			if (entry !== undefined) entry.dueMs = Math.min(entry.dueMs, atMs);
		},
	};
}
