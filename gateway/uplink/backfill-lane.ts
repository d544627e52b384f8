import { setTimeout as sleep } from 'node:timers/promises';

import type { Clock } from '../../core/kernel/clock.ts';
import type { EpochRanges } from '../../core/ledger/range-set.ts';
import type { ResendReason } from '../../core/link/lane-messages.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import type { BatchSize } from './batch-size.ts';
import { createBell } from './bell.ts';
import { blocksOf, type EncodeBlock, inPieces, oneEpochEach } from './blocks.ts';
import type { createByteBudget } from './byte-budget.ts';
import type { HubPressure } from './hub-pressure.ts';
import type { Link } from './link-connection.ts';
import { listed } from './not-journalled.ts';
import { createOldestOwed } from './oldest-owed.ts';
import { createScanWindow, type ScanWindowDeps } from './scan-window.ts';
import type { SealedAgain } from './sealed-again.ts';

/** With nothing acknowledged for so long the line is a black hole: it is made anew and the rest sent again. */
const ACK_TIMEOUT_MS = 15_000;
const IDLE_MS = 500;
/** A fleet that comes back together does not start its history together. */
const START_JITTER_MS = 2_000;

export interface BackfillDeps extends ScanWindowDeps {
	readonly encode: EncodeBlock;
	readonly batch: BatchSize;
	readonly pressure: Pick<HubPressure, 'historyWaitMs' | 'windowSamples'>;
	/** Finds what the hub asks for in the sealed history. */
	readonly sealed: SealedAgain;
	readonly clock: Clock;
	/** Bytes of history that may go. */
	readonly budget: Pick<ReturnType<typeof createByteBudget>, 'spend'>;
	readonly random?: () => number;
}

/** Everything the hub lacks, oldest first, from the journal; what the journal has no more, from the sealed history. */
export function createBackfillLane(deps: BackfillDeps) {
	const { journal, encode, batch, budget, pressure, sealed, clock, random = Math.random } = deps;
	const window = createScanWindow(deps);
	const oldest = createOldestOwed({ journal, window, clock });
	const bell = createBell();
	let lastProgressMs = 0;

	function advance(): void {
		if (window.advance()) lastProgressMs = clock.monotonicMs();
	}

	function checkProgress(link: Link): void {
		if (!window.isWaiting()) {
			lastProgressMs = clock.monotonicMs();
			return;
		}
		if (clock.monotonicMs() - lastProgressMs > ACK_TIMEOUT_MS) {
			link.renew(`the hub has acknowledged nothing for ${ACK_TIMEOUT_MS} ms`);
		}
	}

	/** What arrived damaged more than once goes alone; everything else together. */
	function* parts(readings: readonly Reading[]): Generator<readonly Reading[]> {
		const together: Reading[] = [];
		for (const reading of readings) {
			if (window.goesAlone(reading)) yield [reading];
			else together.push(reading);
		}
		// A commit may hold more than a slow line takes in one block.
		for (const boot of oneEpochEach(together)) yield* inPieces(boot, batch.samples());
	}

	async function send(link: Link, readings: readonly Reading[], signal: AbortSignal): Promise<void> {
		for (const part of parts(readings)) {
			let fromMs = clock.monotonicMs();
			for (const { block, samples } of blocksOf(part, encode)) {
				const encodeMs = clock.monotonicMs() - fromMs;
				await budget.spend(block.byteLength, signal);
				// The hub's time runs from here: on a narrow line a block may have waited for longer than that.
				lastProgressMs = clock.monotonicMs();
				fromMs = lastProgressMs;
				await link.publish('backfill', block, 1);
				batch.note({ samples, encodeMs, lineMs: clock.monotonicMs() - fromMs });
				fromMs = clock.monotonicMs();
			}
		}
	}

	async function step(link: Link, signal: AbortSignal): Promise<void> {
		checkProgress(link);
		const pauseMs = pressure.historyWaitMs();
		if (pauseMs > 0) {
			// The hub has asked for the silence.
			lastProgressMs = clock.monotonicMs();
			await bell.wait(pauseMs, signal);
			return;
		}
		const windowSamples = pressure.windowSamples();
		const mostSamples = Math.min(batch.samples(), windowSamples);
		let readings = window.hasMore(windowSamples) ? await window.gather(mostSamples) : [];
		advance();
		if (readings.length === 0) readings = (await sealed.next(mostSamples, signal)).filter(window.isOwed);
		if (readings.length > 0) await send(link, readings, signal);
		else await bell.wait(IDLE_MS, signal);
	}

	/** Sends until the signal ends it: one session, from the hub's welcome to the loss of the connection. @throws Fault when the line fails */
	async function run(link: Link, signal: AbortSignal): Promise<void> {
		try {
			window.rewind();
			lastProgressMs = clock.monotonicMs();
			await sleep(random() * START_JITTER_MS, undefined, { signal });
			lastProgressMs = clock.monotonicMs();
			while (!signal.aborted) await step(link, signal);
		} catch (error) {
			if (!signal.aborted) throw error;
		}
	}

	return {
		run,
		/** The hub's whole truth at the start of a session; it replaces what was believed before, also of an earlier hub. */
		reset(received: readonly EpochRanges[]): void {
			window.reset(received);
			oldest.reset();
		},
		/** The hub has made more durable. */
		acknowledge(received: readonly EpochRanges[]): void {
			window.note(received);
			advance();
			bell.ring();
		},
		/** The hub lacks ranges, for a reason. What the journal holds of them is sent again; what it does not is the caller's to find. */
		askedAgain(wanted: readonly EpochRanges[], reason: ResendReason): void {
			const ranges = listed(wanted);
			if (reason === 'damaged-in-transit') for (const range of ranges) window.damaged(range);
			if (reason === 'damaged-in-transit' || reason === 'not-stored') window.rewind();
			else {
				window.forget(ranges);
				oldest.reset();
			}
			bell.ring();
		},
		wake: (): void => bell.ring(),
		owed: window.owed,
		acked: window.acked,
		ackedThroughAt: window.ackedThroughAt,
		oldestOwedAt: oldest.at,
		findOldest: (): Promise<void> => oldest.look(),
	};
}
