import type { EpochMs } from '../kernel/clock.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { Rollup } from './rollup.ts';
import type { DirtyHours } from './rollup-dirty.ts';
import { END_MS, FIRST_MS, HOUR_MS, LEVEL_FACTS, type RollupLevel } from './rollup-level.ts';
import type { ReceivedHours } from './rollup-received.ts';
import type { GroupRollups } from './rollup-record.ts';
import type { RollupStore } from './rollup-store.ts';

/** From the largest down; minutes are only looked for within an hour. */
const LARGE_LEVELS = ['month', 'day', 'hour'] as const satisfies readonly RollupLevel[];

/** A part of a span and what there is of it: rollups, or nothing but the samples. */
export type Piece =
	| { readonly kind: 'rollups'; readonly from: number; readonly to: number; readonly rollups: readonly PointRollup[] }
	| { readonly kind: 'raw'; readonly from: number; readonly to: number }
	/** The samples are gone, and what is kept reaches beyond the span: it counts here whole. */
	| { readonly kind: 'beyond'; readonly from: number; readonly to: number; readonly rollups: readonly PointRollup[] };

export interface PointRollup {
	readonly point: string;
	readonly rollup: Rollup;
}

export interface RollupSource {
	readonly store: Pick<RollupStore, 'read' | 'isThinned'>;
	readonly dirty: Pick<DirtyHours, 'isAny' | 'unknown'>;
	/** Hours that somebody else has summed up, of more samples than are here. */
	readonly received: Pick<ReceivedHours, 'has'>;
	/** First instants of hours with readings that no chunk holds yet. */
	readonly unsealedHours: (device: DeviceId) => ReadonlySet<number>;
	/** Readings of days before this are dropped. */
	readonly rawFrom: () => EpochMs;
}

/** Finds for one device what the parts of a span are best composed of. Asked in order of time it reads each record once. */
export interface Planner {
	/** The first piece of `[from, to)`; it ends at `to` or before. */
	piece(from: number, to: number): Promise<Piece>;
}

function slotOf(level: RollupLevel, group: GroupRollups | null, atMs: number): readonly PointRollup[] {
	const slot = LEVEL_FACTS[level].slotIndex(atMs);
	const found: PointRollup[] = [];
	for (const [point, { slots }] of group?.points ?? []) {
		const rollup = slots[slot] ?? null;
		if (rollup !== null) found.push({ point, rollup });
	}
	return found;
}

/** @param points `null`: all */
export function createPlanner(
	{ store, dirty, received, unsealedHours, rawFrom }: RollupSource,
	device: DeviceId,
	points: ReadonlySet<string> | null,
): Planner {
	const unsealed = unsealedHours(device);
	const keptFrom = rawFrom();
	const cached = new Map<RollupLevel, { readonly group: number; readonly rollups: GroupRollups | null }>();

	function hasUnsealed(from: number, to: number): boolean {
		for (const hour of unsealed) if (hour < to && hour + HOUR_MS > from) return true;
		return false;
	}

	/** Whether the rollups of a time say what its samples would say. Where the samples are gone, nothing better is left. */
	function isTrusted(from: number, to: number): boolean {
		if (to - from === HOUR_MS && received.has(device, from)) return true;
		if (from < FIRST_MS || to > END_MS || hasUnsealed(from, to) || dirty.isAny(device, from, to)) return false;
		const known = Math.max(from, keptFrom);
		return known >= to || dirty.unknown.within(Math.floor(known / HOUR_MS), Math.ceil(to / HOUR_MS) - 1).length === 0;
	}

	async function groupOf(level: RollupLevel, atMs: number): Promise<GroupRollups | null> {
		const group = LEVEL_FACTS[level].groupStart(atMs);
		const found = cached.get(level);
		if (found?.group === group) return found.rollups;
		const rollups = await store.read(level, { device, group }, points);
		cached.set(level, { group, rollups });
		return rollups;
	}

	/** An hour of a month that only has counters: of the other points the day counts, whole, with its first hour. */
	async function thinnedHour(from: number): Promise<Piece> {
		const counters = slotOf('hour', await groupOf('hour', from), from);
		const { start, end } = LEVEL_FACTS.hour;
		const isFirst = LEVEL_FACTS.day.start(from) === start(from);
		const day = isFirst ? slotOf('day', await groupOf('day', from), LEVEL_FACTS.day.start(from)) : [];
		const kept = new Set((await groupOf('hour', from))?.points.keys());
		return {
			kind: 'beyond',
			from,
			to: end(from),
			rollups: [...counters, ...day.filter(({ point }) => !kept.has(point))],
		};
	}

	async function large(from: number, to: number): Promise<Piece | null> {
		for (const level of LARGE_LEVELS) {
			const { start, end } = LEVEL_FACTS[level];
			if (start(from) !== from || end(from) > to || !isTrusted(from, end(from))) continue;
			if (level === 'hour' && store.isThinned(from)) return thinnedHour(from);
			const group = await groupOf(level, from);
			// Reading it may have found damage.
			if (isTrusted(from, end(from)))
				return { kind: 'rollups', from, to: end(from), rollups: slotOf(level, group, from) };
		}
		return null;
	}

	/** A part of one hour whose rollups can be trusted. */
	async function within(hour: number, from: number, to: number): Promise<Piece> {
		const whole = slotOf('hour', await groupOf('hour', hour), hour);
		if (whole.length === 0) return { kind: 'rollups', from, to, rollups: [] };
		const { start, end } = LEVEL_FACTS.minute;
		const minutes = await groupOf('minute', hour);
		if (minutes !== null && minutes.points.size > 0) {
			if (start(from) === from && end(from) <= to)
				return { kind: 'rollups', from, to: end(from), rollups: slotOf('minute', minutes, from) };
			return { kind: 'raw', from, to: Math.min(to, end(start(from))) };
		}
		if (hour >= keptFrom && !received.has(device, hour)) return { kind: 'raw', from, to };
		// Counted once: with the part that the hour begins with.
		return { kind: 'beyond', from, to, rollups: from === hour ? whole : [] };
	}

	return {
		async piece(from, to) {
			const found = await large(from, to);
			if (found !== null) return found;
			const hour = LEVEL_FACTS.hour.start(from);
			const end = Math.min(to, hour + HOUR_MS);
			if (!isTrusted(hour, hour + HOUR_MS)) return { kind: 'raw', from, to: end };
			const piece = await within(hour, from, end);
			return isTrusted(hour, hour + HOUR_MS) ? piece : { kind: 'raw', from, to: end };
		},
	};
}
