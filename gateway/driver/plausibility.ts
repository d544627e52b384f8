import { counterRange } from '../../config/template/point-facts.ts';
import { isNumeric } from '../../config/template/register-types.ts';
import type { TemplatePoint } from '../../config/template/template.ts';
import { type CounterRule, minus, type Numeric, plus, turnOf } from '../../core/history/rollup-counter.ts';
import type { Quality, SampleValue } from '../../core/telemetry/reading.ts';

/** Values of one answer with their keys; a list of keys is one array for the life of a plan. */
export interface JudgedRead {
	readonly keys: readonly string[];
	readonly values: readonly SampleValue[];
	/** `null` when all are good. */
	readonly qualities: readonly Quality[] | null;
}

/** Told of a counter that began again: most likely somebody has changed the meter. */
export type CounterReplaced = (key: string, from: Numeric, to: Numeric) => void;

/** Looks at each value in the light of the ones before it. */
export interface Plausibility {
	/**
	 * The qualities with the judgement: a good value that cannot follow what came before is `out_of_range`, and stays as it was read.
	 * @param atMs monotonic
	 * @returns `qualities` itself when nothing is to say
	 */
	judge(read: JudgedRead, atMs: number): readonly Quality[] | null;
}

/** What is kept of one point: two values, whatever comes. */
interface PointState {
	readonly key: string;
	/** Of a counter; `null` for other points. */
	readonly counter: CounterRule | null;
	/** The counter goes back to 0 by itself. */
	readonly resets: boolean;
	/** Most change in one second. */
	readonly maxStep: number;
	/** The last value that was believed, and when. */
	accepted: Numeric | null;
	acceptedMs: number;
	/** The last value that was not believed, how many of them agreed so far, and when. */
	suspect: Numeric | null;
	suspectCount: number;
	suspectMs: number;
}

/** So many values in a row that fit each other, and not what was before, are believed: the world has changed, not the line. */
const BELIEVED_AFTER = 3;

/** A step is never judged by less than a second: two answers may be milliseconds apart. */
const LEAST_STEP_S = 1;

const MS_PER_S = 1000;

const isNumber = (value: SampleValue | undefined): value is Numeric =>
	typeof value === 'number' || typeof value === 'bigint';

function stateOf(point: TemplatePoint): PointState | null {
	const isCounter = point.kind === 'counter';
	if (!isNumeric(point.type) || (!isCounter && point.maxStep === undefined)) return null;
	return {
		key: point.key,
		counter: isCounter ? { isCounter: true, range: counterRange(point) } : null,
		resets: point.resets ?? false,
		maxStep: point.maxStep ?? Number.POSITIVE_INFINITY,
		accepted: null,
		acceptedMs: 0,
		suspect: null,
		suspectCount: 0,
		suspectMs: 0,
	};
}

/** What a value is after another one. `new`: a counter that began again. */
type Follow = 'fits' | 'jump' | 'new';

function followCounter(from: Numeric, to: Numeric, rule: CounterRule, mostStep: number): Follow {
	if (to >= from) return Number(minus(to, from)) <= mostStep ? 'fits' : 'jump';
	const { correction, isReset } = turnOf(from, to, rule);
	if (isReset) return 'new';
	return Number(plus(minus(to, from), correction)) <= mostStep ? 'fits' : 'jump';
}

function follow({ counter, maxStep }: PointState, from: Numeric, to: Numeric, passedMs: number): Follow {
	const mostStep = maxStep * Math.max(LEAST_STEP_S, passedMs / MS_PER_S);
	if (counter !== null) return followCounter(from, to, counter, mostStep);
	return Math.abs(Number(minus(to, from))) <= mostStep ? 'fits' : 'jump';
}

/** How nearly every value comes: a number, a little more or less than before. */
function isPlain({ counter, maxStep, accepted }: PointState, value: Numeric): boolean {
	if (typeof value !== 'number' || typeof accepted !== 'number') return false;
	const step = value - accepted;
	return (counter === null ? Math.abs(step) : step) <= maxStep && (counter === null || step >= 0);
}

function accept(state: PointState, value: Numeric, atMs: number): void {
	state.accepted = value;
	state.acceptedMs = atMs;
	state.suspect = null;
	state.suspectCount = 0;
}

/** Notes a value that is not believed. @returns whether enough of them agree by now */
function suspect(state: PointState, value: Numeric, atMs: number): boolean {
	const isAgreed = state.suspect !== null && follow(state, state.suspect, value, atMs - state.suspectMs) === 'fits';
	state.suspectCount = isAgreed ? state.suspectCount + 1 : 1;
	state.suspect = value;
	state.suspectMs = atMs;
	return state.suspectCount >= BELIEVED_AFTER;
}

/**
 * Judges the values of one device.
 *
 * - A value that changed faster than `maxStep` allows is not believed, nor is a counter that fell.
 * - A counter that fell may have rolled over at the end of its register, which is believed, or step back a little, as after a power cut.
 * - Three such values in a row that fit each other are believed: the third is good again. Of a counter that means another meter, which
 *   is told to `replaced`. A counter that resets by itself begins again at once and nobody is told.
 * - Values that are not good are not looked at, and a first value is believed.
 *
 * Memory: two values for each point that is judged, for the life of the device's plan.
 */
export function createPlausibility(points: readonly TemplatePoint[], replaced: CounterReplaced): Plausibility {
	const stateByKey = new Map<string, PointState>();
	for (const point of points) {
		const state = stateOf(point);
		if (state !== null) stateByKey.set(point.key, state);
	}
	const statesByKeys = new WeakMap<readonly string[], readonly (PointState | undefined)[] | null>();

	function statesOf(keys: readonly string[]): readonly (PointState | undefined)[] | null {
		let states = statesByKeys.get(keys);
		if (states === undefined) {
			const found = keys.map((key) => stateByKey.get(key));
			states = found.some((state) => state !== undefined) ? found : null;
			statesByKeys.set(keys, states);
		}
		return states;
	}

	function isBelieved(state: PointState, value: Numeric, atMs: number): boolean {
		const before = state.accepted;
		if (isPlain(state, value)) {
			accept(state, value, atMs);
			return true;
		}
		const how = before === null ? 'fits' : follow(state, before, value, atMs - state.acceptedMs);
		const isTurned = how === 'new' && state.resets;
		if (how !== 'fits' && !isTurned && !suspect(state, value, atMs)) return false;
		if (how === 'new' && !isTurned && before !== null) replaced(state.key, before, value);
		accept(state, value, atMs);
		return true;
	}

	return {
		judge({ keys, values, qualities }, atMs) {
			const states = statesOf(keys);
			if (states === null) return qualities;
			let judged: Quality[] | null = null;
			for (let index = 0; index < states.length; index++) {
				const state = states[index];
				const value = values[index];
				if (state === undefined || !isNumber(value)) continue;
				if ((qualities?.[index] ?? 'good') !== 'good' || isBelieved(state, value, atMs)) continue;
				judged ??= qualities === null ? keys.map(() => 'good') : [...qualities];
				judged[index] = 'out_of_range';
			}
			return judged ?? qualities;
		},
	};
}
