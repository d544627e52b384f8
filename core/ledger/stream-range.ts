import type { GatewayId } from '../kernel/id.ts';
import type { Range } from './range-set.ts';

/** Sequence numbers of one gateway's one epoch. */
export interface StreamRange extends Range {
	readonly origin: GatewayId;
	readonly epoch: number;
}

/**
 * Why samples will never arrive. Declared by the gateway, kept by the hub beside the hole. `not-journalled`: of an earlier boot, and not
 * in the journal that this boot found; they were read just before the power failed. `not-kept`: read before the gateway was enrolled, and
 * its journal has them no more. `too-large`: a reading that fits no segment of the journal.
 */
export const LOSS_REASONS = [
	'journal-quota',
	'disk-full',
	'journal-damaged',
	'not-journalled',
	'not-kept',
	'too-large',
] as const;

export type LossReason = (typeof LOSS_REASONS)[number];

export interface DeclaredLoss extends StreamRange {
	readonly reason: LossReason;
}
