import { type EpochMs, toIso } from '../kernel/clock.ts';
import { uuidOf } from '../kernel/id.ts';
import type { LatestValue } from './latest-values.ts';
import type { Shown } from './point-facts.ts';
import type { JsonValue, Quality, Reading, SampleValue } from './reading.ts';

/** A value as JSON. Whole numbers beyond 2^53 become decimal text: a JSON number would lose their last digits in most readers. */
export const toJson = (value: SampleValue): JsonValue => (typeof value === 'bigint' ? value.toString() : value);

/** The id of a record: a UUID (version 8) that every box computes alike from the reading's identity. */
export function recordId({ origin, epoch, firstSeq }: Pick<Reading, 'origin' | 'epoch' | 'firstSeq'>): string {
	return uuidOf(`${origin}:${epoch}:${firstSeq}`);
}

/** Values by point. */
export const metricsOf = ({ points, values }: Pick<Reading, 'points' | 'values'>): Record<string, JsonValue> =>
	Object.fromEntries(points.map((point, index) => [point, toJson(values[index] ?? null)]));

/** Qualities of the points that are not good; `null` when all are. */
export function badQualities({
	points,
	qualities,
}: Pick<Reading, 'points' | 'qualities'>): Record<string, Quality> | null {
	if (qualities === null) return null;
	const bad: [string, Quality][] = [];
	for (const [index, quality] of qualities.entries()) {
		const point = points[index];
		if (point !== undefined && quality !== 'good') bad.push([point, quality]);
	}
	return bad.length === 0 ? null : Object.fromEntries(bad);
}

/** A telemetry record of reference 002; `quality` is there only when a value is not good. */
export function recordView(reading: Reading) {
	const quality = badQualities(reading);
	return {
		id: recordId(reading),
		telemetry_type: reading.telemetryType,
		payload: metricsOf(reading),
		recorded_at: toIso(reading.readAt),
		...(quality === null ? {} : { quality }),
	};
}

/** One latest value as it is answered. `unit` is left out where none is known. */
export interface LatestView {
	readonly value: JsonValue;
	readonly quality: Quality;
	readonly read_at: string;
	/** May be negative for a moment after the clock was set back. */
	readonly age_ms: number;
	/** Age at which it is stale; `null`: never. */
	readonly stale_after_ms: number | null;
	readonly unit?: string;
}

export function latestView(latest: LatestValue, { unit, staleAfterMs }: Shown, now: EpochMs): LatestView {
	const ageMs = now - latest.readAt;
	return {
		value: toJson(latest.value),
		quality: latest.quality === 'good' && ageMs > staleAfterMs ? 'stale' : latest.quality,
		read_at: toIso(latest.readAt),
		age_ms: ageMs,
		stale_after_ms: Number.isFinite(staleAfterMs) ? staleAfterMs : null,
		...(unit === null || unit === '' ? {} : { unit }),
	};
}
