import { setTimeout as sleep } from 'node:timers/promises';

import type { Journal, JournalCommit, JournalPosition } from '../../core/journal/journal.ts';
import { readingBytes } from '../../core/journal/reading-bytes.ts';
import type { Clock, EpochMs } from '../../core/kernel/clock.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import { createRangeSet, type Range, type RangeSet } from '../../core/ledger/range-set.ts';
import type { EpochRanges } from '../../core/ledger/range-set.ts';
import { lastSeq, type Reading } from '../../core/telemetry/reading.ts';
import { blocksOf, type EncodeBlock } from './blocks.ts';
import type { Link } from './link-connection.ts';

/** What is read from the journal at a time, the last commit in full. */
const BATCH_SAMPLES = 4_000;
const BATCH_BYTES = 1024 * 1024;
/** Samples sent and not acknowledged; the hub's memory for one gateway is bounded by it. */
const WINDOW_SAMPLES = 20_000;
/** Commits between the checkpoint and the reading position; bounds memory. */
const WINDOW_COMMITS = 2_000;
/** With nothing acknowledged for so long the line is a black hole: it is made anew and the rest sent again. */
const ACK_TIMEOUT_MS = 15_000;
const IDLE_MS = 500;
/** Commits that one look for the age of the backlog reads at most. */
const COMMITS_LOOKED_AT = 200;
/** A fleet that comes back together does not start its history together. */
const START_JITTER_MS = 2_000;

interface ScannedCommit {
	readonly next: JournalPosition;
	readonly readings: readonly { readonly epoch: number; readonly first: number; readonly last: number }[];
	readonly newestAt: EpochMs;
	readonly oldestAt: EpochMs;
	/** Samples of it that this lane has sent. */
	readonly sentSamples: number;
}

export interface BackfillDeps {
	/** This gateway. The journal may hold readings of the gateway that this box was before its identity was lost; they stay here. */
	readonly origin: GatewayId;
	readonly journal: Pick<Journal, 'oldest' | 'end' | 'read' | 'hold'>;
	readonly encode: EncodeBlock;
	/** True while the live lane has just sent the range. */
	readonly isOnTheWay: (epoch: number, first: number, last: number) => boolean;
	readonly clock: Clock;
	/** Most bytes of history per second. */
	readonly bytesPerSecond: number;
	readonly random?: () => number;
}

const isBefore = (one: JournalPosition, other: JournalPosition): boolean =>
	one.segment < other.segment || (one.segment === other.segment && one.offset < other.offset);

