import type { GatewayId } from '../kernel/id.ts';
import type { Range } from './range-set.ts';

/** Sequence numbers of one gateway's one epoch. */
export interface StreamRange extends Range {
	readonly origin: GatewayId;
	readonly epoch: number;
}

/**
 * Why samples will never arrive. Declared by the gateway, kept by the hub beside the hole. `not-journalled`: of an earlier boot, and not
 * in the journal that this boot found; they were read just before the power failed. `not-kept`: read before the gateway was enrolled, or asked
 * for again, and nothing there has them any more. `too-large`: a reading that fits no segment of the journal. `thinned`: only the sums over
 * them are kept. `damaged-in-transit`: however they were sent, they arrived damaged.
 */
export const LOSS_REASONS = [
	'journal-quota',
	'disk-full',
	'journal-damaged',
	'not-journalled',
	'not-kept',
	'too-large',
	'thinned',
	'damaged-in-transit',
] as const;

export type LossReason = (typeof LOSS_REASONS)[number];

/**
 * Why the receiver does not take samples. `refused`: of a device that is not the gateway's. `impossible-time`: read before the product existed, or in
 * the future. `impossible-epoch`: the gateway cannot be in that boot.
 */
export const REFUSAL_REASONS = ['refused', 'impossible-time', 'impossible-epoch'] as const;

export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** Why samples are not there for good. */
export type FinalReason = LossReason | RefusalReason;

export const FINAL_REASONS: readonly FinalReason[] = [...LOSS_REASONS, ...REFUSAL_REASONS];

/** Why samples are not there. `in-transit`: nobody has declared them lost, so the gateway owes them. */
export type HoleReason = FinalReason | 'in-transit';

export interface DeclaredLoss extends StreamRange {
	readonly reason: LossReason;
}

/** Largest number of a boot that counting boots, or seconds of a wall clock, can reach. */
export const MAX_EPOCH = 2 ** 40;
