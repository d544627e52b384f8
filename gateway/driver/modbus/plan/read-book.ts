import type { DeviceTemplate, TemplatePoint } from '../../../../config/template/template.ts';
import { SETTING_PERIOD_MS } from '../../../../core/telemetry/point-facts.ts';
import type { PollGrid } from '../../poll-grid.ts';
import { blockOf, uncovered } from './address-holes.ts';
import { type Learnt, NOTHING_LEARNT } from './learnt.ts';
import { readsBits } from './line-cost.ts';
import { createPollGroups, periodOf, type PollTiming } from './poll-groups.ts';
import type { RepeatedRead } from './bus-budget.ts';
import { MAX_BITS_PER_READ } from '../wire/modbus-line.ts';
import { createReadCaps } from './read-caps.ts';
import type { AddressRange, PlanLimits, ReadRequest } from './request-plan.ts';

/** A refused point may be there after a firmware update: it is asked this seldom. */
const RETRY_MS = SETTING_PERIOD_MS;

/** A request that is silent while its device answers others is paused this many times as long as it took. */
const PAUSE_PER_SPENT = 20;
const MOST_PAUSE_MS = 30_000;
/** Some devices are silent to a read they do not allow: after so many times in a row it is treated like a refused one. */
const SILENT_IS_REFUSED = 6;

/** Holes that are remembered of one device. A map with more of them is read point by point sooner or later. */
const MOST_HOLES = 256;

/** A request with the grid on which it is due. Instants are monotonic, ms. */
export interface ReadSlot {
	readonly request: ReadRequest;
	/** `null`: due by itself, a refused point that is looked for again. */
	readonly grid: PollGrid | null;
	/** The search for bad addresses it is part of. */
	readonly hunt: Hunt | null;
	notBeforeMs: number;
	silentCount: number;
}

/** The search for what a device refuses within one request: its points are asked in ever smaller groups. */
interface Hunt {
	readonly request: ReadRequest;
	/** Parts that neither were answered nor narrowed down to one refused point. */
	open: number;
	readonly answered: ReadRequest[];
	readonly refused: AddressRange[];
}

/** The smaller requests to ask now, and the points that were given up. */
export interface Refusal {
	readonly ask: readonly ReadSlot[];
	readonly givenUp: readonly TemplatePoint[];
}

/** What is asked of one device and what was learnt about it. */
export interface ReadBook {
	/** The requests that have become due since the last call, the most frequent first. */
	begin(nowMs: number): ReadSlot[];
	/** All that was due on this grid was asked. @returns the periods that were missed meanwhile; `null` when it was not begun or is planned anew */
	finish(grid: PollGrid, nowMs: number): number | null;
	/** When `begin` has something again; `Infinity`: never. */
	nextDueMs(): number;
	/** The requests of the shortest period; all that there are when none is asked periodically. */
	regular(): readonly ReadSlot[];
	/** One short read that a device which is there answers in any case; `null` when nothing is read. */
	probe(): ReadSlot | null;
	/** All reads with their periods, for reckoning what they cost. */
	repeated(): readonly RepeatedRead[];
	/** Those whose values are soon too old; all that there are when there is none. */
	perishable(): readonly ReadSlot[];
	answered(slot: ReadSlot, nowMs: number): void;
	/** The device does not have what was asked for. */
	refused(slot: ReadSlot, nowMs: number): Refusal;
	/**
	 * Nothing usable came.
	 * @param answersOthers whether the device answered something since this slot was silent for the first time
	 * @param isMaybeRefusal whether silence may be how it refuses
	 */
	silent(slot: ReadSlot, nowMs: number, spentMs: number, answersOthers: boolean, isMaybeRefusal: boolean): Refusal;
	/** The device is lost, or its line: the round is over, and what is read once is read again when it comes back. */
	lost(nowMs: number): void;
	/** It is back: everything is due now, and nothing that came due meanwhile counts as missed. */
	back(nowMs: number): void;
	has(slot: ReadSlot): boolean;
	/** Grows with everything that is learnt. */
	readonly lessons: number;
	/** Plans anew, e.g. because the line's cost is known better. */
	replan(nowMs: number): void;
	/** Keys of the points that the device refuses. */
	refusedKeys(): readonly string[];
	learnt(): Learnt;
	/** Addresses and sizes found out so far; they shape each plan from then on. */
	limits(): PlanLimits;
}

interface ReadBookDeps {
	readonly template: Pick<DeviceTemplate, 'points' | 'maxRegistersPerRead' | 'maxBitsPerRead' | 'holes'>;
	/** Most registers of one read at this device; absent: as the template says. */
	readonly maxRegisters?: number | undefined;
	readonly timing: PollTiming;
	readonly plan: (points: readonly TemplatePoint[], limits: PlanLimits) => readonly ReadRequest[];
	readonly learnt?: Learnt;
}

