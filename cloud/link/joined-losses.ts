import { Fault } from '../../core/kernel/fault.ts';
import { joinedRanges, type Range } from '../../core/ledger/range-set.ts';
import type { Losses } from '../../core/link/link-messages.ts';

type Loss = Losses['losses'][number];

/**
 * Losses without overlaps, each reason of each boot by itself. Each one costs the ledger a look at all that it knows of the boot: a message that says
 * the same thing thousands of times must not cost it thousands of times.
 * @throws Fault `rule-violation` for a range that is none
 */
export function joinedLosses(losses: readonly Loss[]): readonly Loss[] {
	const streams = new Map<string, { readonly of: Pick<Loss, 'epoch' | 'reason'>; readonly ranges: Range[] }>();
	for (const { epoch, reason, first, last } of losses) {
		if (last < first) throw new Fault('rule-violation', `${first} to ${last} is no range of samples`);
		const key = `${epoch} ${reason}`;
		const stream = streams.get(key) ?? { of: { epoch, reason }, ranges: [] };
		streams.set(key, stream);
		stream.ranges.push({ first, last });
	}
	return [...streams.values()].flatMap(({ of, ranges }) =>
		joinedRanges([ranges]).map(({ first, last }) => ({ epoch: of.epoch, reason: of.reason, first, last })),
	);
}
