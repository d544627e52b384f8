import { ENOUGH_REQUESTS, judged, type Rule, shareRule, type WiringHealth } from './judgement.ts';

/** What the judgement of a line or of one unit is made of; counters since the start. Times in ms. */
export interface WiringFacts {
	readonly requests: number;
	readonly answers: number;
	readonly timeouts: number;
	/** Answers that were damaged or did not fit. */
	readonly damaged: number;
	/** Answers that could have been those to an earlier request: they came late. */
	readonly late: number;
	readonly foreignFrames: number;
	readonly echoFrames: number;
	readonly noiseBytes: number;
	readonly skippedPeriods: number;
	readonly latencyP50Ms: number | null;
	readonly latencyP99Ms: number | null;
}

/** A slowest hundredth this many times the middle is worth a word, when it is also long. */
const UNEVEN_TIMES = 8;
const UNEVEN_FROM_MS = 250;

const rules: readonly Rule<WiringFacts>[] = [
	shareRule(
		({ timeouts }) => timeouts,
		0.001,
		[4, 70],
		(share, count, { requests }) =>
			`${share} of the requests had no answer (${count} of ${requests}): check power, unit ids and that both ends of the line are connected`,
	),
	shareRule(
		({ damaged }) => damaged,
		0.0005,
		[20, 70],
		(share, count) =>
			`${share} of the answers were damaged (${count}): check termination at both ends, shield, polarity of A and B, baud rate and parity, and that no unit id is used twice`,
	),
	shareRule(
		({ late }) => late,
		0.001,
		[4, 30],
		(share, count) =>
			`${share} of the answers came after their time (${count}): the timeout is too short for this device or converter`,
	),
	shareRule(
		({ noiseBytes }) => noiseBytes,
		0.01,
		[0.5, 25],
		(_share, count) =>
			`${count} bytes of noise were heard between frames: check bias resistors, termination and the distance to power cables`,
	),
	({ foreignFrames }) =>
		foreignFrames === 0
			? null
			: {
					cost: 15,
					sentence: `${foreignFrames} frames of another master were heard: only one may ask on a serial line, or the answers collide`,
				},
	({ echoFrames }) =>
		echoFrames === 0
			? null
			: {
					cost: 0,
					sentence: `the adapter hears what it sends (${echoFrames} echoes); that is allowed for and does no harm`,
				},
	({ latencyP50Ms, latencyP99Ms }) =>
		latencyP50Ms === null ||
		latencyP99Ms === null ||
		latencyP99Ms < Math.max(UNEVEN_FROM_MS, UNEVEN_TIMES * latencyP50Ms)
			? null
			: {
					cost: 5,
					sentence: `one answer in a hundred takes ${Math.round(latencyP99Ms)} ms, the usual one ${Math.round(latencyP50Ms)} ms: the device or a converter is busy at times`,
				},
	({ skippedPeriods, requests }) =>
		skippedPeriods / requests < 0.02
			? null
			: {
					cost: 5,
					sentence: `${skippedPeriods} periods were skipped: more is asked of the line than it can carry, or a dead device costs it time`,
				},
];

/** Judges a line, or one unit of it, by what was counted. Pure. */
export const wiringHealth = (facts: WiringFacts): WiringHealth =>
	judged(facts, rules, `only ${facts.requests} requests were sent so far; ${ENOUGH_REQUESTS} are needed to judge`);