const NOTHING: Refusal = { ask: [], givenUp: [] };

export function createReadBook(deps: ReadBookDeps): ReadBook {
	const { template, maxRegisters, timing, plan, learnt = NOTHING_LEARNT } = deps;
	const groups = createPollGroups(timing);
	const readable = template.points.filter((point) => periodOf(point, timing) !== null);
	const refusedPoints = new Map(
		readable.filter(({ key }) => learnt.refused.includes(key)).map((point) => [point.key, point]),
	);
	const holes: AddressRange[] = [...learnt.holes];
	const caps = createReadCaps(
		{
			maxRegisters: maxRegisters ?? template.maxRegistersPerRead,
			maxBits: template.maxBitsPerRead ?? MAX_BITS_PER_READ,
		},
		learnt,
	);
	const begun = new Set<PollGrid>();
	let slots: ReadSlot[] = [];
	let lessons = 0;
	let known = new Set<ReadSlot>();

	const live = (): readonly TemplatePoint[] => readable.filter(({ key }) => !refusedPoints.has(key));

	const allHoles = (): readonly AddressRange[] => [...(template.holes ?? []), ...holes];

	/** A hole ends where a point begins that the device has: points may overlap, and refused ones may come back. */
	const limits = (): PlanLimits => {
		const { maxRegisters: registers, maxBits } = caps;
		return { maxRegisters: registers, maxBits, holes: allHoles().flatMap((hole) => uncovered(blockOf(hole), live())) };
	};

	const slotsOf = (
		wanted: readonly TemplatePoint[],
		grid: PollGrid | null,
		notBeforeMs: number,
		hunt: Hunt | null,
		within = limits(),
	): ReadSlot[] => plan(wanted, within).map((request) => ({ request, grid, hunt, notBeforeMs, silentCount: 0 }));

	function keep(next: ReadSlot[]): void {
		slots = next;
		known = new Set(next);
	}

	function byPeriod(wanted: readonly TemplatePoint[]): readonly [number, readonly TemplatePoint[]][] {
		const found = new Map<number, TemplatePoint[]>();
		for (const point of wanted) {
			const periodMs = periodOf(point, timing) ?? Number.POSITIVE_INFINITY;
			const group = found.get(periodMs);
			if (group === undefined) found.set(periodMs, [point]);
			else group.push(point);
		}
		return [...found].toSorted(([left], [right]) => left - right);
	}

	function rebuild(nowMs: number): void {
		const pausedUntil = new Map(
			slots.flatMap(({ request, notBeforeMs }) => request.keys.map((key) => [key, notBeforeMs])),
		);
		const within = limits();
		// A refused point is asked for by itself, in the middle of its hole.
		const anywhere = { ...within, holes: [] };
		const next = [
			...byPeriod(live()).flatMap(([periodMs, group]) => slotsOf(group, groups.gridOf(periodMs), nowMs, null, within)),
			...[...refusedPoints.values()].flatMap((point) => slotsOf([point], null, nowMs + RETRY_MS, null, anywhere)),
		];
		for (const slot of next) {
			const until = slot.request.keys.map((key) => pausedUntil.get(key) ?? slot.notBeforeMs);
			slot.notBeforeMs = until.reduce((most, ms) => Math.max(most, ms), Number.NEGATIVE_INFINITY);
		}
		keep(next);
		// What this round has not come to yet is in other requests now.
		begun.clear();
	}

	/** Longer reads are tried step by step after one was too long, where that can save requests. */
	function settleCaps(functionCode: ReadRequest['functionCode']): void {
		const alike = live().filter((point) => readsBits(point.functionCode) === readsBits(functionCode));
		caps.settle(functionCode, (sizes) => plan(alike, { ...limits(), ...sizes }).length);
	}

	/**
	 * Each part of the search has an outcome. Refused points explain the refusal; without one it was the addresses between the
	 * points; without such addresses the request was too long. When the explanation is not all, the next request tells.
	 */
	function conclude(hunt: Hunt, nowMs: number): void {
		lessons += 1;
		const { request, answered } = hunt;
		const found = hunt.refused.length > 0 ? hunt.refused : uncovered(request, answered);
		holes.push(...found);
		holes.splice(0, holes.length - MOST_HOLES);
		if (found.length === 0) {
			// A point longer than that was never refused: it stays readable.
			const isBits = readsBits(request.functionCode);
			const alike = live().filter(({ functionCode }) => readsBits(functionCode) === isBits);
			caps.tooLong(request, Math.max(...[...answered, ...alike].map(({ count }) => count)));
			settleCaps(request.functionCode);
		}
		rebuild(nowMs);
	}

	function settle(hunt: Hunt, nowMs: number): void {
		hunt.open -= 1;
		if (hunt.open === 0) conclude(hunt, nowMs);
	}

	function split(slot: ReadSlot, nowMs: number): readonly ReadSlot[] {
		const { request, grid } = slot;
		const hunt = slot.hunt ?? { request, open: 1, answered: [], refused: [] };
		const middle = Math.ceil(request.points.length / 2);
		const halves = [request.points.slice(0, middle), request.points.slice(middle)];
		const parts = halves.flatMap((half) => slotsOf(half, grid, nowMs, hunt));
		hunt.open += parts.length - 1;
		keep(slots.flatMap((other) => (other === slot ? parts : [other])));
		return parts;
	}

	function refused(slot: ReadSlot, nowMs: number): Refusal {
		slot.silentCount = 0;
		const { request, hunt } = slot;
		if (request.points.length > 1) return { ask: split(slot, nowMs), givenUp: [] };
		const givenUp = request.points.filter(({ key }) => !refusedPoints.has(key));
		for (const point of request.points) refusedPoints.set(point.key, point);
		slot.notBeforeMs = nowMs + RETRY_MS;
		lessons += givenUp.length;
		if (hunt === null) {
			if (givenUp.length > 0) rebuild(nowMs);
			return { ask: [], givenUp };
		}
		const { functionCode, address, count } = request;
		hunt.refused.push({ functionCode, first: address, last: address + count - 1 });
		settle(hunt, nowMs);
		return { ask: [], givenUp };
	}

	const isDue = ({ grid, notBeforeMs }: ReadSlot, nowMs: number): boolean =>
		notBeforeMs <= nowMs && (grid === null || (grid.dueMs <= nowMs && !begun.has(grid)));

	rebuild(timing.startMs);

	return {
		begin(nowMs) {
			const due = slots.filter((slot) => isDue(slot, nowMs));
			for (const { grid } of due) if (grid !== null) begun.add(grid);
			return due;
		},
		finish(grid, nowMs) {
			return begun.delete(grid) ? grid.done(nowMs) : null;
		},
		nextDueMs() {
			let next = Number.POSITIVE_INFINITY;
			for (const { grid, notBeforeMs } of slots)
				next = Math.min(next, Math.max(notBeforeMs, grid?.dueMs ?? notBeforeMs));
			return next;
		},
		regular() {
			const periodic = slots.filter(({ grid }) => grid !== null && Number.isFinite(grid.periodMs));
			const first = periodic[0]?.grid;
			return periodic.length > 0 ? periodic.filter(({ grid }) => grid === first) : slots;
		},
		probe() {
			const shortest = live().toSorted((one, other) => one.count - other.count || one.address - other.address)[0];
			return shortest === undefined ? null : (slotsOf([shortest], null, 0, null)[0] ?? null);
		},
		repeated: () =>
			slots.map(({ request: { functionCode, count }, grid }) => ({
				functionCode,
				count,
				periodMs: grid?.periodMs ?? RETRY_MS,
			})),
		perishable() {
			const often = slots.filter(({ grid }) => grid !== null && grid.periodMs < SETTING_PERIOD_MS);
			return often.length > 0 ? often : slots;
		},
		answered(slot, nowMs) {
			slot.silentCount = 0;
			const isBack = slot.request.keys.filter((key) => refusedPoints.delete(key)).length > 0;
			if (isBack) {
				lessons += 1;
				slot.notBeforeMs = nowMs;
				rebuild(nowMs);
			}
			if (caps.answered(slot.request) && slot.hunt === null) {
				lessons += 1;
				settleCaps(slot.request.functionCode);
				rebuild(nowMs);
			}
			if (slot.hunt === null) return;
			slot.hunt.answered.push(slot.request);
			settle(slot.hunt, nowMs);
		},
		refused,
		silent(slot, nowMs, spentMs, answersOthers, isMaybeRefusal) {
			slot.silentCount += 1;
			if (!answersOthers || slot.silentCount < 2) return NOTHING;
			const isRefusal = isMaybeRefusal && slot.silentCount >= SILENT_IS_REFUSED && slot.request.points.length > 1;
			if (isRefusal) return refused(slot, nowMs);
			slot.notBeforeMs = nowMs + Math.min(MOST_PAUSE_MS, PAUSE_PER_SPENT * spentMs);
			return NOTHING;
		},
		lost(nowMs) {
			begun.clear();
			for (const grid of groups.grids) if (!Number.isFinite(grid.periodMs)) grid.hurry(nowMs);
		},
		back(nowMs) {
			for (const grid of groups.grids) if (Number.isFinite(grid.periodMs)) grid.hurry(nowMs);
		},
		has: (slot) => known.has(slot),
		get lessons() {
			return lessons;
		},
		replan: rebuild,
		refusedKeys: () => [...refusedPoints.keys()],
		learnt: () => ({ ...caps.learnt, holes, refused: [...refusedPoints.keys()] }),
		limits,
	};
}
