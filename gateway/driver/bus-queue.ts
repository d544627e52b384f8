import { Fault } from '../../core/kernel/fault.ts';
import type { SetTimer } from '../../core/journal/set-timer.ts';
import type { ModbusAnswer, ModbusExchange } from './modbus/wire/modbus-line.ts';

/** Who goes first on the line; the smaller number wins. */
const ranks = { write: 0, command: 1, test: 2, poll: 3, scan: 4 } as const;

export type BusPriority = keyof typeof ranks;

/** Longest wait for the line by priority unless the caller says otherwise, ms. Polls wait for as long as the line is there: their loop has nothing else to do. */
const WAITS_MS: Readonly<Record<BusPriority, number>> = {
	write: 30_000,
	command: 30_000,
	test: 15_000,
	poll: Number.POSITIVE_INFINITY,
	scan: 60_000,
};

/** Requests that wait for the line, at most. Further ones are refused: the caller hears at once that it asks too much. */
const QUEUE_LIMIT = 64;

/** How long a caller is willing to wait. */
export interface RequestOptions {
	/** Ends the wait for the line; a request that is on the wire already runs to its end, and nobody hears of it. */
	readonly signal?: AbortSignal | undefined;
	/** Longest wait for the line, ms. Absent: 30 s for a write or command, 15 s for a test, 60 s for a scan, no end for a poll. */
	readonly waitMs?: number | undefined;
	/** Asked when its turn has come, just before it goes to the wire: why it must not go any more; `null`: it may. Must not throw. */
	readonly lastLook?: (() => Fault | null) | undefined;
}

/** One request that waits for the line or is on it. */
export interface Job {
	readonly exchange: ModbusExchange;
	readonly priority: BusPriority;
	/** The lease it is made under; `null`: none. */
	readonly lease: object | null;
	resolve(answer: ModbusAnswer): void;
	reject(fault: unknown): void;
}

/** The requests that wait for one line: the urgent ones first, then in the order in which they came. */
export interface BusQueue {
	/** @returns the answer; rejects with `rate-limited` when too many wait, `timeout` after the wait, `unavailable` when it was given up. */
	add(
		exchange: ModbusExchange,
		priority: BusPriority,
		lease: object | null,
		options: RequestOptions,
	): Promise<ModbusAnswer>;
	/** The first one that may go now; it waits no more once `mayStart` took it. */
	take(mayGo: (job: Job) => boolean, mayStart: (job: Job) => boolean): Job | null;
	/** Rejects those that wait and for which this holds. */
	refuse(fault: () => Fault, isMeant?: (job: Job) => boolean): void;
	readonly length: number;
}

interface Waiting extends Job {
	readonly lastLook: RequestOptions['lastLook'];
	/** Ends what watches over its wait. */
	release(): void;
}

/**
 * @param name of the line, for sentences
 * @param holder who has the line for itself; `null`: nobody
 */
export function createBusQueue(name: string, setTimer: SetTimer, holder: () => string | null): BusQueue {
	const waiting: Waiting[] = [];

	function leave(job: Waiting): boolean {
		const at = waiting.indexOf(job);
		if (at < 0) return false;
		waiting.splice(at, 1);
		job.release();
		return true;
	}

	function tooLong(waitMs: number): Fault {
		const owner = holder();
		const why = owner === null ? `${waiting.length} others wait for it` : `${owner} has it for itself`;
		return new Fault('timeout', `${name} was not free within ${waitMs} ms: ${why}`);
	}

	/** Lets go of the job when its caller gives up or its time is over. */
	function watch(job: Waiting, { signal, waitMs = WAITS_MS[job.priority] }: RequestOptions): () => void {
		const endTimer = Number.isFinite(waitMs)
			? setTimer(() => {
					if (leave(job)) job.reject(tooLong(waitMs));
				}, waitMs)
			: null;
		const givenUp = (): void => {
			if (leave(job)) job.reject(new Fault('unavailable', `the request to ${name} was given up`));
		};
		signal?.addEventListener('abort', givenUp);
		return () => {
			endTimer?.();
			signal?.removeEventListener('abort', givenUp);
		};
	}

	function first(mayGo: (job: Job) => boolean): Waiting | null {
		let best: Waiting | null = null;
		for (const job of waiting) {
			if ((best === null || ranks[job.priority] < ranks[best.priority]) && mayGo(job)) best = job;
		}
		return best;
	}

	return {
		add(exchange, priority, lease, options) {
			if (options.signal?.aborted === true) {
				return Promise.reject(new Fault('unavailable', `the request to ${name} was given up`));
			}
			if (waiting.length >= QUEUE_LIMIT) {
				return Promise.reject(new Fault('rate-limited', `${QUEUE_LIMIT} requests wait for ${name} already`));
			}
			return new Promise((resolve, reject) => {
				const { lastLook } = options;
				const job: Waiting = { exchange, priority, lease, resolve, reject, lastLook, release: () => undefined };
				job.release = watch(job, options);
				waiting.push(job);
			});
		},
		take(mayGo, mayStart) {
			for (;;) {
				const best = first(mayGo);
				// A job that has to wait for the line to be quiet keeps its place: nothing less urgent overtakes it.
				if (best === null || !mayStart(best)) return null;
				leave(best);
				const refusal = best.lastLook?.() ?? null;
				if (refusal === null) return best;
				best.reject(refusal);
			}
		},
		refuse(fault, isMeant = () => true) {
			for (const job of waiting.filter((each) => isMeant(each))) if (leave(job)) job.reject(fault());
		},
		get length() {
			return waiting.length;
		},
	};
}
