import type { GatewayId } from '../kernel/id.ts';
import type { Range } from './range-set.ts';

/** Sequence numbers of one gateway's one epoch. */
export interface StreamRange extends Range {
	readonly origin: GatewayId;
	readonly epoch: number;
}

/**
 * Why samples will never arrive. Declared by the gateway, kept by the hub beside the hole. `not-kept`: the gateway's journal has them no
 * more, because they were read before it was enrolled, or were lost before anybody could say why.
 */
export type LossReason = 'journal-quota' | 'disk-full' | 'journal-damaged' | 'not-kept';

export interface DeclaredLoss extends StreamRange {
	readonly reason: LossReason;
}
