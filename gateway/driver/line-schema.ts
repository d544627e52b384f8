import Joi from 'joi';

import type { LineStats } from './driver.ts';

/** A line's counters in the words of REST. */
export const lineView = (stats: LineStats) => ({
	line: stats.line,
	state: stats.state,
	reason: stats.reason,
	requests: stats.requests,
	answers: stats.answers,
	timeouts: stats.timeouts,
	exceptions: stats.exceptions,
	crc_errors: stats.crcErrors,
	stray_frames: stats.strayFrames,
	foreign_frames: stats.foreignFrames,
	echo_frames: stats.echoFrames,
	noise_bytes: stats.noiseBytes,
	quarantines: stats.quarantines,
	skipped_periods: stats.skippedPeriods,
	leased_to: stats.leasedTo,
	overrun: stats.overrun,
	utilisation: stats.utilisation,
	latency_p50_ms: stats.latencyP50Ms,
	latency_p99_ms: stats.latencyP99Ms,
});

const count = () => Joi.number().min(0);

/** Members of a line, all of them there. */
export const lineMembers = {
	line: Joi.string(),
	state: Joi.valid('closed', 'opening', 'open', 'failed'),
	reason: Joi.string().allow(null),
	requests: count(),
	answers: count(),
	timeouts: count(),
	exceptions: count(),
	crc_errors: count(),
	stray_frames: count(),
	foreign_frames: count(),
	echo_frames: count(),
	noise_bytes: count(),
	quarantines: count(),
	skipped_periods: count(),
	leased_to: Joi.string().allow(null),
	overrun: Joi.string().allow(null),
	utilisation: count(),
	latency_p50_ms: count().allow(null),
	latency_p99_ms: count().allow(null),
} as const;
