import { readingBytes } from '../../core/journal/reading-bytes.ts';
import type { Journal, JournalCommit, JournalPosition } from '../../core/journal/journal.ts';
import type { EpochMs } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import { createRangeSet, type EpochRanges, type Range, type RangeSet } from '../../core/ledger/range-set.ts';
import { lastSeq, type Reading } from '../../core/telemetry/reading.ts';
import type { SettleTime } from '../../core/time/settle.ts';
import type { EpochRange } from './not-journalled.ts';
import { createSendAttempts } from './send-attempts.ts';

/** What is read from the journal at a time, the last commit in full. */
const BATCH_BYTES = 1024 * 1024;
/** Commits between the checkpoint and the reading position; bounds memory. */
const WINDOW_COMMITS = 2_000;
/** Boots, and pieces of their numbers, that a hub may name: more than its own ledger takes of one gateway. */
const MOST_EPOCHS = 50_000;
const MOST_PIECES = 200_000;

interface ScannedCommit {
	readonly next: JournalPosition;
	readonly readings: readonly EpochRange[];
	readonly newestAt: EpochMs;
	readonly oldestAt: EpochMs;
	/** Samples of it that were sent. */
	readonly sentSamples: number;
}

export interface ScanWindowDeps {
	/** This gateway. The journal may hold readings of the gateway that this box was before its identity was lost; they stay here. */
	readonly origin: GatewayId;
	readonly journal: Pick<Journal, 'oldest' | 'end' | 'read' | 'hold'>;
	/** True while the live lane has just sent the range. */
	readonly isOnTheWay: (epoch: number, first: number, last: number) => boolean;
	readonly settle: SettleTime;
	/** Told of samples that arrive damaged however often they are sent. */
	readonly givenUp: (range: EpochRange) => void;
}

export const isBefore = (one: JournalPosition, other: JournalPosition): boolean =>
	one.segment < other.segment || (one.segment === other.segment && one.offset < other.offset);

const rangeOf = (reading: Reading): EpochRange => ({
	epoch: reading.epoch,
	first: reading.firstSeq,
	last: lastSeq(reading),
});

/**
 * What the hub holds of this gateway, and the part of the journal that is under way to it: from the checkpoint, which moves on the hub's
 * acknowledgement and on nothing else, to where reading goes on.
 */
