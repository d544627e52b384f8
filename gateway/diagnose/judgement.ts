/** 90 to 100 `good`, 60 to 89 `fair`, below that `poor`; `unknown` until enough was asked. */
type WiringVerdict = 'good' | 'fair' | 'poor' | 'unknown';

export interface WiringHealth {
	/** 0 to 100; `null` while the verdict is `unknown`. */
	readonly score: number | null;
	readonly verdict: WiringVerdict;
	/** What costs points, and what to look at: sentences, the dearest first. */
	readonly reasons: readonly string[];
}

/** What was counted; shares are of `requests`. */
interface Counted {
	readonly requests: number;
}

/** Something that a line is blamed for. */
export interface Finding {
	/** Points of 100. */
	readonly cost: number;
	readonly sentence: string;
}

/** `null`: nothing to find fault with. */
export type Rule<Facts extends Counted> = (facts: Facts) => Finding | null;

/** Requests before which nothing is said. */
export const ENOUGH_REQUESTS = 20;
const GOOD_FROM = 90;
const FAIR_FROM = 60;

const percent = (share: number): string => `${(share * 100).toFixed(share < 0.01 ? 2 : 1)} %`;

const upTo = (most: number, cost: number): number => Math.min(most, Math.round(cost));

/** A share of the requests, from a share on that no sound line has. */
export const shareRule =
	<Facts extends Counted>(
		countOf: (facts: Facts) => number,
		from: number,
		[costPerPercent, most]: readonly [number, number],
		sentence: (share: string, count: number, facts: Facts) => string,
	): Rule<Facts> =>
	(facts) => {
		const count = countOf(facts);
		const share = count / facts.requests;
		if (share < from) return null;
		return {
			cost: upTo(most, Math.max(1, share * 100 * costPerPercent)),
			sentence: sentence(percent(share), count, facts),
		};
	};

/**
 * Judges by rules what was counted. Pure.
 * @param tooFew what is said before there were enough requests
 */
export function judged<Facts extends Counted>(
	facts: Facts,
	rules: readonly Rule<Facts>[],
	tooFew: string,
): WiringHealth {
	if (facts.requests < ENOUGH_REQUESTS) return { score: null, verdict: 'unknown', reasons: [tooFew] };
	const findings = rules
		.map((rule) => rule(facts))
		.filter((finding) => finding !== null)
		.toSorted((a, b) => b.cost - a.cost);
	const score = Math.max(0, 100 - findings.reduce((sum, { cost }) => sum + cost, 0));
	const verdict = score >= GOOD_FROM ? 'good' : score >= FAIR_FROM ? 'fair' : 'poor';
	return { score, verdict, reasons: findings.map(({ sentence }) => sentence) };
}
