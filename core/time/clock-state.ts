import type { ClockQuality } from './clock-quality.ts';
import { PRODUCT_BORN_MS } from './possible-time.ts';

const DAY_MS = 86_400_000;

/** A change of the machine's clock against the monotonic line that is none: slewing, rounding. Also what a stamp may be off by. */
export const SLEW_MS = 1_000;
/** A step that is followed at once: a time service corrects, or a leap second. */
export const STEP_MS = 10_000;
/** The machine's clock has jumped, and nobody can say which is right: it is believed after it has stood for so long. */
export const STANDS_MS = 15 * 60_000;
/** How far the machine's clock may be from the hub's, ms, before the hub's word counts more, or is reported. */
export const HUB_BOUND_MS = 30_000;
/** A clock that says less than the last time this box has lived is wrong; so much it may have been ahead then. */
const BEHIND_MS = DAY_MS;
/** A clock further ahead of the last time this box has lived has not been set: 1 January 2106, 7 February 2036. */
const AHEAD_MS = 5 * 365 * DAY_MS;
/** The same for a box that has never lived. */
const AHEAD_OF_BIRTH_MS = 30 * 365 * DAY_MS;
/** A leap that only the machine's own clock tells of has to stand for a day before anything is removed because of it. */
const LEAP_MS = 30 * DAY_MS;
const LEAP_STANDS_MS = DAY_MS;

/** The machine's clock as it is read. */
export interface Observation {
	/** Time on the monotonic line of this boot. */
	readonly lineMs: number;
	/** The machine's wall clock at that instant. */
	readonly wallMs: number;
	readonly isSynchronized: boolean | null;
	readonly hasRtc: boolean | null;
}

/** The hub's clock at an instant of the line. */
export interface HubWord {
	/** The hub's time minus the line. */
	readonly offsetMs: number;
	/** Most it can be wrong by: half of the round trip. */
	readonly errorMs: number;
	readonly lineMs: number;
}

/**
 * The product's clock: the monotonic line of this boot plus an offset. The machine's wall clock only proposes offsets, so that a jump of
 * it moves nothing before it is believed.
 */
export interface ClockState {
	readonly offsetMs: number;
	readonly quality: ClockQuality;
	/** False: the offset stands in for one that is not known yet, and does not change until it is. */
	readonly isKnown: boolean;
	/** The last time this box is known to have lived when it started; `null`: it never has. */
	readonly livedMs: number | null;
	/** What the machine's clock proposes, and since when on the line it has stood there. */
	readonly wallOffsetMs: number;
	readonly standsSinceMs: number;
	readonly isSynchronized: boolean;
	/** Jumps of the machine's clock since the boot was first seen. */
	readonly jumps: number;
	/** Time on the line from which on things may be removed because they are old. */
	readonly trustedFromMs: number;
}

const offsetOf = ({ wallMs, lineMs }: Observation): number => Math.round(wallMs - lineMs);

const floorOf = (state: ClockState): number => Math.max(PRODUCT_BORN_MS, state.livedMs ?? 0);

/** True while the machine's clock says something else than the product's. */
export const isInDoubt = ({ isKnown, wallOffsetMs, offsetMs }: ClockState): boolean =>
	isKnown && Math.abs(wallOffsetMs - offsetMs) > STEP_MS;

/** A time that a machine can say at all. */
function isInRange(state: ClockState, { wallMs, lineMs }: Observation): boolean {
	const ahead = state.livedMs === null && !state.isKnown ? AHEAD_OF_BIRTH_MS : AHEAD_MS;
	const reference = state.isKnown ? lineMs + state.offsetMs : floorOf(state);
	return wallMs >= PRODUCT_BORN_MS && wallMs <= reference + ahead;
}

/** The state at the first look at the machine's clock in a boot. Where it says nothing possible, time goes on from where this box has last lived. */
export function firstState(seen: Observation, livedMs: number | null): ClockState {
	const state: ClockState = {
		offsetMs: 0,
		quality: 'unset',
		isKnown: false,
		livedMs,
		wallOffsetMs: offsetOf(seen),
		standsSinceMs: seen.lineMs,
		isSynchronized: seen.isSynchronized === true,
		jumps: 0,
		trustedFromMs: seen.lineMs,
	};
	const isUsable = isInRange(state, seen) && seen.wallMs >= floorOf(state);
	return { ...state, offsetMs: isUsable ? offsetOf(seen) : Math.round(floorOf(state) - seen.lineMs) };
}

