import type { ModbusTuning } from '../../../../config/connection/connection.ts';
import type { TemplatePoint } from '../../../../config/template/template.ts';
import { SETTING_PERIOD_MS } from '../../../../core/telemetry/point-facts.ts';
import { createPollGrid, type PollGrid } from '../../poll-grid.ts';

/** A first reading is not kept waiting for a long period: it comes within this time. */
const FIRST_WITHIN_MS = 5000;
const SLOW_PERIODS = 10;

/** Part of a period that follows the golden ratio: start phases stay spread however many are added. */
const GOLDEN = 0.618_033_988_749_895;

/** Where in the period the n-th device of a line begins, 0 to 1. */
export const phaseOf = (index: number): number => (index * GOLDEN) % 1;

export interface PollTiming {
	/** Period of the device, ms. */
	readonly periodMs: number;
	readonly tuning: Pick<ModbusTuning, 'fastPeriodMs' | 'slowPeriodMs'>;
	/** Where in its period it begins, 0 to 1. */
	readonly phase: number;
	/** When it was added, monotonic, ms. */
	readonly startMs: number;
}

/** Period of a point, ms: `Infinity` is once, `null` never. A setting that says nothing about it is read seldom. */
export function periodOf(
	point: TemplatePoint,
	{ periodMs, tuning }: Pick<PollTiming, 'periodMs' | 'tuning'>,
): number | null {
	if (point.access === 'w') return null;
	switch (point.poll ?? (point.kind === 'setting' ? 'setting' : 'normal')) {
		case 'fast':
			return tuning.fastPeriodMs ?? periodMs;
		case 'normal':
			return periodMs;
		case 'slow':
			return tuning.slowPeriodMs ?? SLOW_PERIODS * periodMs;
		case 'setting':
			return Math.max(periodMs, SETTING_PERIOD_MS);
		case 'once':
			return Number.POSITIVE_INFINITY;
		case 'on-demand':
			return null;
	}
}

/** The periods of one device: each is a grid that its points of that period share. */
export interface PollGroups {
	/** The grid of this period; made when it is asked for first. */
	gridOf(periodMs: number): PollGrid;
	readonly grids: Iterable<PollGrid>;
}

/** Longer periods begin at another one of the device's own periods each, so that not all devices of a line ask them in the same second. */
export function createPollGroups({ periodMs, phase, startMs }: PollTiming): PollGroups {
	const grids = new Map<number, PollGrid>();
	const firstMs = startMs + phase * Math.min(periodMs, FIRST_WITHIN_MS);
	const anyPoint = startMs + phase * periodMs;

	function shiftOf(longMs: number): number {
		const shorter = Math.floor(longMs / periodMs);
		return Number.isFinite(shorter) ? Math.floor(((phase / GOLDEN) % 1) * shorter) * periodMs : 0;
	}

	return {
		gridOf(longMs) {
			let grid = grids.get(longMs);
			if (grid === undefined) {
				grid = createPollGrid(longMs, anyPoint + shiftOf(longMs), firstMs);
				grids.set(longMs, grid);
			}
			return grid;
		},
		get grids() {
			return grids.values();
		},
	};
}
