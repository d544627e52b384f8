import type { LineStats } from '../driver/driver.ts';
import type { StreamMeter } from '../driver/serial/stream-meter.ts';
import { ENOUGH_REQUESTS, judged, type Rule, shareRule, type WiringHealth } from './judgement.ts';

/** What the judgement of the line of one serial device is made of; counters since the start. */
interface StreamFacts {
	/** Requests, or of a device that sends by itself what came and what did not come in time. */
	readonly requests: number;
	readonly isAsked: boolean;
	/** Frames that gave values. */
	readonly answers: number;
	readonly frames: number;
	readonly timeouts: number;
	readonly checksumErrors: number;
	readonly framingErrors: number;
	/** Answers when nothing was asked. */
	readonly strayFrames: number;
	readonly skippedPeriods: number;
}

const rules: readonly Rule<StreamFacts>[] = [
	shareRule(
		({ timeouts }) => timeouts,
		0.001,
		[4, 70],
		(share, count, { isAsked, requests }) =>
			isAsked
				? `${share} of the requests had no usable answer (${count} of ${requests}): check power, wiring and baud rate`
				: `nothing usable came ${count} times for longer than the timeout: check power, wiring and baud rate, and whether the timeout is three periods of the device`,
	),
	shareRule(
		({ checksumErrors }) => checksumErrors,
		0.0005,
		[20, 70],
		(share, count) =>
			`${share} of the frames had a wrong checksum (${count}): check baud rate, parity, shield and ground, and the checksum of the template`,
	),
	shareRule(
		({ framingErrors }) => framingErrors,
		0.01,
		[1, 40],
		(_share, count) =>
			`bytes came ${count} times that make no frame: check baud rate, parity and data bits, and how the template tells frames apart`,
	),
	({ frames, answers }) =>
		frames < ENOUGH_REQUESTS || answers > 0
			? null
			: {
					cost: 70,
					sentence: `none of ${frames} frames is of a sort that the template has points of: is it the right one?`,
				},
	shareRule(
		({ strayFrames }) => strayFrames,
		0.001,
		[4, 30],
		(_share, count) =>
			`${count} frames came when nothing was asked: the timeout is too short for this device, or it also sends by itself`,
	),
	({ skippedPeriods, requests }) =>
		skippedPeriods / requests < 0.02
			? null
			: {
					cost: 5,
					sentence: `${skippedPeriods} periods were skipped: the device answers more slowly than it is asked`,
				},
];

/** Judges the line of a serial device that is not Modbus by what was counted. Pure. */
export function streamHealth(
	stats: LineStats,
	{ isAsked, counters }: Pick<StreamMeter, 'isAsked' | 'counters'>,
): WiringHealth {
	const { requests: asked, answers, timeouts, crcErrors: checksumErrors, strayFrames, skippedPeriods } = stats;
	const { frames, framingErrors } = counters;
	const requests = isAsked ? asked : frames + checksumErrors + timeouts;
	const what = isAsked ? 'requests were sent' : 'frames came';
	return judged(
		{ requests, isAsked, answers, frames, timeouts, checksumErrors, framingErrors, strayFrames, skippedPeriods },
		rules,
		`only ${requests} ${what} so far; ${ENOUGH_REQUESTS} are needed to judge`,
	);
}
