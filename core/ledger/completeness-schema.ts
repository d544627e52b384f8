import Joi from 'joi';

import { endTimestamp, timestamp } from '../telemetry/telemetry-schema.ts';
import type { EpochMs } from '../kernel/clock.ts';
import { toIso } from '../kernel/clock.ts';
import type { LedgerHole } from './completeness.ts';
import type { EpochSpan, Gap } from './explain.ts';
import { FINAL_REASONS, type FinalReason } from './stream-range.ts';

/** Most time of one question: 31 days. */
export const MAX_COMPLETENESS_MS = 31 * 86_400_000;

export interface CompletenessQuery {
	readonly from?: EpochMs;
	readonly to?: EpochMs;
}

export const completenessQuery = Joi.object<CompletenessQuery>({ from: timestamp, to: endTimestamp });

const instant = () => Joi.string().isoDate();
const count = () => Joi.number().min(0);

const gap = Joi.object({
	from: instant().required(),
	to: instant().required(),
	reason: Joi.string().required(),
	samples: count().allow(null).required().description('samples of its whole gateway that are missing around this time'),
}).label('Gap');

export const completenessAnswer = Joi.object({
	device_id: Joi.string().guid().required(),
	device_uid: Joi.string().required(),
	from: instant().required(),
	to: instant().required(),
	is_complete: Joi.boolean().required(),
	gaps: Joi.array().items(gap).required(),
})
	.unknown()
	.label('Completeness');

export const gapView = ({ from, to, reason, samples }: Gap) => ({ from: toIso(from), to: toIso(to), reason, samples });

const hole = Joi.object({
	epoch: count().required(),
	first: count().required(),
	last: count().required(),
	reason: Joi.string().required(),
	from: instant().allow(null).required(),
	to: instant().allow(null).required(),
})
	.unknown()
	.label('Hole');

const boot = Joi.object({ epoch: count().required(), from: instant().required(), to: instant().required() })
	.unknown()
	.label('Boot');

/** What every ledger answers: its holes with reason and time, and the boots it knows. */
export const ledgerFields = {
	missing_samples: count().required(),
	declared_lost_samples: count().required(),
	lost_by_reason: Joi.object(Object.fromEntries(FINAL_REASONS.map((reason) => [reason, count()]))).required(),
	holes: Joi.array().items(hole).required(),
	boots: Joi.array().items(boot).required(),
};

export const holeView = ({ epoch, first, last, reason, from, to }: LedgerHole) => ({
	epoch,
	first,
	last,
	reason,
	from: from === null ? null : toIso(from),
	to: to === null ? null : toIso(to),
});

/** Boots that one answer names, the newest. */
const MAX_BOOTS = 1_000;

export const bootsView = (boots: readonly EpochSpan[]) =>
	boots.slice(-MAX_BOOTS).map(({ epoch, from, to }) => ({ epoch, from: toIso(from), to: toIso(to) }));

export const lostView = (lost: Readonly<Record<FinalReason, number>>): Readonly<Record<string, number>> => ({
	...lost,
});
