import type { SampleValue } from '../telemetry/reading.ts';
import type { ColumnPart } from './chunk-reader.ts';
import type { Values } from './value-column.ts';

/** Parts of a column of which each begins after the end of the one before. */
export type Sequence = readonly Omit<ColumnPart, 'origin' | 'epochs' | 'seqs'>[];

/** Index of the first instant at or after `at`. */
function lowerBound(times: Float64Array, at: number): number {
	let low = 0;
	let high = times.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if ((times[middle] ?? 0) < at) low = middle + 1;
		else high = middle;
	}
	return low;
}

/** The rows of a part within `[from, to)`. */
export function cut(part: ColumnPart, from: number, to: number): ColumnPart {
	const start = lowerBound(part.times, from);
	const end = lowerBound(part.times, to);
	if (start === 0 && end === part.times.length) return part;
	return {
		origin: part.origin,
		times: part.times.subarray(start, end),
		epochs: part.epochs.subarray(start, end),
		seqs: part.seqs.subarray(start, end),
		values: part.values instanceof Float64Array ? part.values.subarray(start, end) : part.values.slice(start, end),
		qualities: part.qualities?.subarray(start, end) ?? null,
	};
}

interface Row {
	readonly part: ColumnPart;
	readonly at: number;
}

const timeOf = ({ part, at }: Row): number => part.times[at] ?? 0;

/** The order of readings: by instant, then origin, epoch and sequence number. Zero only for the same reading. */
function compareRows(one: Row, other: Row): number {
	const byTime = timeOf(one) - timeOf(other);
	if (byTime !== 0) return byTime;
	if (one.part.origin !== other.part.origin) return one.part.origin < other.part.origin ? -1 : 1;
	const byEpoch = (one.part.epochs[one.at] ?? 0) - (other.part.epochs[other.at] ?? 0);
	return byEpoch === 0 ? (one.part.seqs[one.at] ?? 0) - (other.part.seqs[other.at] ?? 0) : byEpoch;
}

/** Parts that overlap, as one: in order, and each reading once. */
function merged(parts: readonly ColumnPart[]): Sequence[number] {
	const rows = parts.flatMap((part) => Array.from(part.times, (_time, at): Row => ({ part, at })));
	rows.sort(compareRows);
	const once = rows.filter((row, index) => {
		const previous = rows[index - 1];
		return previous === undefined || compareRows(previous, row) !== 0;
	});
	const values = once.map(({ part, at }): SampleValue => part.values[at] ?? null);
	const areNumbers = parts.every((part) => part.values instanceof Float64Array);
	return {
		times: Float64Array.from(once, timeOf),
		values: areNumbers ? Float64Array.from(values, Number) : values,
		qualities: parts.every(({ qualities }) => qualities === null)
			? null
			: Float64Array.from(once, ({ part, at }) => part.qualities?.[at] ?? 0),
	};
}

const lastTime = ({ times }: ColumnPart): number => times.at(-1) ?? Number.NEGATIVE_INFINITY;

/** Brings parts into the order of time. Those that overlap are merged row by row, the others are handed on as they are. */
export function inOrder(parts: readonly ColumnPart[]): Sequence {
	const sorted = parts
		.filter(({ times }) => times.length > 0)
		.toSorted((one, other) => (one.times[0] ?? 0) - (other.times[0] ?? 0));
	const sequence: Sequence[number][] = [];
	let cluster: ColumnPart[] = [];
	let reach = Number.NEGATIVE_INFINITY;
	function close(): void {
		const [only] = cluster;
		if (only !== undefined) sequence.push(cluster.length === 1 ? only : merged(cluster));
		cluster = [];
	}
	for (const part of sorted) {
		if ((part.times[0] ?? 0) > reach) close();
		cluster.push(part);
		reach = Math.max(reach, lastTime(part));
	}
	close();
	return sequence;
}

function joinValues(parts: Sequence, count: number): Values {
	if (!parts.every(({ values }) => values instanceof Float64Array)) {
		return parts.flatMap(({ values }): readonly SampleValue[] => [...values]);
	}
	const joined = new Float64Array(count);
	let at = 0;
	for (const { values } of parts) {
		if (values instanceof Float64Array) joined.set(values, at);
		at += values.length;
	}
	return joined;
}

/** A sequence as parallel arrays. */
export function join(parts: Sequence): {
	readonly times: Float64Array;
	readonly values: Values;
	readonly qualities: Uint8Array | null;
} {
	const count = parts.reduce((sum, { times }) => sum + times.length, 0);
	const times = new Float64Array(count);
	const qualities = parts.some((part) => part.qualities !== null) ? new Uint8Array(count) : null;
	let at = 0;
	for (const part of parts) {
		times.set(part.times, at);
		if (part.qualities !== null) qualities?.set(part.qualities, at);
		at += part.times.length;
	}
	return { times, values: joinValues(parts, count), qualities };
}
