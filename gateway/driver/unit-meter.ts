import { createLatencyHistogram, type LatencyHistogram } from './latency-histogram.ts';
import { createUtilisation, type Utilisation } from './utilisation.ts';

/** Counters of one unit of a line since the start. */
export interface UnitCounters {
	requests: number;
	answers: number;
	/** Nothing came in time. */
	timeouts: number;
	/** Something came that was damaged or did not fit. */
	corrupt: number;
	/** What came could have been the late answer to an earlier request, and was not taken. */
	unproven: number;
	/** Requests that were repeated because the first brought no usable answer. */
	retries: number;
	/** Periods in which the unit had no turn. */
	skippedPeriods: number;
}

/** What one unit of a line is measured with. */
export interface UnitMeter {
	readonly unitId: number;
	readonly counters: UnitCounters;
	/** Exceptions by their code (Modbus Application Protocol V1.1b3, section 7). */
	readonly exceptions: Map<number, number>;
	readonly latency: LatencyHistogram;
	/** How much of the line's time this unit takes. */
	readonly utilisation: Utilisation;
}

/** The units of a line that were ever asked, made when they are first asked for. There are 256 at most. */
export interface UnitMeters {
	of(unitId: number): UnitMeter;
	all(): readonly UnitMeter[];
}

/** @param startMs monotonic */
export function createUnitMeters(startMs: () => number): UnitMeters {
	const meters = new Map<number, UnitMeter>();
	return {
		of(unitId) {
			let meter = meters.get(unitId);
			if (meter !== undefined) return meter;
			meter = {
				unitId,
				counters: { requests: 0, answers: 0, timeouts: 0, corrupt: 0, unproven: 0, retries: 0, skippedPeriods: 0 },
				exceptions: new Map(),
				latency: createLatencyHistogram(),
				utilisation: createUtilisation(startMs()),
			};
			meters.set(unitId, meter);
			return meter;
		},
		all: () => [...meters.values()].toSorted((a, b) => a.unitId - b.unitId),
	};
}
