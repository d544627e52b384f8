/** Addresses from `first` to `last`, inclusive. */
export interface AddressSpan {
	readonly first: number;
	readonly last: number;
}

/** One read of a sweep. */
export interface SweepAsk {
	readonly address: number;
	readonly count: number;
}

/** Finds how many entries one read may bring, on addresses that are known to be there. */
export interface CapSearch {
	/** `null`: done. */
	next(): SweepAsk | null;
	settle(count: number, isAnswered: boolean): void;
	/** Most that was answered. */
	readonly best: number;
	/** Whether one more is refused at two places, so that it is the length and not a border inside the device. */
	readonly isKnown: boolean;
}

export interface CapSearchDeps {
	/** Answers throughout; `null`: nothing does. */
	readonly span: AddressSpan | null;
	/** Count that was answered before. */
	readonly known: number;
	/** What the specification allows. */
	readonly most: number;
}

/** Width of the widest value: the second place of the proof is as well aligned as the first, and as far from it as can be. */
const WIDEST = 4;

export function createCapSearch({ span, known, most }: CapSearchDeps): CapSearch {
	const start = span === null ? 0 : span.first;
	const length = span === null ? 0 : span.last - span.first + 1;
	let best = known;
	/** Least count that is refused at `start`. */
	let refusedFrom = Math.min(most, length) + 1;
	/** Pairs first: a device of 32-bit values refuses every odd count. */
	let step = 2;
	/** What was refused while whole pairs were asked for. */
	let refusedPairs: number | null = null;
	let isProving = false;
	let isKnown = known >= most;

	const spread = (): number => Math.floor((refusedFrom - 1 - best) / step);

	function proof(): SweepAsk | null {
		const count = refusedPairs ?? refusedFrom;
		const apart = Math.floor((length - count) / WIDEST) * WIDEST;
		if (count > most || apart <= 0) return null;
		isProving = true;
		return { address: start + apart, count };
	}

	return {
		next() {
			if (length <= 1 || isKnown || isProving) return null;
			if (spread() > 0) return { address: start, count: best + Math.ceil(spread() / 2) * step };
			if (step === 2) {
				step = 1;
				if (spread() > 0) return { address: start, count: best + 1 };
			}
			return proof();
		},
		settle(count, isAnswered) {
			if (isProving) {
				isKnown = !isAnswered;
				if (isAnswered) best = Math.max(best, count);
				return;
			}
			if (isAnswered) {
				best = Math.max(best, count);
				isKnown = best >= most;
			} else {
				refusedFrom = Math.min(refusedFrom, count);
				if (step === 2) refusedPairs = refusedFrom;
			}
		},
		get best() {
			return best;
		},
		get isKnown() {
			return isKnown;
		},
	};
}
