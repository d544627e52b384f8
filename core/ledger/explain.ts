import { type EpochMs, epochMs } from '../kernel/clock.ts';
import type { LedgerHole } from './completeness.ts';
import type { HoleReason } from './stream-range.ts';
import type { Span } from './time-marks.ts';

/** From when to when a boot has read samples. */
export interface EpochSpan extends Span {
	readonly epoch: number;
}

/**
 * Why a device has no values for a while. `gateway-off`: between two of its boots. `bus-fault`: the gateway asked and got no good answer.
 * `device-silent`: the gateway was there, nothing is missing of it, and the device said nothing.
 */
export type GapReason = HoleReason | 'gateway-off' | 'bus-fault' | 'device-silent';

export interface Gap extends Span {
	readonly reason: GapReason;
	/** Samples of the whole gateway that are missing around this time; `null` where none were ever numbered. */
	readonly samples: number | null;
}

export interface ExplainRequest extends Span {
	/** Stretches in which the device has values, oldest first, not touching. `null`: it speaks when it likes, so silence tells nothing. */
	readonly seen: readonly Span[] | null;
	/** Stretches in which the gateway was told of failures instead of values. */
	readonly faults: readonly Span[];
	/** Holes in what its gateway has sent. */
	readonly holes: readonly LedgerHole[];
	/** Boots of its gateway, oldest first. */
	readonly boots: readonly EpochSpan[];
	/** Until when the gateway can have told everything; what is later may be on its way. */
	readonly heardUntil: EpochMs;
}

interface Cause extends Span {
	readonly reason: GapReason;
	readonly samples: number | null;
}

/** Most gaps of one answer, and most causes that are weighed for it, the newest. */
export const MAX_GAPS = 1_000;
const MAX_CAUSES = 2_000;

/** Which cause counts where several hold: what is known of the samples themselves first. */
const RANK: Readonly<Record<GapReason, number>> = {
	'journal-quota': 0,
	'disk-full': 0,
	'journal-damaged': 0,
	'not-journalled': 0,
	'not-kept': 0,
	'too-large': 0,
	thinned: 0,
	'damaged-in-transit': 0,
	refused: 0,
	'impossible-time': 0,
	'impossible-epoch': 0,
	'in-transit': 1,
	'gateway-off': 2,
	'bus-fault': 3,
	'device-silent': 4,
};

/** The parts of a stretch that some others, oldest first, leave open. */
function openParts({ from, to }: Span, taken: readonly Span[]): readonly Span[] {
	const parts: Span[] = [];
	let at = from;
	for (const span of taken) {
		if (span.to <= at) continue;
		if (span.from >= to) break;
		if (span.from > at) parts.push({ from: at, to: span.from });
		at = span.to;
	}
	if (at < to) parts.push({ from: at, to });
	return parts;
}

function causesOf({ from, to, faults, holes, boots, heardUntil }: ExplainRequest): readonly Cause[] {
	const causes: Cause[] = holes.flatMap((hole) =>
		hole.from === null || hole.to === null
			? []
			: [{ from: hole.from, to: hole.to, reason: hole.reason, samples: hole.last - hole.first + 1 }],
	);
	let until: EpochMs | null = null;
	for (const boot of boots) {
		if (until !== null && boot.from > until)
			causes.push({ from: until, to: boot.from, reason: 'gateway-off', samples: null });
		until = until === null || boot.to > until ? boot.to : until;
	}
	if (heardUntil < to) causes.push({ from: heardUntil, to, reason: 'in-transit', samples: null });
	for (const fault of faults) causes.push({ ...fault, reason: 'bus-fault', samples: null });
	return causes.filter((cause) => cause.to >= from && cause.from < to).slice(-MAX_CAUSES);
}

/** Holes of no length in time still stand somewhere. */
const touches = (cause: Cause, from: number, to: number): boolean =>
	cause.from < to && (cause.to > from || (cause.from === cause.to && cause.from >= from));

/** Where a stretch is cut: its own ends, and those of causes within. */
function edgesOf({ from, to }: Span, causes: readonly Cause[]): readonly number[] {
	const edges = new Set<number>([from, to]);
	for (const cause of causes) for (const at of [cause.from, cause.to]) if (at > from && at < to) edges.add(at);
	return [...edges].toSorted((one, other) => one - other);
}

const counting = (found: Cause | null, cause: Cause): Cause =>
	found === null || RANK[cause.reason] < RANK[found.reason] ? cause : found;

/** Adds a gap to some that end where it begins, or makes the last of them longer. */
function append(gaps: Gap[], gap: Gap): void {
	const last = gaps.at(-1);
	if (last?.reason === gap.reason && last.samples === gap.samples && last.to === gap.from)
		gaps[gaps.length - 1] = { ...last, to: gap.to };
	else gaps.push(gap);
}

/** A stretch cut where causes begin and end, each piece with the cause that counts. */
function explained(part: Span, causes: readonly Cause[], otherwise: GapReason | null): readonly Gap[] {
	const here = causes.filter((cause) => touches(cause, part.from, part.to));
	const gaps: Gap[] = [];
	let from: number | null = null;
	for (const to of edgesOf(part, here)) {
		const start = from;
		from = to;
		if (start === null) continue;
		const cause = here.filter((one) => touches(one, start, to)).reduce<Cause | null>(counting, null);
		const reason = cause?.reason ?? otherwise;
		if (reason !== null)
			append(gaps, { from: epochMs(start), to: epochMs(to), reason, samples: cause?.samples ?? null });
	}
	return gaps;
}

/**
 * What is missing of a device in a period, and why: stretches without values, in order, that neither overlap nor reach beyond the period. Where
 * the device has values nothing is missing. Of a device that speaks when it likes, only what its gateway lacks is told.
 */
export function explain(request: ExplainRequest): readonly Gap[] {
	const { seen } = request;
	const causes = causesOf(request);
	const otherwise = seen === null ? null : 'device-silent';
	const gaps: Gap[] = [];
	for (const part of openParts(request, seen ?? [])) {
		if (gaps.length >= MAX_GAPS) break;
		gaps.push(...explained(part, causes, otherwise));
	}
	return gaps.slice(0, MAX_GAPS);
}
