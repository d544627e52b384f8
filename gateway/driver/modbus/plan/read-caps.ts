import type { Learnt } from './learnt.ts';
import { readsBits } from './line-cost.ts';
import type { PlanLimits, ReadRequest } from './request-plan.ts';

/** How much one read may carry, of registers or of bits. */
interface Cap {
	/** The longest read that was answered. */
	good: number;
	/** The shortest read that was refused for its length; `null`: none was. */
	bad: number | null;
	/** What is planned with now. */
	inUse: number;
}

/**
 * How long reads of a device may be, found by halves: the shortest refused read is a bound from above, the longest answered one
 * from below, and what is planned with lies between them for as long as that may save a request.
 */
export interface ReadCaps {
	readonly maxRegisters: number;
	readonly maxBits: number;
	readonly learnt: Pick<Learnt, 'maxRegisters' | 'maxBits'>;
	/** This read was answered. @returns whether other lengths are to be planned with from now on */
	answered(request: ReadRequest): boolean;
	/** This read was refused, and its length is the only explanation. @param longest of the reads that are known to be answered */
	tooLong(request: ReadRequest, longest: number): void;
	/** @param requests with a cap, how many requests the points need */
	settle(
		functionCode: ReadRequest['functionCode'],
		requests: (limits: { maxRegisters: number; maxBits: number }) => number,
	): void;
}

const capOf = (allowed: number, known: number | null): Cap => ({
	good: known ?? 0,
	bad: known === null ? null : known + 1,
	inUse: Math.min(allowed, known ?? allowed),
});

const learntOf = ({ bad, good }: Cap): number | null => (bad === null ? null : good);

/** @param most what the template allows */
export function createReadCaps(most: Pick<PlanLimits, 'maxRegisters' | 'maxBits'>, learnt: Learnt): ReadCaps {
	const registers = capOf(most.maxRegisters, learnt.maxRegisters);
	const bits = capOf(most.maxBits, learnt.maxBits);
	const of = ({ functionCode }: Pick<ReadRequest, 'functionCode'>): Cap => (readsBits(functionCode) ? bits : registers);

	return {
		get maxRegisters() {
			return registers.inUse;
		},
		get maxBits() {
			return bits.inUse;
		},
		get learnt() {
			return { maxRegisters: learntOf(registers), maxBits: learntOf(bits) };
		},
		answered(request) {
			const cap = of(request);
			if (request.count <= cap.good) return false;
			cap.good = request.count;
			return cap.bad !== null;
		},
		tooLong(request, longest) {
			const cap = of(request);
			cap.good = longest;
			cap.bad = Math.max(cap.good + 1, Math.min(cap.bad ?? request.count, request.count));
			cap.inUse = cap.good;
		},
		settle(functionCode, requests) {
			const cap = of({ functionCode });
			if (cap.bad === null) return;
			const needed = (inUse: number): number =>
				requests({
					maxRegisters: registers.inUse,
					maxBits: bits.inUse,
					[cap === bits ? 'maxBits' : 'maxRegisters']: inUse,
				});
			const middle = Math.floor((cap.good + cap.bad) / 2);
			// Longer reads are tried only where they could save a request.
			cap.inUse = middle > cap.good && needed(cap.bad - 1) < needed(cap.good) ? middle : cap.good;
		},
	};
}
