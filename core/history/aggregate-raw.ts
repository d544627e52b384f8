import { setImmediate as nextTurn } from 'node:timers/promises';

import { type Clock, epochMs } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { HistoryRepository, PointColumn } from '../telemetry/history-repository.ts';
import { EVENT_TYPES, QUALITIES, type Quality, type Reading, type SampleValue } from '../telemetry/reading.ts';
import { readingPages } from '../telemetry/reading-pages.ts';

const COLUMN_LIMIT = 100_000;
/** Up to this many points are read one by one: then nothing else is decoded. */
const MAX_COLUMNS = 8;
/** Most values looked at, and longest time taken, by one question: hours of the busiest device, or years of a quiet one. */
const MAX_VALUES = 20_000_000;
const MAX_MS = 20_000;

export type SampleVisitor = (point: string, at: number, value: SampleValue, quality: Quality) => void;

export interface RawScanDeps {
	/** Without `column` only readings are read. */
	readonly history: Pick<HistoryRepository, 'range'> & Partial<Pick<HistoryRepository, 'column'>>;
	readonly clock: Clock;
	/** False as soon as nobody waits for the outcome. */
	readonly isWanted: () => boolean;
	readonly limits?: { readonly values?: number; readonly timeMs?: number };
}

export interface RawSpan {
	readonly device: DeviceId;
	/** Inclusive. */
	readonly from: number;
	/** Exclusive. */
	readonly to: number;
	/** `null`: all. */
	readonly points: ReadonlySet<string> | null;
}

/** Visits the samples of a span, those of each point oldest first; events are left out. */
export type RawScan = (span: RawSpan, visit: SampleVisitor) => Promise<void>;

const tooMuch = (limit: string): Fault =>
	new Fault(
		'rule-violation',
		`the range holds more than is read at a time and not yet summed up (${limit}); ask for a shorter one`,
	);

function visitAll(
	{ readAt, points, values: found, qualities }: Reading,
	wanted: RawSpan['points'],
	visit: SampleVisitor,
): void {
	for (const [index, point] of points.entries())
		if (wanted === null || wanted.has(point)) visit(point, readAt, found[index] ?? null, qualities?.[index] ?? 'good');
}

/** The limits hold for all scans together. A scan rejects with a Fault: `rule-violation` names the limit, `timeout` when nobody waits any more. */
export function createRawScan({ history, clock, isWanted, limits = {} }: RawScanDeps): RawScan {
	const { values: maxValues = MAX_VALUES, timeMs: maxMs = MAX_MS } = limits;
	const startedMs = clock.monotonicMs();
	let values = 0;

	async function pause(): Promise<void> {
		if (values > maxValues) throw tooMuch(`${maxValues} values`);
		if (clock.monotonicMs() - startedMs > maxMs) throw tooMuch(`${maxMs / 1_000} s of reading`);
		if (!isWanted()) throw new Fault('timeout', 'nobody waits for the answer any more');
		await nextTurn();
	}

	async function scanColumn(
		column: HistoryRepository['column'],
		point: string,
		{ device, from, to }: RawSpan,
		visit: SampleVisitor,
	): Promise<void> {
		let next = from;
		while (next < to) {
			const found: PointColumn = await column({
				device,
				point,
				from: epochMs(next),
				to: epochMs(to),
				limit: COLUMN_LIMIT,
			});
			const { times, values: samples, qualities, until } = found;
			for (let index = 0; index < times.length; index += 1)
				visit(
					point,
					times[index] ?? 0,
					samples[index] ?? null,
					qualities === null ? 'good' : (QUALITIES[qualities[index] ?? 0] ?? 'good'),
				);
			values += times.length;
			await pause();
			if (until <= next) return;
			next = until;
		}
	}

	async function scanReadings({ device, from, to, points }: RawSpan, visit: SampleVisitor): Promise<void> {
		for await (const page of readingPages(history, { device, from: epochMs(from), to: epochMs(to) })) {
			for (const reading of page) {
				values += reading.values.length;
				if (!EVENT_TYPES.has(reading.telemetryType)) visitAll(reading, points, visit);
			}
			await pause();
		}
	}

	return async (span, visit) => {
		const { column } = history;
		if (column === undefined || span.points === null || span.points.size > MAX_COLUMNS)
			return scanReadings(span, visit);
		for (const point of span.points) await scanColumn(column, point, span, visit);
	};
}
