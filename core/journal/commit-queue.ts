import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { Reading } from '../telemetry/reading.ts';
import type { Urgency } from './journal.ts';
import { BLOCK_BYTES, readingBytes } from './reading-bytes.ts';
import type { SetTimer } from './set-timer.ts';

/** Most samples of one commit: encoding them must not hold up the event loop. */
const MAX_SAMPLES_PER_COMMIT = 20_000;

/** So many `prompt` appends that wait are committed at once: more would make their commit no cheaper for each of them. */
const PROMPT_GROUP = 256;

export interface CommitQueueDeps {
	readonly clock: Clock;
	readonly setTimer: SetTimer;
	/** Makes the readings durable, all of them or none. Never called twice at a time. */
	readonly commit: (readings: readonly Reading[]) => Promise<void>;
	/** Encodes without writing; throws the Fault of a reading that no commit can hold. */
	readonly check: (readings: readonly Reading[]) => void;
	/** Measured size of a sample on disk. */
	readonly bytesPerSample: () => number;
	readonly flushIntervalMs: number;
	readonly promptMs: number;
	readonly minFlushGapMs: number;
	readonly flushBytes: number;
	/** Samples that may wait; beyond it `append` rejects. */
	readonly maxPendingSamples: number;
	/** Bytes before compression that may wait. */
	readonly maxPendingBytes: number;
}

interface Waiting {
	readonly readings: readonly Reading[];
	readonly samples: number;
	/** Before compression, estimated. */
	readonly bytes: number;
	readonly isPrompt: boolean;
	readonly dueMs: number;
	readonly resolve: () => void;
	readonly reject: (error: unknown) => void;
}

const samplesOf = (readings: readonly Reading[]): number => {
	let samples = 0;
	for (const reading of readings) samples += reading.values.length;
	return samples;
};

const bytesOf = (readings: readonly Reading[]): number => {
	let bytes = 0;
	for (const reading of readings) bytes += readingBytes(reading);
	return bytes;
};

/** Gathers appends into groups, one commit at a time: the next group gathers while one is being written. */
export function createCommitQueue(deps: CommitQueueDeps) {
	const { clock, setTimer, commit, check, bytesPerSample, maxPendingSamples, maxPendingBytes } = deps;
	let waiting: Waiting[] = [];
	let pendingSamples = 0;
	let pendingBytes = 0;
	let waitingSamples = 0;
	/** `prompt` appends that wait. */
	let waitingPrompt = 0;
	let dueMs = Number.POSITIVE_INFINITY;
	let lastFlushMs = Number.NEGATIVE_INFINITY;
	let cancelTimer: (() => void) | null = null;
	let flushing: Promise<void> | null = null;
	let isStopped = false;

	const isLarge = (): boolean => waitingPrompt >= PROMPT_GROUP || waitingSamples * bytesPerSample() >= deps.flushBytes;

	function arm(): void {
		cancelTimer?.();
		cancelTimer = null;
		if (flushing !== null || waiting.length === 0) return;
		const wantedMs = isLarge() || isStopped ? 0 : dueMs - clock.monotonicMs();
		const floorMs = isStopped ? 0 : lastFlushMs + deps.minFlushGapMs - clock.monotonicMs();
		const delayMs = Math.max(0, wantedMs, floorMs);
		if (delayMs === 0) startFlush();
		else cancelTimer = setTimer(startFlush, Math.ceil(delayMs));
	}

	function takeGroup(): readonly Waiting[] {
		let samples = 0;
		let bytes = 0;
		let count = 0;
		for (const next of waiting) {
			const isFull = samples + next.samples > MAX_SAMPLES_PER_COMMIT || bytes + next.bytes > BLOCK_BYTES;
			if (count > 0 && isFull) break;
			samples += next.samples;
			bytes += next.bytes;
			count += 1;
		}
		const group = waiting.slice(0, count);
		waiting = waiting.slice(count);
		waitingSamples -= samples;
		dueMs = Number.POSITIVE_INFINITY;
		waitingPrompt = 0;
		for (const left of waiting) {
			dueMs = Math.min(dueMs, left.dueMs);
			waitingPrompt += left.isPrompt ? 1 : 0;
		}
		return group;
	}

	function startFlush(): void {
		if (flushing !== null || waiting.length === 0) return;
		cancelTimer?.();
		cancelTimer = null;
		lastFlushMs = clock.monotonicMs();
		const group = takeGroup();
		flushing = flush(group).finally(() => {
			flushing = null;
			arm();
		});
	}

	function settle(group: readonly Waiting[], error: unknown): void {
		for (const one of group) {
			pendingSamples -= one.samples;
			pendingBytes -= one.bytes;
			if (error === null) one.resolve();
			else one.reject(error);
		}
	}

	/** One reading that cannot be encoded costs only its own append. */
	function refuseUnholdable(group: readonly Waiting[]): readonly Waiting[] {
		return group.filter((one) => {
			try {
				check(one.readings);
				return true;
			} catch (error) {
				settle([one], error);
				return false;
			}
		});
	}

	async function flush(group: readonly Waiting[]): Promise<void> {
		let holdable = group;
		try {
			try {
				await commit(group.flatMap((one) => one.readings));
			} catch (error) {
				if (!(error instanceof Fault) || error.reason !== 'rule-violation') throw error;
				holdable = refuseUnholdable(group);
				await commit(holdable.flatMap((one) => one.readings));
			}
			settle(holdable, null);
		} catch (error) {
			settle(holdable, error);
		}
	}

	return {
		append(readings: readonly Reading[], urgency: Urgency): Promise<void> {
			if (isStopped) return Promise.reject(new Fault('unavailable', 'the journal is closed'));
			if (readings.length === 0) return Promise.resolve();
			const samples = samplesOf(readings);
			if (pendingSamples + samples > maxPendingSamples) {
				const message = `the journal cannot keep up: ${pendingSamples} samples wait, ${maxPendingSamples} may`;
				return Promise.reject(new Fault('unavailable', message));
			}
			const bytes = bytesOf(readings);
			if (pendingBytes + bytes > maxPendingBytes) {
				const message = `the journal cannot keep up: ${pendingBytes} bytes wait, ${maxPendingBytes} may`;
				return Promise.reject(new Fault('unavailable', message));
			}
			return new Promise((resolve, reject) => {
				const isPrompt = urgency === 'prompt';
				const windowMs = isPrompt ? Math.min(deps.promptMs, deps.flushIntervalMs) : deps.flushIntervalMs;
				const own = clock.monotonicMs() + windowMs;
				waiting.push({ readings, samples, bytes, isPrompt, dueMs: own, resolve, reject });
				waitingPrompt += isPrompt ? 1 : 0;
				pendingSamples += samples;
				pendingBytes += bytes;
				waitingSamples += samples;
				const isSooner = own < dueMs;
				dueMs = Math.min(dueMs, own);
				if (isSooner || isLarge()) arm();
			});
		},
		pendingSamples: () => pendingSamples,
		/** Writes what waits, then takes no more. */
		async stop(): Promise<void> {
			isStopped = true;
			arm();
			for (let current = flushing; current !== null; current = flushing) await current;
		},
	};
}