export function createScanWindow({ origin, journal, isOnTheWay, settle, givenUp }: ScanWindowDeps) {
	const acked = new Map<number, RangeSet>();
	const attempts = createSendAttempts();
	let scanned: ScannedCommit[] = [];
	let checkpoint = journal.oldest();
	let cursor = checkpoint;
	let ackedPieces = 0;
	let unackedSamples = 0;
	let ackedThroughAt: EpochMs | null = null;

	function ackedIn(epoch: number): RangeSet {
		let ranges = acked.get(epoch);
		if (ranges === undefined) acked.set(epoch, (ranges = createRangeSet()));
		return ranges;
	}

	const isAcked = ({ epoch, first, last }: EpochRange): boolean => acked.get(epoch)?.covers(first, last) ?? false;

	const isOwn = (reading: Reading): boolean => reading.origin === origin && reading.values.length > 0;

	function note(received: readonly EpochRanges[]): void {
		for (const { epoch, ranges } of received) {
			const known = ackedIn(epoch);
			const before = known.pieces();
			for (const { first, last } of ranges) known.add(first, last);
			ackedPieces += known.pieces() - before;
			if (acked.size > MOST_EPOCHS || ackedPieces > MOST_PIECES)
				throw new Fault('rule-violation', `the hub names more than ${MOST_EPOCHS} boots or ${MOST_PIECES} pieces`);
		}
	}

	/** Moves the checkpoint over what the hub holds; `true` when it moved. */
	function advance(): boolean {
		let done = 0;
		for (const commit of scanned) {
			if (!commit.readings.every(isAcked)) break;
			for (const range of commit.readings) attempts.arrived(range);
			checkpoint = commit.next;
			if (ackedThroughAt === null || commit.newestAt > ackedThroughAt) ackedThroughAt = commit.newestAt;
			unackedSamples -= commit.sentSamples;
			done += 1;
		}
		if (done === 0) return false;
		scanned = scanned.slice(done);
		journal.hold('uplink', checkpoint);
		return true;
	}

	function rewind(): void {
		scanned = [];
		unackedSamples = 0;
		cursor = checkpoint;
	}

	/** The reading to send; `null`: none of it now; `undefined`: nothing of it is wanted. */
	function wantedOf(reading: Reading, range: EpochRange): Reading | null | undefined {
		if (isAcked(range)) return undefined;
		if (isOnTheWay(range.epoch, range.first, range.last)) return null;
		if (!attempts.isGivenUp(range)) return settle(reading);
		givenUp(range);
		ackedIn(range.epoch).add(range.first, range.last);
		return undefined;
	}

	/** Notes a commit; answers the readings to send, or `null` while one of them has to wait. */
	function scan(commit: JournalCommit): readonly Reading[] | null {
		const own = commit.readings.filter(isOwn);
		const wanted: Reading[] = [];
		for (const reading of own) {
			const one = wantedOf(reading, rangeOf(reading));
			if (one === null) return null;
			if (one !== undefined) wanted.push(one);
		}
		const instants = own.map(({ readAt }) => readAt);
		const [first] = instants;
		const sentSamples = wanted.reduce((sum, { values }) => sum + values.length, 0);
		if (first !== undefined) {
			let [newestAt, oldestAt] = [first, first];
			for (const at of instants) {
				if (at > newestAt) newestAt = at;
				if (at < oldestAt) oldestAt = at;
			}
			scanned.push({ next: commit.next, readings: own.map(rangeOf), newestAt, oldestAt, sentSamples });
		} else if (scanned.length === 0) checkpoint = commit.next;
		unackedSamples += sentSamples;
		cursor = commit.next;
		return wanted;
	}

	return {
		note,
		advance,
		rewind,
		/** The hub's whole truth; it replaces what was believed before, also of an earlier hub. */
		reset(received: readonly EpochRanges[]): void {
			acked.clear();
			ackedPieces = 0;
			attempts.clear();
			note(received);
			checkpoint = journal.oldest();
			rewind();
		},
		/** The hub lacks ranges that it had acknowledged. */
		forget(wanted: readonly EpochRange[]): void {
			for (const { epoch, first, last } of wanted) acked.get(epoch)?.remove(first, last);
			checkpoint = journal.oldest();
			journal.hold('uplink', checkpoint);
			rewind();
		},
		/** What is under way of a range has arrived damaged. */
		damaged({ epoch, first, last }: EpochRange): void {
			for (const { readings } of scanned)
				for (const range of readings)
					if (range.epoch === epoch && range.first <= last && range.last >= first && !isAcked(range))
						attempts.damaged(range);
		},
		goesAlone: (reading: Reading): boolean => attempts.goesAlone(rangeOf(reading)),
		/** The next readings to send, at least one commit's; empty when there is nothing to send now. */
		async gather(mostSamples: number): Promise<readonly Reading[]> {
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
				if (samples >= mostSamples || bytes >= BATCH_BYTES || scanned.length >= WINDOW_COMMITS) break;
			}
			return batch;
		},
		/** There is more to read, and room for it. */
		hasMore: (windowSamples: number): boolean =>
			unackedSamples < windowSamples && scanned.length < WINDOW_COMMITS && isBefore(cursor, journal.end()),
		/** Something was sent and not acknowledged. */
		isWaiting: (): boolean => scanned.length > 0 && unackedSamples > 0,
		isOwed: (reading: Reading): boolean => isOwn(reading) && !isAcked(rangeOf(reading)),
		/** The parts of a range that the hub has not acknowledged. */
		owed: (epoch: number, first: number, last: number): readonly Range[] =>
			acked.get(epoch)?.missing(first, last) ?? [{ first, last }],
		/** What the hub holds, from an epoch on. */
		acked: (oldestEpoch: number): readonly EpochRanges[] =>
			[...acked]
				.filter(([epoch]) => epoch >= oldestEpoch)
				.map(([epoch, ranges]) => ({ epoch, ranges: ranges.ranges() })),
		checkpoint: (): JournalPosition => checkpoint,
		ackedThroughAt: (): EpochMs | null => ackedThroughAt,
		oldestUnderWayAt: (): EpochMs | null => scanned.find((commit) => !commit.readings.every(isAcked))?.oldestAt ?? null,
	};
}

export type ScanWindow = ReturnType<typeof createScanWindow>;
