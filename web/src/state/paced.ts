import { later } from './later.ts';

export interface Pace {
	/** So many at once after a rest. */
	readonly burst: number;
	/** Time between two of the others, ms. */
	readonly everyMs: number;
	/** Work at the same time. */
	readonly parallel: number;
}

/** Work that is done soon, once for each key, and never in a storm. */
export interface Paced {
	/** A key that waits already waits once. */
	readonly add: (keys: Iterable<string>) => void;
	/** Forgets what has not begun. */
	readonly clear: () => void;
}

/** @param work what fails is not tried again */
export function createPaced(work: (key: string) => Promise<void>, { burst, everyMs, parallel }: Pace): Paced {
	const waiting = new Set<string>();
	/** When the next may begin; behind now by what has been saved up, at most a burst. */
	let nextMs = Number.NEGATIVE_INFINITY;
	let workers = 0;

	async function turn(): Promise<void> {
		const nowMs = performance.now();
		nextMs = Math.max(nextMs, nowMs - burst * everyMs) + everyMs;
		if (nextMs > nowMs) await later(nextMs - nowMs);
	}

	async function drain(): Promise<void> {
		while (waiting.size > 0) {
			await turn();
			const [key] = waiting;
			if (key === undefined) continue;
			waiting.delete(key);
			await work(key).catch(() => undefined);
		}
	}

	async function run(): Promise<void> {
		workers += 1;
		await drain();
		workers -= 1;
	}

	return {
		add(keys) {
			for (const key of keys) waiting.add(key);
			while (workers < Math.min(parallel, waiting.size)) void run();
		},
		clear: () => waiting.clear(),
	};
}
