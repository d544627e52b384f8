import type { Clock } from '../../core/kernel/clock.ts';
import type { Deed } from '../../gateway/simulator/line-fault.ts';

export interface InOrder {
	/** The deeds as late as they have to be. */
	readonly put: (deeds: readonly Deed[]) => readonly Deed[];
	/** Whether something is still to be said. */
	readonly isBehind: () => boolean;
}

/** Puts off what would overtake something said before: on a serial line a device answers one request after the other. */
export function inOrder(clock: Pick<Clock, 'monotonicMs'>): InOrder {
	let lastDueMs = 0;
	const put = (deeds: readonly Deed[]): readonly Deed[] => {
		const nowMs = clock.monotonicMs();
		const pushMs = Math.max(0, lastDueMs - nowMs - (deeds[0]?.afterMs ?? 0));
		const later = deeds.map((deed) => Object.assign({}, deed, { afterMs: deed.afterMs + pushMs }));
		lastDueMs = Math.max(lastDueMs, nowMs + (later.at(-1)?.afterMs ?? 0) + 1);
		return later;
	};
	return { put, isBehind: () => lastDueMs > clock.monotonicMs() };
}
