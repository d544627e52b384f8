import type { Rollup } from '../../core/history/rollup.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { type Logger, silentLog } from '../../core/kernel/log.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import type { rollupBox } from '../fake/rollup-box.ts';
import { deviceOf, ORIGIN } from '../fake/sample-readings.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** The clock of a box stands at 2026-01-01. */
export const DAY = Date.UTC(2025, 11, 20);
export const DEVICE = deviceOf(1);
const isWanted = () => true;
export const NOTHING = { devices: async () => [], numbers: async () => [] };

export type Box = Awaited<ReturnType<typeof rollupBox>>;

let seq = 0;
/** Samples of an hour, one every 3 s. */
export const hourFrom = (
	at: number,
	count = 1_200,
	points: readonly string[] = ['energy', 'power'],
): readonly Reading[] =>
	Array.from({ length: count }, (_, index) => ({
		device: DEVICE,
		readAt: epochMs(at + index * 3_000),
		telemetryType: 'default',
		points,
		values: points.map(() => index),
		qualities: null,
		origin: ORIGIN,
		epoch: 1,
		firstSeq: (seq += 10),
	}));

/** Samples in each bucket between these edges. */
export const counts = async (
	box: Box,
	edges: readonly number[],
	point = 'power',
): Promise<readonly (number | undefined)[]> => {
	const { buckets } = await box.running.aggregate({ device: DEVICE, points: new Set([point]), edges, isWanted });
	return buckets.map((bucket: ReadonlyMap<string, Rollup>) => bucket.get(point)?.numbers?.count);
};

/** Whether an aggregate of these edges is answered without a sample. */
export async function isFromRollups(box: Box, edges: readonly number[]): Promise<boolean> {
	const before = box.history.read();
	await counts(box, edges);
	return box.history.read() === before;
}

/** A log that keeps its warnings and errors. */
export function recorder() {
	const events: string[] = [];
	const note = (event: string) => void events.push(event);
	const log: Logger = { ...silentLog, warn: note, error: note, child: () => log };
	return { events, log };
}
