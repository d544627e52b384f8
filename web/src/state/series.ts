/** Times and numbers of one point, oldest first. `null` is a gap: the line is broken there. */
export interface Series {
	readonly timesMs: readonly number[];
	readonly values: readonly (number | null)[];
}

export const NO_SERIES: Series = { timesMs: [], values: [] };

const numberOr = (value: unknown): number | null =>
	typeof value === 'number' && Number.isFinite(value) ? value : typeof value === 'boolean' ? Number(value) : null;

/** Breaks the line wherever nothing arrived for longer than `gapMs`. */
export function withGaps({ timesMs, values }: Series, gapMs: number): Series {
	const times: number[] = [];
	const numbers: (number | null)[] = [];
	for (const [index, atMs] of timesMs.entries()) {
		const before = times.at(-1);
		if (before !== undefined && atMs - before > gapMs) {
			times.push(before + 1);
			numbers.push(null);
		}
		times.push(atMs);
		numbers.push(values[index] ?? null);
	}
	return { timesMs: times, values: numbers };
}

/** Adds a newer value and drops what is older than `keepMs` before it. A value that is not newer changes nothing. */
export function appended(
	series: Series,
	atMs: number,
	value: unknown,
	limits: { gapMs: number; keepMs: number },
): Series {
	const last = series.timesMs.at(-1);
	if (last !== undefined && atMs <= last) return series;
	const first = series.timesMs.findIndex((each) => each >= atMs - limits.keepMs);
	const keep = first === -1 ? series.timesMs.length : first;
	const grown = {
		timesMs: [...series.timesMs.slice(keep), atMs],
		values: [...series.values.slice(keep), numberOr(value)],
	};
	return last !== undefined && atMs - last > limits.gapMs ? withGaps(grown, limits.gapMs) : grown;
}

export interface SeriesSummary {
	readonly min: number;
	readonly max: number;
	readonly last: number;
	readonly gaps: number;
}

/** The same for ears as the chart is for eyes; `null` without any number. */
export function summaryOf({ values }: Series): SeriesSummary | null {
	let min = Number.POSITIVE_INFINITY;
	let max = Number.NEGATIVE_INFINITY;
	let last: number | null = null;
	let gaps = 0;
	let inGap = true;
	for (const value of values) {
		if (value === null) {
			if (!inGap) gaps += 1;
			inGap = true;
			continue;
		}
		inGap = false;
		last = value;
		min = Math.min(min, value);
		max = Math.max(max, value);
	}
	return last === null ? null : { min, max, last, gaps };
}

/** The highest and the lowest of each part of a span. */
export interface Band {
	readonly timesMs: readonly number[];
	readonly high: readonly (number | null)[];
	readonly low: readonly (number | null)[];
}

/** Takes the values of parts of `partMs` together; gaps stay gaps. */
export function bandOf({ timesMs, values }: Series, partMs: number): Band {
	const times: number[] = [];
	const high: (number | null)[] = [];
	const low: (number | null)[] = [];
	let part: number | null = null;
	for (const [index, atMs] of timesMs.entries()) {
		const value = numberOr(values[index]);
		const here = value === null ? null : Math.floor(atMs / partMs);
		const last = times.length - 1;
		if (value !== null && here === part) {
			high[last] = Math.max(high[last] ?? value, value);
			low[last] = Math.min(low[last] ?? value, value);
		} else {
			times.push(atMs);
			high.push(value);
			low.push(value);
		}
		part = here;
	}
	return { timesMs: times, high, low };
}
