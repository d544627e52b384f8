import type { FileJournal } from '../journal/file-journal.ts';
import type { SetTimer } from '../journal/set-timer.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';
import type { HistoryWindow } from './history-window.ts';
import type { SealLoop } from './seal-loop.ts';

const HOUR_MS = 3_600_000;
const AGE_CHECK_MS = 60_000;
/** A segment that takes more words of memory (8 MB) is sealed early: readings are much larger there than on disk. */
const MAX_WORDS_PER_SEGMENT = 1_000_000;
/** Closed segments that may wait in memory; while sealing fails, older ones are read from the journal when it works again. */
const MAX_WAITING_SEGMENTS = 3;

export interface UnsealedDeps {
	readonly journal: FileJournal;
	readonly window: HistoryWindow;
	readonly loop: SealLoop;
	readonly clock: Clock;
	readonly log: Logger;
	readonly setTimer: SetTimer;
}

/** Keeps the readings that are in no chunk yet, and ends the journal's newest segment when it is old or large. */
export function createUnsealed({ journal, window, loop, clock, log, setTimer }: UnsealedDeps) {
	let openSegment = { number: 0, sinceMs: clock.monotonicMs(), isClosing: false };
	let cancelAgeCheck: (() => void) | null = null;
	let isStopped = false;

	function closeSegment(): void {
		if (openSegment.isClosing || openSegment.number === 0) return;
		openSegment.isClosing = true;
		journal.closeSegment().catch((error: unknown) => {
			openSegment.isClosing = false;
			log.warn('history-segment-not-closed', { reason: messageOf(error) });
		});
	}

	function shedWaiting(): void {
		const waiting = window.segments().filter((segment) => segment !== openSegment.number);
		for (const segment of waiting.slice(0, Math.max(0, waiting.length - MAX_WAITING_SEGMENTS))) {
			log.error('history-behind', { segment, words: window.words(segment) });
			window.release(segment);
		}
	}

	function checkAge(): void {
		if (openSegment.number !== 0 && clock.monotonicMs() - openSegment.sinceMs >= HOUR_MS) closeSegment();
		// Nothing may be there to seal, but days expire, quota and floor are reached, and times become known all the same.
		else loop.kick();
		cancelAgeCheck = setTimer(checkAge, AGE_CHECK_MS);
	}

	const unsealed = (from: number): readonly number[] => journal.closedSegments().filter((segment) => segment > from);

	/** A backlog is sealed first, the newest segments are only remembered. */
	async function remember(): Promise<void> {
		const from = unsealed(loop.sealedThrough()).slice(-MAX_WAITING_SEGMENTS)[0];
		if (from === undefined) return;
		for await (const { at, readings } of journal.read({ segment: from, offset: 0 })) window.add(at.segment, readings);
	}

	journal.listen({
		committed({ at, readings }) {
			if (at.segment !== openSegment.number) {
				openSegment = { number: at.segment, sinceMs: clock.monotonicMs(), isClosing: false };
			}
			window.add(at.segment, readings);
			if (window.words(at.segment) >= MAX_WORDS_PER_SEGMENT) closeSegment();
		},
		closed() {
			openSegment = { number: 0, sinceMs: clock.monotonicMs(), isClosing: false };
			if (isStopped) return;
			shedWaiting();
			loop.kick();
		},
	});

	return {
		/** Remembers what the journal has and no chunk holds, then seals in the background. */
		async start(): Promise<void> {
			await loop.catchUp(MAX_WAITING_SEGMENTS);
			await remember();
			loop.kick();
			cancelAgeCheck = setTimer(checkAge, AGE_CHECK_MS);
		},
		stop(): void {
			isStopped = true;
			cancelAgeCheck?.();
		},
	};
}
