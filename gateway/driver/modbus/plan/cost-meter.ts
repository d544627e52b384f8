import type { Line } from '../../../../config/connection/connection.ts';
import { costOf, type LineCost, readCostMs, readsBits, USUAL_ROUND_TRIP_MS, USUAL_TURNAROUND_MS } from './line-cost.ts';
import type { ReadRequest } from './request-plan.ts';

/** Answers that are looked at: the newest ones. */
const KEPT = 64;
/** Fewer say nothing. */
const ENOUGH = 8;
/** Reads must differ this much in length to tell what a register costs from what a request does. */
const LENGTH_RATIO = 2;

/** What reads of one device really cost, from its answers. */
export interface CostMeter {
	/** @param latencyMs from the hand-over of the request to the last byte of the answer */
	add(request: Pick<ReadRequest, 'functionCode' | 'count'>, latencyMs: number): void;
	/** The cost model with what was measured; what the line would cost with a usual device while that is too little. */
	cost(): LineCost;
}

const medianOf = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

interface Seen {
	readonly registers: number;
	readonly latencyMs: number;
}

/** The line through what reads of different lengths usually took; `null` when their lengths are too much alike. */
function fit(seen: readonly Seen[]): { readonly requestMs: number; readonly registerMs: number } | null {
	const byLength = new Map<number, number[]>();
	for (const { registers, latencyMs } of seen) byLength.set(registers, [...(byLength.get(registers) ?? []), latencyMs]);
	const usual = [...byLength].map(([registers, all]) => ({ registers, latencyMs: medianOf(all), weight: all.length }));
	const lengths = usual.map(({ registers }) => registers);
	if (Math.max(...lengths) < LENGTH_RATIO * Math.min(...lengths)) return null;
	const total = usual.reduce((sum, { weight }) => sum + weight, 0);
	const meanLength = usual.reduce((sum, { registers, weight }) => sum + weight * registers, 0) / total;
	const meanMs = usual.reduce((sum, { latencyMs, weight }) => sum + weight * latencyMs, 0) / total;
	let spread = 0;
	let joint = 0;
	for (const { registers, latencyMs, weight } of usual) {
		spread += weight * (registers - meanLength) ** 2;
		joint += weight * (registers - meanLength) * (latencyMs - meanMs);
	}
	const registerMs = Math.max(0, joint / spread);
	return { registerMs, requestMs: Math.max(0, meanMs - registerMs * meanLength) };
}

/** @param guardMs silence that the device wants before each request, ms: it costs the line as much as a slow answer */
export function createCostMeter(line: Line, guardMs: number): CostMeter {
	const seen: Seen[] = [];
	const turnarounds: number[] = [];
	/** What the bytes alone take. */
	const bare = costOf(line, 0);
	let next = 0;

	return {
		add({ functionCode, count }, latencyMs) {
			seen[next] = { registers: readsBits(functionCode) ? count / 16 : count, latencyMs };
			turnarounds[next] = Math.max(0, latencyMs - readCostMs(functionCode, count, bare));
			next = (next + 1) % KEPT;
		},
		cost() {
			const isKnown = seen.length >= ENOUGH;
			if (line.transport !== 'tcp') {
				return costOf(line, (isKnown ? medianOf(turnarounds) : USUAL_TURNAROUND_MS) + guardMs);
			}
			const fitted = isKnown ? fit(seen) : null;
			if (fitted !== null) return costOf(line, fitted.requestMs + guardMs, fitted.registerMs);
			const roundTripMs = isKnown ? medianOf(seen.map(({ latencyMs }) => latencyMs)) : USUAL_ROUND_TRIP_MS;
			return costOf(line, roundTripMs + guardMs);
		},
	};
}
