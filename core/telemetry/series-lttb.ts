/** What is needed of a value to choose it; `null` is a gap. */
interface Place {
	readonly t: number;
	readonly v: number | null;
}

/** Values without a gap between them. */
type Run<T> = readonly T[];

function runsOf<T extends Place>(dots: readonly T[]): readonly { readonly values: Run<T>; readonly gap: T | null }[] {
	const runs: { values: T[]; gap: T | null }[] = [];
	let open: { values: T[]; gap: T | null } | null = null;
	for (const dot of dots) {
		if (open === null || (open.gap !== null && dot.v !== null)) runs.push((open = { values: [], gap: null }));
		if (dot.v !== null) open.values.push(dot);
		// One gap is as good as several in a row.
		else open.gap ??= dot;
	}
	return runs;
}

const middleOf = (dots: readonly Place[]): { readonly t: number; readonly v: number } => {
	let t = 0;
	let v = 0;
	for (const dot of dots) {
		t += dot.t / dots.length;
		v += (dot.v ?? 0) / dots.length;
	}
	return { t, v };
};

/** Twice the area of a triangle. */
const areaOf = (one: Place, two: Place, three: { readonly t: number; readonly v: number }): number =>
	Math.abs((one.t - three.t) * ((two.v ?? 0) - (one.v ?? 0)) - (one.t - two.t) * (three.v - (one.v ?? 0)));

/** The first, the last, and of each of the equal parts between them the value that makes the largest triangle with its neighbours. */
function choose<T extends Place>(values: Run<T>, most: number): readonly T[] {
	const first = values[0];
	const last = values.at(-1);
	if (values.length <= most || first === undefined || last === undefined) return values;
	if (most < 3) return most === 2 ? [first, last] : [first];
	const parts = most - 2;
	const edge = (part: number): number => 1 + Math.floor((part * (values.length - 2)) / parts);
	const chosen: T[] = [first];
	let previous = first;
	for (let part = 0; part < parts; part += 1) {
		const next = middleOf(part === parts - 1 ? [last] : values.slice(edge(part + 1), edge(part + 2)));
		let best = previous;
		let bestArea = -1;
		for (const value of values.slice(edge(part), edge(part + 1))) {
			const area = areaOf(previous, value, next);
			if (area <= bestArea) continue;
			best = value;
			bestArea = area;
		}
		chosen.push(best);
		previous = best;
	}
	return [...chosen, last];
}

/**
 * At most `most` of the dots, chosen so that the line keeps its shape (largest triangle three buckets); gaps stay gaps, each stretch between
 * them gets its share. `null` when there are too many gaps for that.
 */
export function largestTriangles<T extends Place>(dots: readonly T[], most: number): readonly T[] | null {
	if (dots.length <= most) return dots;
	const runs = runsOf(dots);
	const gaps = runs.filter(({ gap }) => gap !== null).length;
	const values = dots.reduce((sum, { v }) => (v === null ? sum : sum + 1), 0);
	// Each stretch is at least its two ends.
	const free = most - gaps - 2 * runs.length;
	if (free < 0) return null;
	const chosen: T[] = [];
	for (const { values: run, gap } of runs) {
		const share = 2 + Math.floor((free * run.length) / Math.max(1, values));
		for (const dot of choose(run, share)) chosen.push(dot);
		if (gap !== null) chosen.push(gap);
	}
	return chosen;
}
