import type { SetTimer } from '../../core/journal/set-timer.ts';
import { Fault, messageOf } from '../../core/kernel/fault.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { backoffMs } from '../../core/kernel/retry.ts';
import type { LineStats } from './driver.ts';

const FIRST_BACKOFF_MS = 500;
const MOST_BACKOFF_MS = 30_000;

/** A connection that can be kept. */
export interface KeptLine {
	/** @throws Fault; `lost` is called once when the connection ends by itself later: why, or `null` when it did not fail */
	open(signal: AbortSignal, lost: (reason: string | null) => void): Promise<void>;
	close(): Promise<void>;
}

/** Keeps the connection to one line: opens it, opens it anew when it is lost, waits longer after each failure, rests when it is told to. */
export interface LineKeeper<Kept extends KeptLine> extends Stoppable {
	readonly state: LineStats['state'];
	/** Why the line is not open; `null` while it is, or rests. */
	readonly reason: string | null;
	/** The connection that works; `null` when there is none. */
	readonly line: Kept | null;
	/** The line is wanted: opens it if it rests. `isUrgent`: also when it would wait after a failure. */
	want(isUrgent: boolean): void;
	/** Nobody wants the line for now: its connection ends, and none is made before `want`. */
	rest(): void;
	/** Makes the connection anew at once. */
	renew(): void;
	/** The connection has proved itself: the next failure waits the shortest time. */
	proved(): void;
	/** Ends the connection and makes none before `resume`, nor before the pause after a failure is over. Resolves once the port is free. */
	suspend(reason: string): Promise<void>;
	resume(): void;
}

export interface LineKeeperDeps<Kept extends KeptLine> {
	/** e.g. `tcp 192.168.1.20:502` */
	readonly name: string;
	/** A fresh connection for each attempt: a used one is never opened again. */
	readonly createLine: () => Kept;
	readonly opened: () => void;
	/** The line cannot be used. `isNews`: not known to have failed for this reason before. */
	readonly failed: (reason: string, isNews: boolean) => void;
	readonly setTimer: SetTimer;
	readonly log: Logger;
	readonly random: (() => number) | undefined;
}

export function createLineKeeper<Kept extends KeptLine>(deps: LineKeeperDeps<Kept>): LineKeeper<Kept> {
	const { name, createLine, opened, failed, setTimer, log, random } = deps;
	const stopping = new AbortController();
	let state: LineStats['state'] = 'closed';
	let reason: string | null = null;
	let line: Kept | null = null;
	let attempt = 0;
	let isWanted = false;
	let suspension: string | null = null;
	let endConnection: ((why: string | null) => void) | null = null;
	let connecting: AbortController | null = null;
	let wake: (() => void) | null = null;
	/** Ends a pause only when the caller cannot wait for it. */
	let isPauseHeld = false;
	let connection: Promise<string | null> = Promise.resolve(null);

	/** The connection has ended; nothing more is asked of it from this instant on. */
	function disconnect(why: string | null): void {
		line = null;
		endConnection?.(why);
	}

	/** Ends the connection, or the attempt to make one, without alarm. */
	function abandon(): void {
		connecting?.abort();
		disconnect(null);
	}

	/** Waits for `wake`, at most `ms`. */
	function pause(ms: number): Promise<void> {
		if (stopping.signal.aborted) return Promise.resolve();
		return new Promise((resolve) => {
			const cancel = Number.isFinite(ms) ? setTimer(() => wake?.(), ms) : null;
			wake = () => {
				wake = null;
				cancel?.();
				resolve();
			};
		});
	}

	/** One connection, from opening to its end. @returns why it ended; `null` when it did not fail. */
	async function connectOnce(): Promise<string | null> {
		let fresh: Kept | null = null;
		const attemptEnd = new AbortController();
		connecting = attemptEnd;
		try {
			fresh = createLine();
			const ended = new Promise<string | null>((resolve) => {
				endConnection = resolve;
			});
			await fresh.open(attemptEnd.signal, disconnect);
			if (attemptEnd.signal.aborted) return null;
			state = 'open';
			reason = null;
			line = fresh;
			log.info('line-open', { line: name });
			opened();
			return await ended;
		} catch (error) {
			return attemptEnd.signal.aborted ? null : messageOf(error);
		} finally {
			line = null;
			endConnection = null;
			connecting = null;
			await fresh?.close();
		}
	}

	function fail(why: string): void {
		const isNews = reason !== why;
		if (isNews) log.warn('line-failed', { line: name, reason: why });
		state = 'failed';
		reason = why;
		failed(why, isNews);
	}

	const isResting = (): boolean => !isWanted || suspension !== null;

	async function keep(): Promise<void> {
		while (!stopping.signal.aborted) {
			if (isResting()) {
				if (state !== 'failed') state = 'closed';
				await pause(Number.POSITIVE_INFINITY);
				continue;
			}
			if (reason === null) state = 'opening';
			connection = connectOnce();
			const why = await connection;
			if (stopping.signal.aborted) break;
			if (isResting()) continue;
			attempt += 1;
			if (why === null) state = 'opening';
			else fail(why);
			// A connection that has served is made anew at once.
			if (why === null && attempt === 1) continue;
			isPauseHeld = true;
			await pause(backoffMs(attempt, FIRST_BACKOFF_MS, MOST_BACKOFF_MS, random));
			isPauseHeld = false;
		}
		state = 'closed';
	}

	const running = keep();

	return {
		get state() {
			return state;
		},
		get reason() {
			return suspension ?? reason;
		},
		get line() {
			return line;
		},
		want(isUrgent) {
			isWanted = true;
			if (suspension === null && (isUrgent || !isPauseHeld)) wake?.();
		},
		rest() {
			isWanted = false;
			reason = null;
			state = 'closed';
			abandon();
			wake?.();
		},
		renew: () => abandon(),
		proved() {
			attempt = 0;
		},
		async suspend(why) {
			if (suspension !== null) throw new Fault('state-conflict', `${name} is ${suspension}`);
			suspension = why;
			abandon();
			await connection;
		},
		resume() {
			suspension = null;
			// Two lines that take one port from each other would else try in turn for ever, without the pause that each owes after a failure.
			if (!isPauseHeld) wake?.();
		},
		async stop() {
			stopping.abort();
			abandon();
			wake?.();
			await running;
		},
	};
}
