import type { SetTimer } from '../../core/journal/set-timer.ts';

export interface TrialDeps {
	readonly setTimer: SetTimer;
	/** Hub reached and all devices heard. */
	readonly passed: () => void;
	/** Time is over. */
	readonly failed: (reason: string) => void;
}

export interface TrialTask {
	readonly attempt: number;
	readonly revision: number;
	readonly ms: number;
	/** Devices that have to work again, by id, with what a person calls them. */
	readonly mustWork: ReadonlyMap<string, string>;
}

/** Devices that a reason names; more make no sentence. */
const NAMED = 5;

const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;

/** Watches whether a gateway does as well under a new revision as it did before. One trial at a time. */
export function createTrial({ setTimer, passed, failed }: TrialDeps) {
	let task: TrialTask | null = null;
	let awaited = new Map<string, string>();
	let isReached = false;
	let cancel: (() => void) | null = null;

	function end(): void {
		cancel?.();
		task = null;
		awaited = new Map();
	}

	function look(): void {
		if (task === null || !isReached || awaited.size > 0) return;
		end();
		passed();
	}

	function timeIsUp(): void {
		if (task === null) return;
		const { revision, ms } = task;
		const names = [...awaited.values()];
		const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
		const reason = isReached
			? `under revision ${revision} nothing was read for ${seconds(ms)} from what worked before: ${names.slice(0, NAMED).join(', ')}${more}`
			: `under revision ${revision} the hub was not reached within ${seconds(ms)}`;
		end();
		failed(reason);
	}

	return {
		begin(next: TrialTask): void {
			end();
			task = next;
			awaited = new Map(next.mustWork);
			isReached = false;
			cancel = setTimer(timeIsUp, next.ms);
		},
		/** The hub has heard the gateway under this attempt. */
		reached(attempt: number): void {
			if (task?.attempt !== attempt) return;
			isReached = true;
			look();
		},
		/** HOT: asked for each reading. */
		awaits: (device: string): boolean => awaited.size > 0 && awaited.has(device),
		/** A good value was read from a device. */
		heard(device: string): void {
			if (awaited.delete(device)) look();
		},
		/** A device was deleted: nobody waits for it. */
		gone(device: string): void {
			if (awaited.delete(device)) look();
		},
		end,
	};
}

export type Trial = ReturnType<typeof createTrial>;
