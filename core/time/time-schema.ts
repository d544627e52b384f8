import Joi from 'joi';

import { epochMs, toIso } from '../kernel/clock.ts';
import { CLOCK_QUALITIES } from './clock-quality.ts';
import type { Era } from './era.ts';
import type { ClockStatus } from './time-keeper.ts';

/** The newest eras; there are rarely more than a few for each start. */
const SHOWN_ERAS = 100;

const eraView = ({ epoch, firstSeq, bootId, quality, isEstimated, offsetMs, deltaMs, fromMs, untilMs }: Era) => {
	const at = (lineMs: number): string => toIso(epochMs(Math.round(lineMs + offsetMs + (deltaMs ?? 0))));
	return {
		epoch,
		first_seq: firstSeq,
		boot_id: bootId,
		clock_quality: quality,
		is_estimated: isEstimated,
		delta_ms: deltaMs,
		from: at(fromMs),
		until: untilMs === null ? null : at(untilMs),
	};
};

export const timeView = (status: ClockStatus) => ({
	now: toIso(status.now),
	clock_quality: status.quality,
	is_known: status.isKnown,
	is_trusted: status.isTrusted,
	reason: status.reason,
	system_clock_offset_ms: Math.round(status.systemOffsetMs),
	ntp_synchronized: status.isSynchronized,
	hub:
		status.hub === null
			? null
			: {
					offset_ms: Math.round(status.hub.gapMs),
					error_ms: Math.round(status.hub.errorMs),
					asked_at: toIso(status.hub.at),
				},
	jumps: status.jumps,
	last_jump: status.lastJump && { at: toIso(status.lastJump.at), by_ms: Math.round(status.lastJump.byMs) },
	boot_id: status.bootId,
	eras: status.eras.slice(-SHOWN_ERAS).toReversed().map(eraView),
});

const iso = Joi.string().isoDate();
const quality = Joi.valid(...CLOCK_QUALITIES).required();
const whole = Joi.number().integer();

export const timeAnswer = Joi.object({
	now: iso.required(),
	clock_quality: quality,
	is_known: Joi.boolean().required().description('False while readings wait for their time'),
	is_trusted: Joi.boolean().required().description('False while nothing is removed for its age'),
	reason: Joi.string().allow(null).required().description('Why the clock is not in order'),
	system_clock_offset_ms: whole.required().description('Clock of the machine minus the time used here'),
	ntp_synchronized: Joi.boolean().allow(null).required(),
	hub: Joi.object({
		offset_ms: whole.required().description('Clock of the hub minus the time used here'),
		error_ms: whole.min(0).required(),
		asked_at: iso.required(),
	})
		.allow(null)
		.required(),
	jumps: whole.min(0).required(),
	last_jump: Joi.object({ at: iso.required(), by_ms: whole.required() }).allow(null).required(),
	boot_id: Joi.string().required(),
	eras: Joi.array()
		.items(
			Joi.object({
				epoch: whole.required(),
				first_seq: whole.required(),
				boot_id: Joi.string().required(),
				clock_quality: quality,
				is_estimated: Joi.boolean().required(),
				delta_ms: whole.allow(null).required(),
				from: iso.required(),
				until: iso.allow(null).required(),
			}),
		)
		.required(),
});
