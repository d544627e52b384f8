import { setImmediate as nextTurn } from 'node:timers/promises';

import { epochMs } from '../kernel/clock.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { HistoryRepository } from '../telemetry/history-repository.ts';
import { EVENT_TYPES, type Reading } from '../telemetry/reading.ts';
import { readingPages } from '../telemetry/reading-pages.ts';
import {
	createRollupBuilder,
	EMPTY_ROLLUP,
	goodCount,
	mergeRollups,
	type Rollup,
	type RollupBuilder,
} from './rollup.ts';
import type { PointRollups } from './rollup-codec.ts';
import type { CounterRule } from './rollup-counter.ts';
import { HOUR_MS, MINUTE_MS } from './rollup-level.ts';

/** Minutes are kept where one stands for this many samples at least, on average: with fewer the samples themselves take less room. */
const SAMPLES_WORTH_A_MINUTE = 10;
/** Of devices with more points no minutes are kept. */
const MAX_POINTS_WITH_MINUTES = 500;
/** More points than this in one hour are not summed up: queries read the samples. */
const MAX_POINTS = 5_000;
const MINUTES = 60;

/** How a point's increase is read; `null` for one that is known to be no counter. */
export type CounterRuleOf = (device: DeviceId, point: string) => CounterRule | null;

/** An hour of a device, summed up from its readings. */
export interface HourRollups {
	/** Of all points together, whatever their quality. */
	readonly samples: number;
	/** Rollup of the hour by point. */
	readonly hour: ReadonlyMap<string, { readonly isCounter: boolean; readonly rollup: Rollup }>;
	/** One slot for each minute; `null` where keeping them is not worth it. */
	readonly minutes: ReadonlyMap<string, PointRollups> | null;
}

interface Point {
	readonly rule: CounterRule | null;
	minute: number;
	builder: RollupBuilder;
	hour: Rollup;
	readonly minutes: (Rollup | null)[];
}

const isCounter = ({ rule }: Point): boolean => rule?.isCounter === true;

function closeMinute(point: Point): void {
	const rollup = point.builder.rollup();
	if (rollup === null) return;
	point.hour = mergeRollups(point.hour, rollup, point.rule);
	point.minutes[point.minute] = rollup;
}

/** HOT: each sample of the history passes here once. */
function createHourSum(device: DeviceId, hourMs: number, ruleOf: CounterRuleOf) {
	const points = new Map<string, Point>();
	/** Drivers share the array of names, so that it is looked up once for each. */
	const resolved = new WeakMap<readonly string[], readonly Point[]>();

	function pointOf(name: string): Point {
		let point = points.get(name);
		if (point !== undefined) return point;
		const rule = ruleOf(device, name);
		point = { rule, minute: 0, builder: createRollupBuilder(rule), hour: EMPTY_ROLLUP, minutes: [] };
		points.set(name, point);
		return point;
	}

	function pointsOf(names: readonly string[]): readonly Point[] {
		let found = resolved.get(names);
		if (found === undefined) resolved.set(names, (found = names.map(pointOf)));
		return found;
	}

	return {
		add({ readAt, telemetryType, points: names, values, qualities }: Reading): void {
			if (EVENT_TYPES.has(telemetryType)) return;
			const minute = Math.floor((readAt - hourMs) / MINUTE_MS);
			const found = pointsOf(names);
			for (let index = 0; index < found.length; index += 1) {
				const point = found[index];
				if (point === undefined) continue;
				if (point.minute !== minute) {
					closeMinute(point);
					point.minute = minute;
					point.builder = createRollupBuilder(point.rule);
				}
				point.builder.add(readAt, values[index] ?? null, qualities?.[index] ?? 'good');
			}
		},
		isTooMuch: () => points.size > MAX_POINTS,
		rollups(): HourRollups {
			let samples = 0;
			let minutes = 0;
			for (const point of points.values()) {
				closeMinute(point);
				samples += goodCount(point.hour) + point.hour.bad;
				for (const minute of point.minutes) if (minute) minutes += 1;
			}
			const isWorth = points.size <= MAX_POINTS_WITH_MINUTES && samples >= minutes * SAMPLES_WORTH_A_MINUTE;
			return {
				samples,
				hour: new Map([...points].map(([name, point]) => [name, { isCounter: isCounter(point), rollup: point.hour }])),
				minutes: isWorth
					? new Map(
							[...points].map(([name, point]) => [
								name,
								{
									isCounter: isCounter(point),
									slots: Array.from({ length: MINUTES }, (_, minute) => point.minutes[minute] ?? null),
								},
							]),
						)
					: null,
			};
		},
	};
}

/** Sums up one hour from its readings, others in between; `null` when it has too many points. */
export async function sumUpHour(
	history: Pick<HistoryRepository, 'range'>,
	device: DeviceId,
	hourMs: number,
	ruleOf: CounterRuleOf,
): Promise<HourRollups | null> {
	const sum = createHourSum(device, hourMs, ruleOf);
	const hour = { device, from: epochMs(hourMs), to: epochMs(hourMs + HOUR_MS) };
	for await (const page of readingPages(history, hour)) {
		for (const reading of page) sum.add(reading);
		if (sum.isTooMuch()) return null;
		await nextTurn();
	}
	return sum.rollups();
}
