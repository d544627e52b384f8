import type { GatewayId } from '../kernel/id.ts';
import { lastSeq, type Reading } from '../telemetry/reading.ts';
import type { Ledger } from './ledger.ts';

/** A reading whose own time is further from that of its neighbours tells nothing of when its number was given. */
const NEIGHBOUR_MS = 60_000;

interface Run {
	readonly origin: GatewayId;
	readonly epoch: number;
	readonly readings: Reading[];
}

/** Readings of one boot each, in their order. */
function runsOf(readings: readonly Reading[]): readonly Run[] {
	const runs = new Map<string, Run>();
	let current = null as Run | null;
	for (const reading of readings) {
		if (reading.values.length === 0) continue;
		const { origin, epoch } = reading;
		if (current === null || current.epoch !== epoch || current.origin !== origin) {
			const key = `${origin} ${epoch}`;
			const known: Run = runs.get(key) ?? { origin, epoch, readings: [] };
			runs.set(key, known);
			current = known;
		}
		current.readings.push(reading);
	}
	return [...runs.values()];
}

/**
 * HOT: tells a ledger of readings that are on disk, and when their first and last numbers were read. Some readings bring a time of their own, of years
 * ago or of tomorrow: what most of them say counts.
 */
export function noteReadings(ledger: Pick<Ledger, 'commit' | 'mark'>, readings: readonly Reading[]): void {
	for (const { origin, epoch, readings: run } of runsOf(readings)) {
		let range = { origin, epoch, first: -1, last: -1 };
		for (const reading of run) {
			const last = lastSeq(reading);
			if (range.first >= 0 && reading.firstSeq === range.last + 1) range.last = last;
			else {
				if (range.first >= 0) ledger.commit(range);
				range = { origin, epoch, first: reading.firstSeq, last };
			}
		}
		if (range.first >= 0) ledger.commit(range);
		const middle = run.map(({ readAt }) => readAt).toSorted((one, other) => one - other)[run.length >> 1];
		if (middle === undefined) continue;
		const isOrdinary = ({ readAt }: Reading): boolean => Math.abs(readAt - middle) <= NEIGHBOUR_MS;
		const lowest = run.find(isOrdinary);
		const highest = run.findLast(isOrdinary);
		if (lowest !== undefined) ledger.mark(origin, epoch, { seq: lowest.firstSeq, at: lowest.readAt });
		if (highest !== undefined) ledger.mark(origin, epoch, { seq: lastSeq(highest), at: highest.readAt });
	}
}
