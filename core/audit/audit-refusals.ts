import type { SetTimer } from '../journal/set-timer.ts';
import type { Clock } from '../kernel/clock.ts';
import type { AuditEvent } from './audit.ts';

/** How long equal refusals are counted together. */
const WINDOW_MS = 60_000;

/** Different refusals that are told apart at a time. */
const MAX_OPEN = 500;

/**
 * Entries that refusals may cause: so many at once, and so many in the long run. Whoever can only be refused shall not be able to push
 * the changes out of the log: at this rate its quota lasts for weeks.
 */
const BURST = 100;
const PER_MINUTE = 6;

interface Open {
	readonly event: AuditEvent;
	repeats: number;
}

/** Refusals are equal when the same caller is refused the same thing for the same reason; the sentence after the code does not count. */
const keyOf = ({ action, from, actor, reason, target }: AuditEvent): string =>
	JSON.stringify([action, from, actor?.userId ?? null, reason?.split(':', 1)[0] ?? null, target]);

/**
 * Turns floods into few entries: a refusal is written at once, equal ones of the following minute as one entry with their count; and
 * while too many different ones come, those beyond are one entry without a name.
 */
export function createRefusalCounter({
	put,
	clock,
	setTimer,
}: {
	readonly put: (event: AuditEvent, count: number) => void;
	readonly clock: Clock;
	readonly setTimer: SetTimer;
}) {
	const open = new Map<string, Open>();
	let others = 0;
	let budget = BURST;
	let budgetAtMs = clock.monotonicMs();
	let cancel: (() => void) | null = null;

	function isWithinBudget(): boolean {
		const nowMs = clock.monotonicMs();
		budget = Math.min(BURST, budget + ((nowMs - budgetAtMs) / 60_000) * PER_MINUTE);
		budgetAtMs = nowMs;
		if (budget < 1) return false;
		budget -= 1;
		return true;
	}

	function write(event: AuditEvent, count: number): boolean {
		if (!isWithinBudget()) {
			others += count;
			return false;
		}
		put(event, count);
		return true;
	}

	function flush(): void {
		cancel = null;
		for (const [key, { event, repeats }] of open) {
			// Who goes on is counted on, one entry a minute; the others are forgotten.
			if (repeats === 0) open.delete(key);
			else {
				write(event, repeats);
				open.set(key, { event, repeats: 0 });
			}
		}
		if (others > 0)
			put(
				{
					action: 'refusals',
					outcome: 'refused',
					actor: null,
					tenantId: null,
					from: '',
					target: null,
					reason: 'more different refusals than the log takes one by one',
					before: null,
					after: null,
					requestId: null,
				},
				others,
			);
		others = 0;
		if (open.size > 0) arm();
	}

	function arm(): void {
		cancel ??= setTimer(flush, WINDOW_MS);
	}

	return {
		count(event: AuditEvent): void {
			const key = keyOf(event);
			const known = open.get(key);
			if (known !== undefined) known.repeats += 1;
			else if (open.size >= MAX_OPEN) others += 1;
			else if (write(event, 1)) open.set(key, { event, repeats: 0 });
			arm();
		},
		/** Writes what was counted. */
		stop(): void {
			cancel?.();
			flush();
			cancel?.();
		},
	};
}
