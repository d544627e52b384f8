import type { Random } from '../kit/random.ts';
import type { LiveFault, Moment, PlannedFault, Resource } from './fault.ts';

/** Longest pause between the beginnings of two faults, ms. */
const MOST_PAUSE_MS = 2_000;
/** Most faults are over soon; some last longer than any keep-alive. */
const SHORT_MS = 2_500;
const LONG_MS = 24_000;
const LONG_SHARE = 0.08;
const DAY_MS = 86_400_000;

const MOMENTS: readonly Moment[] = ['now', 'now', 'start', 'publish', 'journal', 'journal', 'seal'];

/** Jumps of a clock as a function of the instant: small and large ones both ways, to 1970 and to 2106. */
const JUMPS_MS: readonly ((nowMs: number) => number)[] = [
	() => 3_600_000,
	() => -3_600_000,
	() => 40 * DAY_MS,
	() => -40 * DAY_MS,
	() => 7_000,
	() => -7_000,
	(nowMs) => 60_000 - nowMs,
	(nowMs) => Date.UTC(2106, 1, 7) - nowMs,
];

const pick = <T>(random: Random, list: readonly [T, ...T[]] | readonly T[]): T => {
	const one = list[Math.floor(random.below(list.length))];
	if (one === undefined) throw new RangeError('nothing to choose from');
	return one;
};

/** Faults that are over before the next thing happens need no long version. */
const NEVER_LONG = new Set<LiveFault>(['kill', 'restart', 'restore', 'cut-frame', 'resend']);

/** The same seed, kinds and day make the same faults. @param nowMs the beginning of the run, for jumps to a fixed year */
export function planFaults(
	random: Random,
	count: number,
	kinds: readonly LiveFault[],
	nowMs: number,
): readonly PlannedFault[] {
	return Array.from({ length: count }, (_, index) => {
		const kind = pick(random, kinds);
		const isLong = random.below(1) < LONG_SHARE && !NEVER_LONG.has(kind);
		return {
			index,
			kind,
			afterMs: Math.round(random.below(MOST_PAUSE_MS)),
			target: random.below(1) < 0.5 ? 'gateway' : 'hub',
			forMs: Math.round(random.below(isLong ? LONG_MS : SHORT_MS)),
			moment: pick(random, MOMENTS),
			jumpMs: Math.round(pick(random, JUMPS_MS)(nowMs)),
			dice: random.below(1),
		};
	});
}

type ResourcesOf = (fault: PlannedFault) => readonly Resource[];

const ofProcess: ResourcesOf = ({ target }) => [target];
const ofLink: ResourcesOf = () => ['link'];
const ofBroker: ResourcesOf = () => ['broker'];

/** What a fault has to have for itself, always named in the same order. */
export const RESOURCES: Readonly<Record<LiveFault, ResourcesOf>> = {
	kill: ofProcess,
	restart: ofProcess,
	freeze: ofProcess,
	// Putting a copy back takes room.
	restore: ({ target }) => [`${target} disk`, target],
	cut: ofLink,
	'cut-frame': ofLink,
	'black-hole': ofLink,
	delay: ofLink,
	throttle: ofLink,
	duplicate: ofBroker,
	reorder: ofBroker,
	'disk-full': ({ target }) => [`${target} disk`],
	clock: ({ target }) => [`${target} clock`],
	// Asks, and is in nobody's way.
	resend: () => [],
};
