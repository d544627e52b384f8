import { type EpochMs, epochMs } from '../kernel/clock.ts';
import type { Reading } from '../telemetry/reading.ts';
import type { ClockQuality } from './clock-quality.ts';

/** Readings wait for their number, and devices' clocks differ, by no more than this. */
const SLACK_MS = 60_000;

/** Sequence numbers of one epoch that were stamped under one state of the clock. */
export interface Era {
	readonly epoch: number;
	/** Where it begins; it ends where the next one of its epoch begins. */
	readonly firstSeq: number;
	/** Up to this number readings may have been stamped under the era before: they got their number after the clock was set. 0: none. */
	readonly sharedThroughSeq: number;
	/** The instant, on the line, up to which such numbers were handed out. */
	readonly sharedUntilMs: number;
	readonly bootId: string;
	/** Of the time that is known now, not of the stamp. */
	readonly quality: ClockQuality;
	/** Nobody has ever known this time; it was placed where it is possible. */
	readonly isEstimated: boolean;
	/** The product's clock minus the monotonic line of the boot, when it began. */
	readonly offsetMs: number;
	/** What its stamps lack to the time; `null` while that is not known. Once known it never changes. */
	readonly deltaMs: number | null;
	/** When on the line it began, and at the latest ended; `null` while it lasts. */
	readonly fromMs: number;
	readonly untilMs: number | null;
}

/** What is known of the boot that runs. */
export interface BootTime {
	readonly bootId: string;
	/** The time minus the line; `null` while it is not known. */
	readonly offsetMs: number | null;
	readonly quality: ClockQuality;
}

/** `sharedThroughSeq` until it is known. */
export const OPEN_END = Number.MAX_SAFE_INTEGER;
/** After the clock was set, readings get their numbers within this time. */
const NUMBERED_WITHIN_MS = 10_000;

/** The eras of a process that has ended: none of them lasts. @param aliveUntilMs the last instant, on the line of the boot, at which that process may have lived */
export const endedEra = (era: Era, aliveUntilMs: (bootId: string) => number | null): Era => {
	const isOpen = era.sharedThroughSeq === OPEN_END;
	return {
		...era,
		sharedThroughSeq: isOpen ? OPEN_END - 1 : era.sharedThroughSeq,
		sharedUntilMs: isOpen ? era.fromMs + NUMBERED_WITHIN_MS : era.sharedUntilMs,
		untilMs: era.untilMs ?? aliveUntilMs(era.bootId) ?? era.fromMs,
	};
};

const isWithin = (at: number, from: number, until: number): boolean => at >= from && at <= until;

/** Whether the product's clock can have said this instant during the era. */
const isStampOf = ({ fromMs, untilMs, offsetMs }: Era, at: EpochMs, nowLineMs: number): boolean =>
	isWithin(at, fromMs + offsetMs - SLACK_MS, (untilMs ?? nowLineMs) + offsetMs + SLACK_MS);

/** The last era of the epoch that begins at or before the number, and the one before it. */
function around(eras: readonly Era[], epoch: number, seq: number): readonly [Era | undefined, Era | undefined] {
	let found: Era | undefined;
	let before: Era | undefined;
	for (let index = eras.length - 1; index >= 0; index -= 1) {
		const era = eras[index];
		if (era === undefined || era.epoch < epoch) break;
		if (era.epoch !== epoch || era.firstSeq > seq) continue;
		if (found !== undefined) {
			before = era;
			break;
		}
		found = era;
	}
	return [found, before];
}

/** The era that a reading was stamped in; `null` when none is known. @param eras by epoch, then number */
export function eraOf(
	eras: readonly Era[],
	{ epoch, firstSeq, readAt }: Pick<Reading, 'epoch' | 'firstSeq' | 'readAt'>,
	lineMs: () => number,
): Era | null {
	const [era, before] = around(eras, epoch, firstSeq);
	if (era === undefined) return null;
	if (before === undefined || firstSeq > era.sharedThroughSeq) return era;
	const isOwn = isWithin(readAt, era.fromMs + era.offsetMs, era.sharedUntilMs + era.offsetMs);
	return !isOwn && isStampOf(before, readAt, lineMs()) ? before : era;
}

