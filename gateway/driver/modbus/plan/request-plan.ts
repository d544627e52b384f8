import type { ReadFunction, TemplatePoint } from '../../../../config/template/template.ts';
import { type LineCost, readCostMs, readsBits } from './line-cost.ts';
import { MAX_BITS_PER_READ, MAX_REGISTERS_PER_READ } from '../wire/modbus-line.ts';

const READ_FUNCTIONS: readonly ReadFunction[] = [1, 2, 3, 4];

/** Addresses the device refuses to have touched, inclusive: learnt from exceptions 2 and 3. */
export interface AddressRange {
	readonly functionCode: ReadFunction;
	readonly first: number;
	readonly last: number;
}

/** One read on the line and the points in its answer. */
export interface ReadRequest {
	readonly functionCode: ReadFunction;
	readonly address: number;
	/** Registers (functions 3 and 4) or bits (1 and 2). */
	readonly count: number;
	/** By address. */
	readonly points: readonly TemplatePoint[];
	/** Keys of the points in the same order: one array for the life of the plan. */
	readonly keys: readonly string[];
}

/** What one device takes. The caps of the specification hold above these. */
export interface PlanLimits {
	readonly maxRegisters: number;
	readonly maxBits: number;
	readonly holes: readonly AddressRange[];
}

const endOf = (point: TemplatePoint): number => point.address + point.count;

/** By address, then size, then key, so that a plan does not depend on the order of the template. */
const byPlace = (left: TemplatePoint, right: TemplatePoint): number =>
	left.address - right.address || left.count - right.count || (left.key < right.key ? -1 : 1);

function capFor(functionCode: ReadFunction, limits: PlanLimits): number {
	return readsBits(functionCode)
		? Math.min(limits.maxBits, MAX_BITS_PER_READ)
		: Math.min(limits.maxRegisters, MAX_REGISTERS_PER_READ);
}

/** Whether one read of function `functionCode` may cover the addresses from `first` up to, not including, `end`. */
function mayRead(functionCode: ReadFunction, first: number, end: number, limits: PlanLimits): boolean {
	if (end - first > capFor(functionCode, limits)) return false;
	return !limits.holes.some((hole) => hole.functionCode === functionCode && hole.first < end && hole.last >= first);
}

/** Whether any read can bring this point: it may be read, fits the caps and lies in no hole. */
const isReadable = (point: TemplatePoint, limits: PlanLimits): boolean =>
	point.access !== 'w' && mayRead(point.functionCode, point.address, endOf(point), limits);

/** The points `planReads` leaves out: write-only, larger than the caps, or in a hole. The caller tells the installer. */
export const unreadablePoints = (points: readonly TemplatePoint[], limits: PlanLimits): readonly TemplatePoint[] =>
	points.filter((point) => !isReadable(point, limits));

function requestOf(functionCode: ReadFunction, points: readonly TemplatePoint[], end: number): ReadRequest {
	const address = points[0]?.address ?? 0;
	return { functionCode, address, count: end - address, points, keys: points.map(({ key }) => key) };
}

/** The cheapest way to read the points up to and including one of them, by its last request. */
interface Step {
	/** Index of the first point of the last request. */
	readonly from: number;
	/** First address after the last request. */
	readonly end: number;
	readonly totalMs: number;
}

/**
 * The cheapest last request that ends with the point at `index`, on top of what the points before it cost.
 * Walking back, a request only grows: the first one that may not be read ends the search.
 */
function cheapestStep(
	sorted: readonly TemplatePoint[],
	index: number,
	steps: readonly Step[],
	cost: LineCost,
	limits: PlanLimits,
): Step {
	let best: Step = { from: index, end: 0, totalMs: Number.POSITIVE_INFINITY };
	let end = 0;
	for (let from = index; from >= 0; from--) {
		const point = sorted[from];
		if (point === undefined) break;
		end = Math.max(end, endOf(point));
		if (!mayRead(point.functionCode, point.address, end, limits)) break;
		const totalMs = (steps[from - 1]?.totalMs ?? 0) + readCostMs(point.functionCode, end - point.address, cost);
		// Of two equally cheap ways the one with the wider last request wins: fewer requests are fewer chances to fail.
		if (totalMs <= best.totalMs) best = { from, end, totalMs };
	}
	return best;
}

/** All points have the same function and are readable. */
function planFunction(
	functionCode: ReadFunction,
	points: readonly TemplatePoint[],
	cost: LineCost,
	limits: PlanLimits,
): readonly ReadRequest[] {
	const sorted = points.toSorted(byPlace);
	const steps: Step[] = [];
	for (let index = 0; index < sorted.length; index++) {
		steps.push(cheapestStep(sorted, index, steps, cost, limits));
	}
	const requests: ReadRequest[] = [];
	for (let last = sorted.length - 1; last >= 0;) {
		const step = steps[last];
		if (step === undefined) break;
		requests.push(requestOf(functionCode, sorted.slice(step.from, last + 1), step.end));
		last = step.from - 1;
	}
	return requests.toReversed();
}

/**
 * The reads that bring all points in the least time on the line: neighbours are merged, also across registers nobody asked for,
 * as long as that is cheaper than another request. A point is never split, a cap never exceeded, a hole never touched. Points
 * that no read can bring are left out (`unreadablePoints`).
 *
 * Done once, when a configuration is applied. Pure; the order of `points` makes no difference.
 */
export function planReads(
	points: readonly TemplatePoint[],
	cost: LineCost,
	limits: PlanLimits,
): readonly ReadRequest[] {
	const readable = points.filter((point) => isReadable(point, limits));
	return READ_FUNCTIONS.flatMap((functionCode) =>
		planFunction(
			functionCode,
			readable.filter((point) => point.functionCode === functionCode),
			cost,
			limits,
		),
	);
}
