import type { Reading } from '../../core/telemetry/reading.ts';

/** Point lists that are kept; beyond it all are forgotten, which costs memory and nothing else. */
const MOST_LISTS = 20_000;

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
	one.length === other.length && one.every((point, index) => point === other[index]);

/**
 * HOT: gives readings of one device and type the same list of points. Each block brings its names anew; without this, names would
 * take more memory than values, and nobody could tell by the list that a shape is known.
 */
export function createSharedPoints(): (reading: Reading) => Reading {
	const known = new Map<string, readonly string[]>();
	return (reading) => {
		const key = `${reading.device}${reading.telemetryType}`;
		const points = known.get(key);
		if (points !== undefined && isSame(points, reading.points)) return { ...reading, points };
		if (known.size >= MOST_LISTS) known.clear();
		known.set(key, reading.points);
		return reading;
	};
}
