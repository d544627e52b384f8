import { setImmediate } from 'node:timers/promises';

import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { DeviceId } from '../kernel/id.ts';
import { EVENT_TYPES, type Reading, type SampleValue } from '../telemetry/reading.ts';
import { readingPages } from '../telemetry/reading-pages.ts';
import type { TelemetryService } from '../telemetry/telemetry-service.ts';
import type { Span } from './analytics.ts';

/** Most values looked at, and longest time taken, by one analysis: hours of the busiest device, or years of a quiet one. */
const MAX_VALUES = 20_000_000;
const MAX_MS = 20_000;

export interface ScanLimits {
	readonly values?: number;
	readonly timeMs?: number;
}

export interface ScanDeps {
	readonly telemetry: Pick<TelemetryService, 'range'>;
	readonly clock: Clock;
	readonly limits?: ScanLimits;
}

/** Reads the history of a device page by page, oldest first, and lets others in between. */
export type ReadingScan = (
	device: DeviceId,
	span: Span,
	visit: (reading: Reading) => void,
	/** False as soon as nobody waits for the outcome. */
	isWanted: () => boolean,
) => Promise<void>;

const tooMuch = (limit: string): Fault =>
	new Fault('rule-violation', `the range holds more than one analysis takes (${limit}); ask for a shorter one`);

/** The scan rejects with a Fault `rule-violation` that names the limit, or `timeout` when nobody waits any more. */
export function createReadingScan({ telemetry, clock, limits = {} }: ScanDeps): ReadingScan {
	const { values: maxValues = MAX_VALUES, timeMs: maxMs = MAX_MS } = limits;

	return async (device, { from, to }, visit, isWanted) => {
		const startedMs = clock.monotonicMs();
		let values = 0;
		for await (const page of readingPages(telemetry, { device, from, to })) {
			for (const reading of page) {
				values += reading.values.length;
				visit(reading);
			}
			if (values > maxValues) throw tooMuch(`${maxValues} values`);
			if (clock.monotonicMs() - startedMs > maxMs) throw tooMuch(`${maxMs / 1_000} s of reading`);
			if (!isWanted()) throw new Fault('timeout', 'nobody waits for the analysis any more');
			await setImmediate();
		}
	};
}

function numberOf(value: SampleValue): number | null {
	if (typeof value === 'bigint') return Number(value);
	return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** Hands on the good numbers of a reading of values; events, texts, structures and bad values are left out. */
export function eachNumber(reading: Reading, take: (atMs: number, metric: string, value: number) => void): void {
	const { readAt, telemetryType, points, values, qualities } = reading;
	if (EVENT_TYPES.has(telemetryType)) return;
	for (const [index, metric] of points.entries()) {
		if (qualities !== null && qualities[index] !== 'good') continue;
		const value = numberOf(values[index] ?? null);
		if (value !== null) take(readAt, metric, value);
	}
}
