import type { TemplatePoint } from '../../../../config/template/template.ts';

/** Neighbouring registers that belong together. */
interface Span {
	readonly first: number;
	/** The first address after it. */
	readonly end: number;
}

const spanOf = (points: readonly TemplatePoint[]): Span => ({
	first: Math.min(...points.map(({ address }) => address)),
	end: Math.max(...points.map(({ address, count }) => address + count)),
});

/** Each scale factor with the values that need it; as one, where they overlap. */
function overlapping(spans: readonly Span[], fits: (span: Span) => boolean): readonly Span[] {
	const joined: Span[] = [];
	for (const span of spans.toSorted((one, other) => one.first - other.first)) {
		const last = joined.at(-1);
		const both = last !== undefined && span.first < last.end ? { ...last, end: Math.max(last.end, span.end) } : null;
		if (both !== null && fits(both)) joined[joined.length - 1] = both;
		else joined.push(span);
	}
	return joined;
}

/** Values by the key of their factor. */
function dependantsOf(points: readonly TemplatePoint[]): ReadonlyMap<string, readonly TemplatePoint[]> {
	const found = new Map<string, TemplatePoint[]>();
	for (const point of points) {
		const { scaleFactor } = point;
		if (scaleFactor === undefined) continue;
		const alike = found.get(scaleFactor);
		if (alike === undefined) found.set(scaleFactor, [point]);
		else alike.push(point);
	}
	return found;
}

/**
 * What has to come in one read, so that no value is ever taken with a scale factor of another moment: the values and their factor, as the
 * addresses that cover them all. Values whose factor is too far away, or behind a hole, have none.
 * @param points of one function
 * @param farthest from an address, the end that a read from there may have
 */
export function factorSpans(
	points: readonly TemplatePoint[],
	farthest: (address: number) => number,
): readonly Pick<TemplatePoint, 'address' | 'count'>[] {
	const dependants = dependantsOf(points);
	if (dependants.size === 0) return [];
	const fits = ({ first, end }: Span): boolean => end <= farthest(first);
	const spans = points.flatMap((factor) => {
		const values = dependants.get(factor.key) ?? [];
		const near = values.filter((value) => fits(spanOf([value, factor])));
		const span = spanOf([factor, ...near]);
		return near.length > 0 && fits(span) ? [span] : [];
	});
	return overlapping(spans, fits).map(({ first, end }) => ({ address: first, count: end - first }));
}
