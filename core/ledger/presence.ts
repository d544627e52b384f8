import { type EpochMs, epochMs } from '../kernel/clock.ts';
import { EVENT_TYPES, type Reading } from '../telemetry/reading.ts';
import type { Span } from './time-marks.ts';

/** When a device had values, and when its gateway was told of failures instead. */
export interface Presence {
	/** Readings in the order of their instants. */
	add(reading: Reading): void;
	seen(): readonly Span[];
	faults(): readonly Span[];
}

const isFailure = ({ qualities }: Reading): boolean =>
	qualities !== null && qualities.length > 0 && qualities.every((quality) => quality === 'comm_error');

function joined(spans: Span[], at: EpochMs, toleranceMs: number): void {
	const last = spans.at(-1);
	if (last !== undefined && at - last.to <= toleranceMs) spans[spans.length - 1] = { from: last.from, to: at };
	else spans.push({ from: at, to: at });
}

/**
 * Joins readings that follow each other within the tolerance.
 * @param until where the period ends, and nothing more can be known: what was seen a moment before counts up to there
 */
export function createPresence(toleranceMs: number, until: EpochMs): Presence {
	const seen: Span[] = [];
	const faults: Span[] = [];
	const upTo = (spans: readonly Span[]): readonly Span[] => {
		const last = spans.at(-1);
		if (last === undefined || last.to >= until || until - last.to > toleranceMs) return spans;
		return [...spans.slice(0, -1), { from: last.from, to: epochMs(until) }];
	};
	return {
		add(reading) {
			if (EVENT_TYPES.has(reading.telemetryType)) return;
			joined(isFailure(reading) ? faults : seen, reading.readAt, toleranceMs);
		},
		seen: () => upTo(seen),
		faults: () => upTo(faults),
	};
}
