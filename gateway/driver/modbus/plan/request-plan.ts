import type { ReadFunction, TemplatePoint } from '../../../../config/template/template.ts';
import { type LineCost, readCostMs, readsBits } from './line-cost.ts';
import { factorSpans } from './factor-spans.ts';
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

/** Addresses that have to come in one read. */
type Place = Pick<TemplatePoint, 'address' | 'count'>;

const endOf = (place: Place): number => place.address + place.count;

/** By address, then size, then key, so that a plan does not depend on the order of the template. */
const byPlace = (left: TemplatePoint, right: TemplatePoint): number =>
	left.address - right.address || left.count - right.count || (left.key < right.key ? -1 : 1);

function capFor(functionCode: ReadFunction, limits: PlanLimits): number {
	return readsBits(functionCode)
		? Math.min(limits.maxBits, MAX_BITS_PER_READ)
		: Math.min(limits.maxRegisters, MAX_REGISTERS_PER_READ);
}

/** @returns from an address, the first one at or after it that no read of this function may touch; `Infinity` when there is none */
function holesOf(functionCode: ReadFunction, holes: readonly AddressRange[]): (address: number) => number {
	const firsts: number[] = [];
	const lasts: number[] = [];
	const alike = holes.filter((hole) => hole.functionCode === functionCode);
	for (const { first, last } of alike.toSorted((one, other) => one.first - other.first)) {
		const end = lasts.at(-1) ?? Number.NEGATIVE_INFINITY;
		if (first > end + 1) {
			firsts.push(first);
			lasts.push(last);
		} else lasts[lasts.length - 1] = Math.max(end, last);
	}
	return (address) => {
		let low = 0;
		let high = lasts.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((lasts[middle] ?? 0) < address) low = middle + 1;
			else high = middle;
		}
		return Math.max(address, firsts[low] ?? Number.POSITIVE_INFINITY);
	};
}

/** @returns from the first address of a read, the end it may have at most (the first address that is not in it) */
function farthestOf(functionCode: ReadFunction, limits: PlanLimits): (address: number) => number {
	const cap = capFor(functionCode, limits);
	const nextHole = holesOf(functionCode, limits.holes);
	return (address) => Math.min(address + cap, nextHole(address));
}

/** Whether a read can bring a point: it may be read, fits the caps and lies in no hole. */
function readableBy(limits: PlanLimits): (point: TemplatePoint) => boolean {
	const farthest = new Map(READ_FUNCTIONS.map((functionCode) => [functionCode, farthestOf(functionCode, limits)]));
	return (point) => point.access !== 'w' && endOf(point) <= (farthest.get(point.functionCode)?.(point.address) ?? 0);
}

/** The points `planReads` leaves out: write-only, larger than the caps, or in a hole. The caller tells the installer. */
export function unreadablePoints(points: readonly TemplatePoint[], limits: PlanLimits): readonly TemplatePoint[] {
	const isReadable = readableBy(limits);
	return points.filter((point) => !isReadable(point));
}

function requestOf(functionCode: ReadFunction, points: readonly TemplatePoint[], end: number): ReadRequest {
	const address = points[0]?.address ?? 0;
	return { functionCode, address, count: end - address, points, keys: points.map(({ key }) => key) };
}

/**
 * The places that decide the plan: one that lies within another comes with it for nothing, in any plan.
 * @param sorted by place
 * @returns their indices; those between two of them come with the first
 */
function decisive(sorted: readonly Place[]): Int32Array {
	const found = new Int32Array(sorted.length);
	let count = 0;
	let reach = 0;
	for (const [index, point] of sorted.entries()) {
		if (endOf(point) <= reach) continue;
		found[count] = index;
		count += 1;
		reach = endOf(point);
	}
	return found.subarray(0, count);
}

/** Where a request may begin. */
interface Begin {
	/** Of its first point. */
	readonly index: number;
	/** What comes before it, less the cost of the addresses before it. */
	readonly worthMs: number;
	/** The end that a request from here may have at most. */
	readonly most: number;
}

const isDearer = (begin: Begin | undefined, than: Begin): boolean =>
	begin !== undefined && begin.worthMs > than.worthMs;
const reaches = (begin: Begin | undefined, end: number): boolean => begin === undefined || begin.most >= end;

/**
 * For each number of places, where the last request begins (an index) of the cheapest way to read so many.
 *
 * With cost = request + unit x (end - start), the last request before an end is cheapest where (cost of what comes before it) -
 * unit x start is least, among the starts that may still reach so far. Starts and ends both grow, so those starts form a window that
 * only moves on, whose least is kept at the head of a queue: one step for each place, however many fit a read.
 */
function cheapestBegins(
	functionCode: ReadFunction,
	places: readonly Place[],
	farthest: (address: number) => number,
	cost: LineCost,
): readonly number[] {
	const requestMs = readCostMs(functionCode, 0, cost);
	const unitMs = readCostMs(functionCode, 1, cost) - requestMs;
	const begins = [0];
	const queue: Begin[] = [];
	let head = 0;
	let totalMs = 0;
	for (const [index, place] of places.entries()) {
		const own = { index, worthMs: totalMs - unitMs * place.address, most: farthest(place.address) };
		const end = endOf(place);
		// Of two equally cheap ways the one with the wider last request wins: fewer requests are fewer chances to fail.
		while (queue.length > head && isDearer(queue.at(-1), own)) queue.pop();
		queue.push(own);
		while (!reaches(queue[head], end)) head += 1;
		const best = queue[head] ?? own;
		begins.push(best.index);
		totalMs = best.worthMs + requestMs + unitMs * end;
	}
	return begins;
}

const isPoint = (place: Place | TemplatePoint): place is TemplatePoint => 'key' in place;

/** All points have the same function and are readable. */
function planFunction(
	functionCode: ReadFunction,
	points: readonly TemplatePoint[],
	cost: LineCost,
	limits: PlanLimits,
): readonly ReadRequest[] {
	const farthest = farthestOf(functionCode, limits);
	const sorted = points.toSorted(byPlace);
	// Of two places that begin alike, the one that covers the other comes first and decides.
	const all = [...factorSpans(sorted, farthest), ...sorted].toSorted((one, other) => one.address - other.address);
	const places = decisive(all);
	const deciding = Array.from(places, (place) => all[place]).filter((place) => place !== undefined);
	const begins = cheapestBegins(functionCode, deciding, farthest, cost);
	const requests: ReadRequest[] = [];
	for (let read = deciding.length; read > 0; read = begins[read] ?? 0) {
		const last = deciding[read - 1];
		const group = all.slice(places[begins[read] ?? 0], places[read] ?? all.length).filter(isPoint);
		requests.push(requestOf(functionCode, group, last === undefined ? 0 : endOf(last)));
	}
	return requests.toReversed();
}

/**
 * The reads that bring all points in the least time on the line: neighbours are merged, also across registers nobody asked for,
 * as long as that is cheaper than another request. A point is never split, a cap never exceeded, a hole never touched. Values and the scale
 * factor they need come in one read where a read can carry them. Points that no read can bring are left out (`unreadablePoints`).
 *
 * Done once, when a configuration is applied. Pure; the order of `points` makes no difference.
 */
export function planReads(
	points: readonly TemplatePoint[],
	cost: LineCost,
	limits: PlanLimits,
): readonly ReadRequest[] {
	const readable = points.filter(readableBy(limits));
	return READ_FUNCTIONS.flatMap((functionCode) =>
		planFunction(
			functionCode,
			readable.filter((point) => point.functionCode === functionCode),
			cost,
			limits,
		),
	);
}
