import { type EpochMs, toIso } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import type { Published } from './repository-folder.ts';

const DAY_MS = 86_400_000;
/** Longest time since something was signed that is taken without a question. */
const MOST_GAP_MS = 90 * DAY_MS;

/**
 * A machine that signs from the future would make every box believe that it is then, and that all else has expired; only a new root could
 * tell them otherwise.
 *
 * @param isConfirmed a person has looked at the clock
 * @throws Fault `rule-violation`
 */
export function checkOwnClock(now: EpochMs, { root, timestamp, targets }: Published, isConfirmed: boolean): void {
	const signed = [root, timestamp, targets].flatMap((document) => document?.issuedAt ?? []);
	const newest = Math.max(0, ...signed);
	if (now < newest)
		throw new Fault(
			'rule-violation',
			`this machine says that it is ${toIso(now)}, but something was signed later already`,
		);
	if (newest > 0 && now - newest > MOST_GAP_MS && !isConfirmed)
		throw new Fault(
			'rule-violation',
			`this machine says that it is ${toIso(now)}, and nothing was signed for months: look at its clock, then use --time-is-right`,
		);
}