/** Everything the hub lacks, oldest first, from the journal; the checkpoint moves on the hub's acknowledgement and on nothing else. */
export function createBackfillLane({
	origin,
	journal,
	encode,
	isOnTheWay,
	clock,
	bytesPerSecond,
	random = Math.random,
}: BackfillDeps) {
	const acked = new Map<number, RangeSet>();
	let scanned: ScannedCommit[] = [];
	let checkpoint = journal.oldest();
	let cursor = checkpoint;
	let unackedSamples = 0;
	let lastProgressMs = 0;
	let ackedThroughAt: EpochMs | null = null;
	let oldestSought = checkpoint;
	let oldestFoundAt: EpochMs | null = null;
	let budgetBytes = bytesPerSecond;
	let budgetAtMs = clock.monotonicMs();

	function ackedIn(epoch: number): RangeSet {
		let ranges = acked.get(epoch);
		if (ranges === undefined) acked.set(epoch, (ranges = createRangeSet()));
		return ranges;
	}

	const isAcked = ({
		epoch,
		first,
		last,
	}: {
		readonly epoch: number;
		readonly first: number;
		readonly last: number;
	}): boolean => acked.get(epoch)?.covers(first, last) ?? false;

	const isOwed = (reading: Reading): boolean =>
		reading.origin === origin &&
		reading.values.length > 0 &&
		!isAcked({ epoch: reading.epoch, first: reading.firstSeq, last: lastSeq(reading) });

	function note(received: readonly EpochRanges[]): void {
		for (const { epoch, ranges } of received) for (const { first, last } of ranges) ackedIn(epoch).add(first, last);
	}

	/** Moves the checkpoint over what the hub holds. */
	function advance(): void {
		let done = 0;
		for (const commit of scanned) {
			if (!commit.readings.every(isAcked)) break;
			checkpoint = commit.next;
			if (ackedThroughAt === null || commit.newestAt > ackedThroughAt) ackedThroughAt = commit.newestAt;
			unackedSamples -= commit.sentSamples;
			done += 1;
		}
		if (done === 0) return;
		lastProgressMs = clock.monotonicMs();
		scanned = scanned.slice(done);
		journal.hold('uplink', checkpoint);
	}

	function rewind(): void {
		scanned = [];
		unackedSamples = 0;
		cursor = checkpoint;
	}

	/** Notes a commit; answers the readings to send, or null while the live lane's copy of one may still be acknowledged. */
	function scan(commit: JournalCommit): readonly Reading[] | null {
		const wanted: Reading[] = [];
		const ranges = [];
		let newestAt = commit.readings[0]?.readAt ?? clock.now();
		let oldestAt = newestAt;
		for (const reading of commit.readings) {
			if (reading.origin !== origin || reading.values.length === 0) continue;
			const range = { epoch: reading.epoch, first: reading.firstSeq, last: lastSeq(reading) };
			if (reading.readAt > newestAt) newestAt = reading.readAt;
			if (reading.readAt < oldestAt) oldestAt = reading.readAt;
			ranges.push(range);
			if (isAcked(range)) continue;
			if (isOnTheWay(range.epoch, range.first, range.last)) return null;
			wanted.push(reading);
		}
		const sentSamples = wanted.reduce((sum, { values }) => sum + values.length, 0);
		scanned.push({ next: commit.next, readings: ranges, newestAt, oldestAt, sentSamples });
		unackedSamples += sentSamples;
		cursor = commit.next;
		return wanted;
	}

	/** The next block's readings; empty when there is nothing to send now. */
	async function gather(): Promise<readonly Reading[]> {
		const batch: Reading[] = [];
		let samples = 0;
		let bytes = 0;
		for await (const commit of journal.read(cursor)) {
			const wanted = scan(commit);
			if (wanted === null) break;
			for (const reading of wanted) {
				batch.push(reading);
				samples += reading.values.length;
				bytes += readingBytes(reading);
			}
			if (samples >= BATCH_SAMPLES || bytes >= BATCH_BYTES || scanned.length >= WINDOW_COMMITS) break;
		}
		return batch;
	}

	async function spend(bytes: number, signal: AbortSignal): Promise<void> {
		const now = clock.monotonicMs();
		budgetBytes = Math.min(bytesPerSecond, budgetBytes + ((now - budgetAtMs) / 1_000) * bytesPerSecond) - bytes;
		budgetAtMs = now;
		if (budgetBytes < 0) await sleep((-budgetBytes / bytesPerSecond) * 1_000, undefined, { signal });
	}

	function checkProgress(link: Link): void {
		if (scanned.length === 0 || unackedSamples === 0) {
			lastProgressMs = clock.monotonicMs();
			return;
		}
		if (clock.monotonicMs() - lastProgressMs > ACK_TIMEOUT_MS) {
			link.renew(`the hub has acknowledged nothing for ${ACK_TIMEOUT_MS} ms`);
		}
	}

	async function sendAll(link: Link, signal: AbortSignal): Promise<void> {
		rewind();
		lastProgressMs = clock.monotonicMs();
		await sleep(random() * START_JITTER_MS, undefined, { signal });
		while (!signal.aborted) {
			checkProgress(link);
			const hasRoom = unackedSamples < WINDOW_SAMPLES && scanned.length < WINDOW_COMMITS;
			const batch = hasRoom && isBefore(cursor, journal.end()) ? await gather() : [];
			advance();
			if (batch.length === 0) {
				await sleep(IDLE_MS, undefined, { signal });
				continue;
			}
			for (const block of blocksOf(batch, encode)) {
				await spend(block.byteLength, signal);
				// The hub's time runs from here: on a narrow line a block may have waited for longer than that.
				lastProgressMs = clock.monotonicMs();
				await link.publish('backfill', block, 1);
			}
		}
	}

	/** Sends until the signal ends it: one session, from the hub's welcome to the loss of the connection. @throws Fault when the line fails */
	async function run(link: Link, signal: AbortSignal): Promise<void> {
		try {
			await sendAll(link, signal);
		} catch (error) {
			if (!signal.aborted) throw error;
		}
	}

	return {
		run,
		/** The hub's whole truth at the start of a session; it replaces what was believed before, also of an earlier hub. */
		reset(received: readonly EpochRanges[]): void {
			acked.clear();
			note(received);
			checkpoint = journal.oldest();
			oldestSought = checkpoint;
			rewind();
		},
		/** The hub has made more durable. */
		acknowledge(received: readonly EpochRanges[]): void {
			note(received);
			advance();
		},
		/** The parts of a range that the hub has not acknowledged. */
		owed: (epoch: number, first: number, last: number): readonly Range[] =>
			acked.get(epoch)?.missing(first, last) ?? [{ first, last }],
		/** What the hub holds, from an epoch on. */
		acked: (oldestEpoch: number): readonly EpochRanges[] =>
			[...acked]
				.filter(([epoch]) => epoch >= oldestEpoch)
				.map(([epoch, ranges]) => ({ epoch, ranges: ranges.ranges() })),
		ackedThroughAt: () => ackedThroughAt,
		/** Instant of the oldest sample that the hub lacks, as far as it was looked for. */
		oldestOwedAt: () => scanned.find((commit) => !commit.readings.every(isAcked))?.oldestAt ?? oldestFoundAt,
		/** Looks in the journal for the oldest sample that the hub lacks; a little at a time, from where it was found last. */
		async findOldest(): Promise<void> {
			if (isBefore(oldestSought, checkpoint)) oldestSought = checkpoint;
			let looked = 0;
			let found: EpochMs | null = null;
			for await (const commit of journal.read(oldestSought)) {
				const owed = commit.readings.find((reading) => isOwed(reading));
				if (owed !== undefined) {
					found = owed.readAt;
					break;
				}
				oldestSought = commit.next;
				looked += 1;
				if (looked === COMMITS_LOOKED_AT) break;
			}
			oldestFoundAt = found;
		},
	};
}
