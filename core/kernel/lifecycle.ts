import { messageOf } from './fault.ts';
import type { Logger } from './log.ts';

/** Anything with a lifetime. `stop` is idempotent and waits until nothing of it runs any more. */
export interface Stoppable {
	stop(): Promise<void>;
}

/** What was started, in order; stopping goes backwards and never lets one failure keep the rest running. */
export interface Lifecycle extends Stoppable {
	/** Registers a started part under the name used in logs. */
	own<T extends Stoppable>(name: string, part: T): T;
}

export function createLifecycle(log: Logger): Lifecycle {
	const parts: { readonly name: string; readonly part: Stoppable }[] = [];
	let stopping: Promise<void> | null = null;

	async function stopAll(): Promise<void> {
		for (let last = parts.pop(); last !== undefined; last = parts.pop()) {
			try {
				await last.part.stop();
			} catch (error) {
				log.error('stop-failed', { part: last.name, reason: messageOf(error) });
			}
		}
	}

	return {
		own(name, part) {
			parts.push({ name, part });
			return part;
		},
		stop: () => (stopping ??= stopAll()),
	};
}
