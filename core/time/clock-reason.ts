import { type ClockState, HUB_BOUND_MS, isInDoubt } from './clock-state.ts';

const UNITS: readonly (readonly [string, number])[] = [
	['day', 86_400_000],
	['hour', 3_600_000],
	['minute', 60_000],
	['second', 1_000],
];

/** A length of time for a person, in its largest unit: `3 hours`. */
function inWords(ms: number): string {
	const length = Math.abs(ms);
	const [unit, size] = UNITS.find(([, unitMs]) => length >= unitMs) ?? ['second', 1_000];
	const count = Math.round(length / size);
	return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

const apart = (ms: number): string => `${inWords(ms)} ${ms > 0 ? 'ahead of' : 'behind'}`;

/** Why a clock is not in order; `null` when it is. */
export function whyNotInOrder(
	state: ClockState,
	{ isTrusted, hubGapMs }: { readonly isTrusted: boolean; readonly hubGapMs: number },
): string | null {
	if (!state.isKnown) return 'the time is not known: readings wait until the network, the hub or a person says it';
	if (state.quality === 'unset') return 'the time is a guess: nobody has confirmed the clock since the power came';
	if (isInDoubt(state)) {
		const offMs = state.wallOffsetMs - state.offsetMs;
		const why = state.quality === 'hub' ? 'the hub says otherwise' : 'it has jumped, and nobody has confirmed it';
		return `the clock of the machine is ${apart(offMs)} the time used here: ${why}`;
	}
	if (!isTrusted) return 'the clock has leapt far and nobody has confirmed it: nothing is removed for its age';
	if (Math.abs(hubGapMs) > HUB_BOUND_MS) return `the hub's clock is ${apart(hubGapMs)} the one here`;
	return null;
}
