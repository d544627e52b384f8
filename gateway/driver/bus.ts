import type { Clock } from '../../core/kernel/clock.ts';
import { Fault, messageOf } from '../../core/kernel/fault.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { backoffMs } from '../../core/kernel/retry.ts';
import type { LineStats } from './driver.ts';
import { createLineMeter, type LineMeter } from './line-meter.ts';
import { isWrite, type ModbusAnswer, type ModbusExchange, type ModbusLine } from './modbus/wire/modbus-line.ts';
import { ModbusFault } from './modbus/wire/modbus-fault.ts';
import { createUtilisation } from './utilisation.ts';

/** Who goes first on the line; the smaller number wins. */
const ranks = { write: 0, command: 1, test: 2, poll: 3 } as const;

export type BusPriority = keyof typeof ranks;

/** Requests that wait for the line, at most. Further ones are refused: the caller hears at once that it asks too much. */
const QUEUE_LIMIT = 64;
const FIRST_BACKOFF_MS = 500;
const MOST_BACKOFF_MS = 30_000;
/** After so many requests in a row without any answer the connection itself is suspected and made anew. */
const SILENT_BEFORE_RENEWAL = 8;

/** Owner of one line: nobody else touches its bytes. Keeps it open, one request at a time, and counts what happens. */
export interface Bus extends Stoppable {
	/** @throws ModbusFault, or Fault `unavailable` when the line is not open, `rate-limited` when too many wait. */
	request(request: ModbusExchange, priority: BusPriority): Promise<ModbusAnswer>;
	readonly isOpen: boolean;
	stats(): LineStats;
	/** The percentile of the line's latency, ms. */
	latencyP99Ms(): number | null;
	/** Counts periods in which a device had no turn. */
	skipped(periods: number): void;
	/** Its counters by unit and its recorder of frames, for diagnosis. */
	readonly meter: LineMeter;
}

export interface BusListener {
	opened(): void;
	/** The line cannot be used, for this reason. Called once for each new reason. */
	failed(reason: string): void;
}

export interface BusDeps {
	/** e.g. `tcp 192.168.1.20:502` */
	readonly name: string;
	/** A fresh connection for each attempt: a used one is never opened again. */
	readonly createLine: (meter: LineMeter) => ModbusLine;
	readonly listener: BusListener;
	readonly clock: Clock;
	readonly log: Logger;
	readonly random?: () => number;
}

interface Job {
	readonly request: ModbusExchange;
	readonly rank: number;
	readonly resolve: (answer: ModbusAnswer) => void;
	readonly reject: (fault: unknown) => void;
}