/** A reading of an era under the time that is known; `null` while that is not known. */
export function settledBy<R extends Pick<Reading, 'readAt'>>(era: Era, reading: R, lineMs: () => number): R | null {
	if (era.deltaMs === 0) return reading;
	// The device has its own clock.
	if (!isStampOf(era, reading.readAt, lineMs())) return reading;
	return era.deltaMs === null ? null : { ...reading, readAt: epochMs(reading.readAt + era.deltaMs) };
}

interface LineTime {
	readonly offsetMs: number;
	readonly quality: ClockQuality;
	readonly isEstimated: boolean;
}

/** A shift below what a clock is read with is none. */
const deltaOf = (era: Era, line: LineTime, negligibleMs: number): number => {
	const deltaMs = line.offsetMs - era.offsetMs;
	return Math.abs(deltaMs) <= negligibleMs ? 0 : deltaMs;
};

const endOf = (eras: readonly Era[]): number => Math.max(...eras.map(({ fromMs, untilMs }) => untilMs ?? fromMs));

/** What the eras of one boot tell of its time. */
function knownTime(eras: readonly Era[], here: BootTime): LineTime | null {
	const [first] = eras;
	if (first?.bootId === here.bootId && here.offsetMs !== null)
		return { offsetMs: here.offsetMs, quality: here.quality, isEstimated: here.quality === 'unset' };
	const settled = eras.findLast(({ deltaMs }) => deltaMs !== null);
	if (settled === undefined) return null;
	const { offsetMs, deltaMs, quality, isEstimated } = settled;
	return { offsetMs: offsetMs + (deltaMs ?? 0), quality, isEstimated };
}

function byBoot(eras: readonly Era[]): ReadonlyMap<string, readonly Era[]> {
	const boots = new Map<string, Era[]>();
	for (const era of eras) {
		const own = boots.get(era.bootId);
		if (own === undefined) boots.set(era.bootId, [era]);
		else own.push(era);
	}
	return boots;
}

/**
 * Gives the eras their time as far as it is known now. All eras of a boot lie on one monotonic line, so that one known instant of it is
 * enough. A boot that ended without any is placed so that it has ended when the next one whose time is known began.
 */
export function resolveEras(eras: readonly Era[], here: BootTime, negligibleMs: number): readonly Era[] {
	const times = new Map<string, LineTime>();
	/** When the boot after it began. */
	let laterFromMs = here.offsetMs;
	for (const [bootId, own] of [...byBoot(eras)].toReversed()) {
		let time = knownTime(own, here);
		if (time === null && laterFromMs !== null && bootId !== here.bootId)
			time = { offsetMs: Math.round(laterFromMs - endOf(own)), quality: 'unset', isEstimated: true };
		if (time === null) continue;
		times.set(bootId, time);
		laterFromMs = time.offsetMs;
	}
	return eras.map((era) => {
		const time = times.get(era.bootId);
		if (era.deltaMs !== null || time === undefined) return era;
		const { quality, isEstimated } = time;
		return { ...era, deltaMs: deltaOf(era, time, negligibleMs), quality, isEstimated };
	});
}

/** How many eras are kept; a clock that is set all the time must not fill the disk. */
export const MAX_ERAS = 500;

/** Leaves out what nobody asks for any more, and the oldest whose stamps are right when there are too many. */
export function pruneEras(eras: readonly Era[], isNeeded: (era: Era) => boolean): readonly Era[] {
	const needed = eras.filter(isNeeded);
	let surplus = needed.length - MAX_ERAS;
	const kept = needed.filter(({ deltaMs }) => {
		if (surplus <= 0 || deltaMs !== 0) return true;
		surplus -= 1;
		return false;
	});
	return kept.slice(-MAX_ERAS);
}