/** Under which quality the machine's clock is believed that has not been until now; `null`: not yet. */
function firstCredit(state: ClockState, seen: Observation): ClockQuality | null {
	if (state.isSynchronized) return 'ntp';
	if (seen.wallMs < floorOf(state) - BEHIND_MS) return null;
	// Somebody has set it since it was first seen, or it was never without power.
	if (seen.hasRtc !== false || state.jumps > 0) return 'rtc';
	return seen.lineMs - state.standsSinceMs >= STANDS_MS ? 'unset' : null;
}

/** The same for a clock that was near the product's all the time, or was set a little. */
function nearCredit({ isSynchronized, quality }: ClockState): ClockQuality | null {
	if (isSynchronized) return 'ntp';
	if (quality === 'hub') return null;
	return quality === 'unset' ? 'unset' : 'rtc';
}

/** The same for a clock that has jumped away from the product's. */
function farCredit(before: ClockState, state: ClockState, lineMs: number): ClockQuality | null {
	if (state.isSynchronized && !before.isSynchronized) return 'ntp';
	if (state.quality === 'hub') return null;
	// What was only a guess gives way to whoever sets the clock.
	if (state.quality === 'unset') return 'rtc';
	if (lineMs - state.standsSinceMs < STANDS_MS) return null;
	return state.isSynchronized ? 'ntp' : 'rtc';
}

function credit(before: ClockState, state: ClockState, seen: Observation): ClockQuality | null {
	if (!isInRange(state, seen)) return null;
	if (!state.isKnown) return firstCredit(state, seen);
	return isInDoubt(state) ? farCredit(before, state, seen.lineMs) : nearCredit(state);
}

/** The offset under which this box has lived until now; `null`: it never has. */
const offsetBefore = ({ isKnown, offsetMs, livedMs }: ClockState, lineMs: number): number | null => {
	if (isKnown) return offsetMs;
	return livedMs === null ? null : livedMs - lineMs;
};

function adopt(state: ClockState, offsetMs: number, quality: ClockQuality, lineMs: number): ClockState {
	const before = offsetBefore(state, lineMs);
	const isLeap = quality === 'rtc' && before !== null && Math.abs(offsetMs - before) > LEAP_MS;
	return {
		...state,
		offsetMs,
		quality,
		isKnown: true,
		trustedFromMs: isLeap ? lineMs + LEAP_STANDS_MS : state.trustedFromMs,
	};
}

/** What becomes of the state when the machine's clock is looked at. */
export function observe(before: ClockState, seen: Observation): ClockState {
	const wallOffsetMs = offsetOf(seen);
	const hasJumped = Math.abs(wallOffsetMs - before.wallOffsetMs) > SLEW_MS;
	const state: ClockState = {
		...before,
		wallOffsetMs,
		standsSinceMs: hasJumped ? seen.lineMs : before.standsSinceMs,
		isSynchronized: seen.isSynchronized === true,
		jumps: before.jumps + (hasJumped ? 1 : 0),
	};
	const quality = credit(before, state, seen);
	return quality === null ? state : adopt(state, wallOffsetMs, quality, seen.lineMs);
}

/** What becomes of the state when the hub says the time: it counts where nobody else knows, or where this machine's clock is plainly wrong. */
export function heed(state: ClockState, { offsetMs, errorMs, lineMs }: HubWord): ClockState {
	if (lineMs + offsetMs < PRODUCT_BORN_MS) return state;
	const gapMs = Math.abs(offsetMs - state.offsetMs);
	if (!state.isKnown || state.quality === 'unset') return adopt(state, offsetMs, 'hub', lineMs);
	if (state.quality === 'hub') return gapMs > errorMs + SLEW_MS ? adopt(state, offsetMs, 'hub', lineMs) : state;
	if (isInDoubt(state)) {
		const isWallRight = Math.abs(offsetMs - state.wallOffsetMs) <= STEP_MS + errorMs;
		const own = state.isSynchronized ? 'ntp' : 'rtc';
		return isWallRight ? adopt(state, state.wallOffsetMs, own, lineMs) : adopt(state, offsetMs, 'hub', lineMs);
	}
	return state.quality === 'rtc' && gapMs > HUB_BOUND_MS + errorMs ? adopt(state, offsetMs, 'hub', lineMs) : state;
}

/** True when something may be removed because it is old: the time is known, and not from a leap that nobody has confirmed. */
export const isTrusted = ({ isKnown, quality, trustedFromMs }: ClockState, lineMs: number): boolean =>
	isKnown && quality !== 'unset' && (quality !== 'rtc' || lineMs >= trustedFromMs);
