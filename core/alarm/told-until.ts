import type { EpochMs } from '../kernel/clock.ts';
import type { AlertStamps, StampMark } from './alert-stamps.ts';
import type { Alert, Signal } from './alert.ts';

/** The last thing that a rule has said of a device: when, and where in the readings while the time of it is not known. */
interface Told {
	readonly at: EpochMs;
	readonly mark: StampMark | null;
}

const keyOf = (ruleId: string, deviceId: string): string => `${ruleId} ${deviceId}`;

const isUpTo = (mark: StampMark, last: StampMark): boolean =>
	mark.epoch < last.epoch || (mark.epoch === last.epoch && mark.seq <= last.seq);

function lastOf({ raisedAt, clearedAt, unsettled }: Alert): Told {
	const at = clearedAt === null || clearedAt < raisedAt ? raisedAt : clearedAt;
	const { raisedAt: raised, clearedAt: cleared } = unsettled ?? {};
	if (raised === undefined || cleared === undefined) return { at, mark: raised ?? cleared ?? null };
	return { at, mark: isUpTo(raised, cleared) ? cleared : raised };
}

/** What is under a time that is not known yet was said after everything whose time is known. */
function isLater(one: Told, other: Told): boolean {
	if (one.mark !== null && other.mark !== null) return !isUpTo(one.mark, other.mark);
	return one.mark === other.mark ? one.at > other.at : one.mark !== null;
}

/**
 * Which signals have become alerts before, so that a reading that is compared once more raises nothing twice. A rule says nothing of before it was made.
 * @param now the clock of this box, which may not know the time
 */
export function createToldUntil(alerts: readonly Alert[], stamps: Pick<AlertStamps, 'settle'>, now: () => EpochMs) {
	const latest = new Map<string, Told>();
	for (const alert of alerts) {
		const told = lastOf(alert);
		const known = latest.get(keyOf(alert.ruleId, alert.deviceId));
		if (known === undefined || isLater(told, known)) latest.set(keyOf(alert.ruleId, alert.deviceId), told);
	}
	return ({ rule, deviceId, at }: Signal, mark: StampMark): boolean => {
		const told = latest.get(keyOf(rule.id, deviceId));
		const settledAt = stamps.settle({ ...mark, at });
		if (told?.mark) return isUpTo(mark, told.mark);
		if (settledAt !== null) return settledAt <= (told?.at ?? rule.createdAt);
		// A rule of a later time than the clock says was made before the clock lost its time.
		return told === undefined && at <= rule.createdAt && rule.createdAt <= now();
	};
}
