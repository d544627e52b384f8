import type { TemplatePoint } from '../../../../config/template/template.ts';
import { SETTING_PERIOD_MS } from '../../../../core/telemetry/point-facts.ts';
import { blockOf, uncovered } from './address-holes.ts';
import { MAX_BITS_PER_READ } from '../wire/modbus-line.ts';
import type { AddressRange, PlanLimits, ReadRequest } from './request-plan.ts';

/** Settings change when a person changes them, and a refused point only after a firmware update: both are asked this seldom. */
const SELDOM_MS = SETTING_PERIOD_MS;

/** A request that is silent twice in a row while its device answers others is paused this many times as long as it took. */
const PAUSE_PER_SPENT = 20;
const MOST_PAUSE_MS = 30_000;

/** A request with the time from which it is due again. Instants are monotonic, ms. */
export interface ReadSlot {
	readonly request: ReadRequest;
	/** 0: in each period. */
	readonly everyMs: number;
	/** The search for bad addresses it is part of. */
	readonly hunt: Hunt | null;
	dueMs: number;
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

/** What is asked of one device and what was learnt about it. */
export interface ReadBook {
	/** The requests that are due, in the order of asking. */
	due(nowMs: number): ReadSlot[];
	/** The requests of each period; all that there are when none is asked so often. */
	regular(): readonly ReadSlot[];
	answered(slot: ReadSlot, nowMs: number): void;
	/** The device does not have what was asked for. @returns the smaller requests to ask now, and the points given up. */
	refused(
		slot: ReadSlot,
		nowMs: number,
	): { readonly ask: readonly ReadSlot[]; readonly givenUp: readonly TemplatePoint[] };
	/** @param deviceSilentCount requests since the device answered anything */
	silent(slot: ReadSlot, nowMs: number, spentMs: number, deviceSilentCount: number): void;
	has(slot: ReadSlot): boolean;
	/** Keys of the points that the device refuses. */
	refusedKeys(): readonly string[];
	/** Addresses and sizes found out so far; they shape each plan from then on. */
	limits(): PlanLimits;
}

interface ReadBookDeps {
	readonly points: readonly TemplatePoint[];
	readonly maxRegisters: number;
	readonly plan: (points: readonly TemplatePoint[], limits: PlanLimits) => readonly ReadRequest[];
}

const isSetting = ({ kind }: TemplatePoint): boolean => kind === 'setting';

export function createReadBook({ points, maxRegisters, plan }: ReadBookDeps): ReadBook {
	const readable = points.filter(({ access }) => access !== 'w');
	const refusedPoints = new Map<string, TemplatePoint>();
	const holes: AddressRange[] = [];
	let registerCap = maxRegisters;
	let bitCap = MAX_BITS_PER_READ;
	let slots: ReadSlot[] = [];

	const live = (): readonly TemplatePoint[] => readable.filter(({ key }) => !refusedPoints.has(key));

	/** A hole ends where a point begins that the device has: points may overlap, and refused ones may come back. */
	const limits = (): PlanLimits => ({
		maxRegisters: registerCap,
		maxBits: bitCap,
		holes: holes.flatMap((hole) => uncovered(blockOf(hole), live())),
	});

	const slotsOf = (
		wanted: readonly TemplatePoint[],
		everyMs: number,
		dueMs: number,
		hunt: Hunt | null,
		within = limits(),
	): ReadSlot[] => plan(wanted, within).map((request) => ({ request, everyMs, hunt, dueMs, silentCount: 0 }));

	/** A refused point is asked for by itself, in the middle of its hole. */
	const retryOf = (point: TemplatePoint, dueMs: number): ReadSlot[] =>
		slotsOf([point], SELDOM_MS, dueMs, null, { ...limits(), holes: [] });

	function rebuild(nowMs: number): void {
		const dueOf = new Map(slots.flatMap(({ request, dueMs }) => request.keys.map((key) => [key, dueMs])));
		const wanted = live();
		slots = [
			...slotsOf(
				wanted.filter((point) => !isSetting(point)),
				0,
				nowMs,
				null,
			),
			...slotsOf(wanted.filter(isSetting), SELDOM_MS, nowMs, null),
			...[...refusedPoints.values()].flatMap((point) => retryOf(point, nowMs + SELDOM_MS)),
		];
		for (const slot of slots) slot.dueMs = Math.max(...slot.request.keys.map((key) => dueOf.get(key) ?? slot.dueMs));
	}

	/**
	 * Each part of the search has an outcome. Refused points explain the refusal; without one it was the addresses between the
	 * points; without such addresses the request was too long. When the explanation is not all, the next request tells.
	 */
	function conclude(hunt: Hunt, nowMs: number): void {
		const found = hunt.refused.length > 0 ? hunt.refused : uncovered(hunt.request, hunt.answered);
		holes.push(...found);
		if (found.length === 0) {
			const isBits = hunt.request.functionCode <= 2;
			const alike = live().filter(({ functionCode }) => functionCode <= 2 === isBits);
			// A point longer than that was never refused: it stays readable.
			const longest = Math.max(...[...hunt.answered, ...alike].map(({ count }) => count));
			if (isBits) bitCap = Math.min(bitCap, longest);
			else registerCap = Math.min(registerCap, longest);
		}
		rebuild(nowMs);
	}

	function settle(hunt: Hunt, nowMs: number): void {
		hunt.open -= 1;
		if (hunt.open === 0) conclude(hunt, nowMs);
	}

	function split(slot: ReadSlot, nowMs: number): readonly ReadSlot[] {
		const { request, everyMs } = slot;
		const hunt = slot.hunt ?? { request, open: 1, answered: [], refused: [] };
		const middle = Math.ceil(request.points.length / 2);
		const halves = [request.points.slice(0, middle), request.points.slice(middle)];
		const parts = halves.flatMap((half) => slotsOf(half, everyMs, nowMs, hunt));
		hunt.open += parts.length - 1;
		slots = slots.flatMap((other) => (other === slot ? parts : [other]));
		return parts;
	}

	rebuild(0);

	return {
		due: (nowMs) => slots.filter(({ dueMs }) => dueMs <= nowMs),
		regular() {
			const eachPeriod = slots.filter(({ everyMs }) => everyMs === 0);
			return eachPeriod.length > 0 ? eachPeriod : slots;
		},
		answered(slot, nowMs) {
			slot.silentCount = 0;
			slot.dueMs = nowMs + slot.everyMs;
			const isBack = slot.request.keys.filter((key) => refusedPoints.delete(key)).length > 0;
			if (isBack) {
				slot.dueMs = nowMs;
				rebuild(nowMs);
			}
			if (slot.hunt === null) return;
			slot.hunt.answered.push(slot.request);
			settle(slot.hunt, nowMs);
		},
		refused(slot, nowMs) {
			slot.silentCount = 0;
			if (slot.request.points.length > 1) return { ask: split(slot, nowMs), givenUp: [] };
			const givenUp = slot.request.points.filter(({ key }) => !refusedPoints.has(key));
			for (const point of slot.request.points) refusedPoints.set(point.key, point);
			slot.dueMs = nowMs + SELDOM_MS;
			if (slot.hunt === null) {
				if (givenUp.length > 0) rebuild(nowMs);
				return { ask: [], givenUp };
			}
			const { functionCode, address, count } = slot.request;
			slot.hunt.refused.push({ functionCode, first: address, last: address + count - 1 });
			settle(slot.hunt, nowMs);
			return { ask: [], givenUp };
		},
		silent(slot, nowMs, spentMs, deviceSilentCount) {
			slot.silentCount += 1;
			const answersOthers = slot.silentCount > deviceSilentCount;
			if (answersOthers) slot.dueMs = nowMs + Math.min(MOST_PAUSE_MS, PAUSE_PER_SPENT * spentMs);
		},
		has: (slot) => slots.includes(slot),
		refusedKeys: () => [...refusedPoints.keys()],
		limits,
	};
}
