import { readingBytes } from '../../core/journal/reading-bytes.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { createRangeSet, type RangeSet } from '../../core/ledger/range-set.ts';
import { lastSeq, type Reading } from '../../core/telemetry/reading.ts';
import type { SettleTime } from '../../core/time/settle.ts';
import { blocksOf, type EncodeBlock } from './blocks.ts';
import type { Link } from './link-connection.ts';

/** How long readings gather before they leave together. */
const GATHER_MS = 100;
/** Samples, or bytes before compression, that leave at once, without waiting for the timer. */
const FULL_SAMPLES = 5_000;
const FULL_BYTES = 512 * 1024;
/** Bytes waiting in the socket above which new values are left to the backfill lane. */
const CONGESTED_BYTES = 262_144;
/** How long the hub may take to acknowledge a live block before the backfill lane sends it again. */
const GRACE_MS = 5_000;

interface Sent {
	readonly atMs: number;
	readonly epoch: number;
	readonly first: number;
	readonly last: number;
}

export interface LiveLaneDeps {
	readonly link: () => Link | null;
	readonly encode: EncodeBlock;
	/** The hub has asked for silence. */
	readonly isPaused: () => boolean;
	readonly settle: SettleTime;
	readonly clock: Clock;
}

/**
 * The newest values, sent before they are durable here and without asking whether they arrive. Whatever the hub does not
 * acknowledge, the backfill lane sends from the journal, so this lane may drop at any time.
 */
export function createLiveLane({ link, encode, isPaused, settle, clock }: LiveLaneDeps) {
	let gathered: Reading[] = [];
	let gatheredSamples = 0;
	let gatheredBytes = 0;
	let timer: NodeJS.Timeout | null = null;
	let isOpen = false;
	let sent: Sent[] = [];
	const onTheWay = new Map<number, RangeSet>();

	function forgetOld(): void {
		const limit = clock.monotonicMs() - GRACE_MS;
		while (sent[0] !== undefined && sent[0].atMs < limit) {
			const { epoch, first, last } = sent[0];
			onTheWay.get(epoch)?.remove(first, last);
			sent.shift();
		}
	}

	/** Readings are offered in the order of their numbers: what is not older than the oldest one gathered is gathered too. */
	function isGathered(epoch: number, first: number): boolean {
		const [oldest] = gathered;
		return oldest !== undefined && oldest.epoch === epoch && first >= oldest.firstSeq;
	}

	function note(readings: readonly Reading[]): void {
		const atMs = clock.monotonicMs();
		for (const reading of readings) {
			const { epoch, firstSeq: first } = reading;
			let ranges = onTheWay.get(epoch);
			if (ranges === undefined) onTheWay.set(epoch, (ranges = createRangeSet()));
			ranges.add(first, lastSeq(reading));
			sent.push({ atMs, epoch, first, last: lastSeq(reading) });
		}
	}

	function take(): readonly Reading[] {
		if (timer !== null) clearTimeout(timer);
		timer = null;
		const readings = gathered;
		gathered = [];
		gatheredSamples = 0;
		gatheredBytes = 0;
		return readings;
	}

	function send(target: Link, readings: readonly Reading[]): void {
		try {
			for (const { block } of blocksOf(readings, encode)) target.publish('live', block, 0).catch(() => undefined);
		} catch {
			// What no block can hold is refused by the journal too, which says so.
		}
	}

	function flush(): void {
		const readings = take();
		const target = link();
		if (!isOpen || target === null || readings.length === 0 || target.waitingBytes() > CONGESTED_BYTES) return;
		forgetOld();
		note(readings);
		send(target, readings);
	}

	return {
		/** HOT: a ReadingListener. */
		offer(offered: Reading): void {
			if (!isOpen || offered.values.length === 0 || isPaused()) return;
			const reading = settle(offered);
			// Of a time that is not known yet: it goes as history, when it is.
			if (reading === null) return;
			gathered.push(reading);
			gatheredSamples += reading.values.length;
			gatheredBytes += readingBytes(reading);
			if (gatheredSamples >= FULL_SAMPLES || gatheredBytes >= FULL_BYTES) flush();
			else timer ??= setTimeout(flush, GATHER_MS);
		},
		/** The hub has said what it holds: values may flow. */
		open(): void {
			isOpen = true;
		},
		close(): void {
			isOpen = false;
			take();
			sent = [];
			onTheWay.clear();
		},
		/** True while a range waits to be sent, or was sent so recently that its acknowledgement may still come. */
		isOnTheWay(epoch: number, first: number, last: number): boolean {
			forgetOld();
			return isGathered(epoch, first) || (onTheWay.get(epoch)?.covers(first, last) ?? false);
		},
	};
}