export function createBus({ name, createLine, listener, clock, log, random }: BusDeps): Bus {
	const meter = createLineMeter(clock);
	const utilisation = createUtilisation(clock.monotonicMs());
	const queue: Job[] = [];
	const stopping = new AbortController();
	let state: LineStats['state'] = 'closed';
	let reason: string | null = null;
	let line: ModbusLine | null = null;
	let isBusy = false;
	let silentCount = 0;
	let attempt = 0;
	let skippedPeriods = 0;
	let endConnection: ((why: string | null) => void) | null = null;

	function take(): Job | undefined {
		let best = 0;
		for (let i = 1; i < queue.length; i += 1) if ((queue[i]?.rank ?? 0) < (queue[best]?.rank ?? 0)) best = i;
		return queue.splice(best, 1)[0];
	}

	async function perform(open: ModbusLine, job: Job): Promise<void> {
		const startMs = clock.monotonicMs();
		const guardMs = isWrite(job.request) ? job.request.guardMs : 0;
		try {
			await hold(guardMs);
			const answer = await open.transact(job.request);
			silentCount = 0;
			attempt = 0;
			job.resolve(answer);
		} catch (error) {
			const isSilence = error instanceof ModbusFault && error.failure === 'timeout';
			silentCount = isSilence ? silentCount + 1 : 0;
			job.reject(error);
		} finally {
			await hold(guardMs);
			utilisation.busy(startMs, clock.monotonicMs());
		}
		if (silentCount >= SILENT_BEFORE_RENEWAL) {
			silentCount = 0;
			// No reason: the devices are known to be silent already, and the line itself did not fail.
			disconnect(null);
		}
	}

	/** Keeps the line silent for a device that wants it. */
	const hold = (ms: number): Promise<void> => (ms === 0 ? Promise.resolve() : pause(ms, stopping.signal));

	/** Ends the connection; nothing more is asked of it from this instant on. */
	function disconnect(why: string | null): void {
		line = null;
		endConnection?.(why);
	}

	async function pump(): Promise<void> {
		if (isBusy) return;
		isBusy = true;
		for (let open = line; open !== null; open = line) {
			const job = take();
			if (job === undefined) break;
			await perform(open, job);
		}
		isBusy = false;
	}

	const notOpen = (why: string): Fault => new Fault('unavailable', `${name} is not open: ${why}`);

	function refuseWaiting(why: string): void {
		for (const job of queue.splice(0)) job.reject(notOpen(why));
	}

	function fail(why: string): void {
		const isNews = reason !== why;
		state = 'failed';
		reason = why;
		refuseWaiting(why);
		if (isNews) listener.failed(why);
	}

	/** One connection, from opening to its end. @returns why it ended; `null` when it is only to be made anew. */
	async function connectOnce(): Promise<string | null> {
		let fresh: ModbusLine | null = null;
		try {
			fresh = createLine(meter);
			const ended = new Promise<string | null>((resolve) => {
				endConnection = resolve;
			});
			await fresh.open(stopping.signal, disconnect);
			state = 'open';
			reason = null;
			line = fresh;
			log.info('line-open', { line: name });
			listener.opened();
			void pump();
			return await ended;
		} catch (error) {
			return messageOf(error);
		} finally {
			line = null;
			endConnection = null;
			await fresh?.close();
		}
	}

	async function keepOpen(): Promise<void> {
		while (!stopping.signal.aborted) {
			if (reason === null) state = 'opening';
			const why = await connectOnce();
			if (stopping.signal.aborted) break;
			attempt += 1;
			if (why === null) {
				state = 'opening';
			} else {
				if (why !== reason) log.warn('line-failed', { line: name, reason: why });
				fail(why);
			}
			// A connection that has served is made anew at once.
			if (why === null && attempt === 1) continue;
			await pause(backoffMs(attempt, FIRST_BACKOFF_MS, MOST_BACKOFF_MS, random), stopping.signal);
		}
		state = 'closed';
	}

	const running = keepOpen();

	return {
		request(request, priority) {
			if (line === null) {
				return Promise.reject(notOpen(reason ?? 'it is being opened'));
			}
			if (queue.length >= QUEUE_LIMIT) {
				return Promise.reject(new Fault('rate-limited', `${QUEUE_LIMIT} requests wait for ${name} already`));
			}
			return new Promise((resolve, reject) => {
				queue.push({ request, rank: ranks[priority], resolve, reject });
				void pump();
			});
		},
		get isOpen() {
			return line !== null;
		},
		stats: () => ({
			line: name,
			state,
			reason,
			...meter.counters,
			skippedPeriods,
			utilisation: utilisation.share(clock.monotonicMs()),
			latencyP50Ms: meter.latency.percentileMs(0.5),
			latencyP99Ms: meter.latency.percentileMs(0.99),
		}),
		latencyP99Ms: () => meter.latency.percentileMs(0.99),
		skipped(periods) {
			skippedPeriods += periods;
		},
		meter,
		async stop() {
			stopping.abort();
			disconnect(null);
			refuseWaiting('the gateway stops reading this line');
			await running;
		},
	};
}

/** Waits, at most until the signal says that nobody needs it any more. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		if (signal.aborted) {
			resolve();
			return;
		}
		const done = (): void => {
			clearTimeout(timer);
			signal.removeEventListener('abort', done);
			resolve();
		};
		const timer = setTimeout(done, ms);
		signal.addEventListener('abort', done);
	});
}
