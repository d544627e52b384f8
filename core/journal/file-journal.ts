import type { Clock } from '../kernel/clock.ts';
import { Fault, messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';
import { createTurns } from '../kernel/turns.ts';
import type { StreamRange } from '../ledger/stream-range.ts';
import type { Reading } from '../telemetry/reading.ts';
import { encodeBlock } from './block-codec.ts';
import { createCommitQueue } from './commit-queue.ts';
import type { FileLayer, JournalFile } from './file-layer.ts';
import { nextEpoch } from './journal-epoch.ts';
import { createJournalReader } from './journal-reader.ts';
import type { Journal, JournalCommit, JournalLoss, JournalPosition } from './journal.ts';
import { nodeFileLayer } from './node-file-layer.ts';
import { rangesFrom, type Segment, segmentName } from './segment.ts';
import { createSegmentFolder, type NoRoom } from './segment-folder.ts';
import { frameBytes, FRAMES_START } from './segment-format.ts';
import { writeSummary } from './segment-summary.ts';
import { createSegmentWriter } from './segment-writer.ts';
import { withFile } from './segment-walk.ts';
import { type SetTimer, systemTimer } from './set-timer.ts';
import { takeStock } from './take-stock.ts';

/** Losses kept for `stats`; the log and `onLoss` hear of each. */
const MAX_LOSSES_KEPT = 100;

export interface FileJournalOptions {
	readonly folder: string;
	readonly clock: Clock;
	readonly log: Logger;
	/** Longest wait of a `group` append for its commit; what a power cut may cost. Default 1 000. */
	readonly flushIntervalMs?: number;
	/** A group of about this many encoded bytes is committed at once. Default 65 536. */
	readonly flushBytes?: number;
	/** Longest wait of a `prompt` append. Default 20. */
	readonly promptMs?: number;
	/** Shortest time between two commits; protects the card against a storm of prompt appends. Default 0. */
	readonly minFlushGapMs?: number;
	/** Size of a segment file. Default 4 MiB. */
	readonly segmentBytes?: number;
	/** Most bytes of all files; at least three segments. Default 1 GiB. */
	readonly maxBytes?: number;
	/** Free space that is left to others. Default 64 MiB. */
	readonly minFreeBytes?: number;
	/** Samples that may wait for a commit. Default 200 000. */
	readonly maxPendingSamples?: number;
	/** Bytes before compression that may wait for a commit. Default 64 MiB. */
	readonly maxPendingBytes?: number;
	/** Holders that are expected: everything is kept until each of them has named its position. Default none. */
	readonly holders?: readonly string[];
	/**
	 * Beyond the quota: `true` gives up the oldest segment although a holder needs it, so that the newest is kept (a gateway, which nobody can
	 * ask to wait); `false` refuses appends, so that nothing acknowledged is lost (a hub: its gateways keep what it does not take). Default true.
	 * Below the floor of free space appends are refused by both, unless the history has the segment: giving up what is durable makes no room
	 * that others would not fill.
	 */
	readonly givesUpHeld?: boolean;
	/** Told of each loss but rejected appends, with the samples that holders lose by it as far as they are known. Must not throw. */
	readonly onLoss?: (loss: JournalLoss, ranges: readonly StreamRange[]) => void;
	/** Told of samples that were given up here and that the history has: no loss, but a holder finds them there from now on. Must not throw. */
	readonly onMoved?: (ranges: readonly StreamRange[]) => void;
	readonly files?: FileLayer;
	readonly setTimer?: SetTimer;
}

/** Hears of the journal's progress; must not throw. */
export interface JournalListener {
	/** A commit is durable; heard before its appends resolve. */
	readonly committed: (commit: JournalCommit) => void;
	/** No more commits will come to this segment. */
	readonly closed: (segment: number) => void;
}

/**
 * Asked before a segment that somebody holds is given up: frees what space it can. Answers whether the samples of the segment are durable
 * elsewhere; what is in memory is not. Must not reject, nor wait for the journal.
 */
export type MakeRoom = (segment: number) => Promise<boolean>;

/** The journal in files, with what the history needs of it. */
export interface FileJournal extends Journal {
	listen(listener: JournalListener): void;
	/** One at most. */
	onNeed(makeRoom: MakeRoom): void;
	/** Numbers of the segments that take no more commits, oldest first. */
	closedSegments(): readonly number[];
	/** Ends the newest segment, unless it is empty; the next commit begins another. */
	closeSegment(): Promise<void>;
}

const DEFAULTS = {
	flushIntervalMs: 1000,
	flushBytes: 64 * 1024,
	promptMs: 20,
	minFlushGapMs: 0,
	segmentBytes: 4 * 1024 * 1024,
	maxBytes: 1024 * 1024 * 1024,
	minFreeBytes: 64 * 1024 * 1024,
	maxPendingSamples: 200_000,
	maxPendingBytes: 64 * 1024 * 1024,
	holders: [],
	givesUpHeld: true,
	files: nodeFileLayer,
	setTimer: systemTimer,
} as const;

const isBefore = (one: JournalPosition, other: JournalPosition): boolean =>
	one.segment < other.segment || (one.segment === other.segment && one.offset < other.offset);

/**
 * Opens the journal of a folder. Damaged files never keep it from opening: what cannot be used is skipped and said in
 * `stats().losses`. A folder has one journal at a time.
 */
export async function openJournal(options: FileJournalOptions): Promise<FileJournal> {
	const settings = { ...DEFAULTS, ...options };
	const { folder, clock, log, files, onLoss, segmentBytes } = settings;
	const losses: JournalLoss[] = [];
	const holds = new Map<string, JournalPosition>(settings.holders.map((holder) => [holder, { segment: 0, offset: 0 }]));
	const listeners: JournalListener[] = [];
	let writeError: string | null = null;
	let isOpen = false;
	let makeRoom: MakeRoom | null = null;
	let asked = { segment: 0, isElsewhere: false };

	function noteLoss(found: Omit<JournalLoss, 'at'>, ranges: readonly StreamRange[] = []): void {
		const loss = { ...found, at: clock.now() };
		losses.push(loss);
		if (losses.length > MAX_LOSSES_KEPT) losses.shift();
		const { reason, bytes, samples, detail } = loss;
		log.warn('journal-loss', { reason, bytes, samples, detail });
		onLoss?.(loss, ranges);
	}

	/** Files are touched by one task at a time. */
	const { run: exclusively } = createTurns();

	const lowestHold = (): JournalPosition | null => {
		let lowest: JournalPosition | null = null;
		for (const hold of holds.values()) if (lowest === null || isBefore(hold, lowest)) lowest = hold;
		return lowest;
	};

	const segmentFolder = createSegmentFolder({ ...settings, giveUpOldest });
	const stock = await takeStock({ files, folder, noteLoss });
	const { segments } = stock;
	let { nextNumber } = stock;
	await segmentFolder.adopt(stock.found);
	await tidyNewest();
	const epoch = await nextEpoch({ files, folder, clock, log, highestSeen: stock.highestEpoch });

	/** The segment of the last boot takes no more: unused, its file and number serve again; else it is ended. */
	async function tidyNewest(): Promise<void> {
		const newest = segments.at(-1);
		if (newest === undefined || newest.nonce === 0) return;
		try {
			if (newest.end > FRAMES_START) await withFile(files, newest.path, (file) => writeSummary(file, newest));
			else {
				nextNumber = newest.segment;
				await drop(newest);
			}
		} catch (error) {
			log.warn('journal-tidy-failed', { reason: messageOf(error) });
		}
	}

	const writer = createSegmentWriter({
		async begin() {
			const begun = await segmentFolder.begin(nextNumber, epoch);
			nextNumber += 1;
			segments.push(begun.segment);
			return begun;
		},
		async leave(segment: Segment, file: JournalFile) {
			await writeSummary(file, segment);
			// What is still held after two more segments is held for long: the hub is out of reach.
			for (const kept of segments.slice(0, -2)) await segmentFolder.shrink(kept);
			for (const listener of listeners) listener.closed(segment.segment);
		},
		committed(commit) {
			for (const listener of listeners) listener.committed(commit);
		},
	});

	async function drop(segment: Segment): Promise<void> {
		segment.isDropped = true;
		segments.splice(segments.indexOf(segment), 1);
		await segmentFolder.release(segment);
	}

	/** Where the first commit of a segment is that a holder needs; `null`: nobody needs any. */
	function heldFrom({ segment, end: endsAt }: Segment): number | null {
		const hold = lowestHold();
		if (hold === null || hold.segment < segment) return FRAMES_START;
		return hold.segment === segment && hold.offset < endsAt ? hold.offset : null;
	}

	/** Asks for room once for each segment; `null`: it was asked for just now, and there may be some. */
	async function askForRoom(segment: number): Promise<boolean | null> {
		if (makeRoom === null) return false;
		if (asked.segment === segment) return asked.isElsewhere;
		asked = { segment, isElsewhere: await makeRoom(segment) };
		return null;
	}

	async function giveUpOldest(because: NoRoom): Promise<boolean> {
		const [oldest] = segments;
		if (oldest === undefined || oldest === writer.active()) return false;
		const from = heldFrom(oldest);
		if (from === null) {
			await drop(oldest);
			return true;
		}
		// Until the journal is open nobody was asked who could make room, or keep the samples.
		if (!isOpen) return false;
		const isElsewhere = await askForRoom(oldest.segment);
		if (isElsewhere === null) return true;
		if (!settings.givesUpHeld || (because === 'floor' && !isElsewhere)) return false;
		const ranges = await rangesFrom(files, oldest, from);
		const { bytes } = oldest;
		await drop(oldest);
		const samples = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
		const detail = `${segmentName(oldest.segment)} was given up for its space`;
		if (isElsewhere) {
			log.info('journal-segment-moved', { bytes, samples, detail });
			settings.onMoved?.(ranges);
		} else noteLoss({ reason: 'quota', bytes, samples, detail }, ranges);
		return true;
	}

	/** Segments before every hold serve again. */
	async function recycle(): Promise<void> {
		const hold = lowestHold();
		if (hold === null) return;
		for (let [oldest] = segments; oldest !== undefined && oldest !== writer.active(); [oldest] = segments) {
			if (!isBefore({ segment: oldest.segment, offset: oldest.end - 1 }, hold)) return;
			await drop(oldest);
		}
	}

	function noteWriteError(error: unknown, samples: number): Fault {
		const reason = messageOf(error);
		if (writeError === null) log.error('journal-write-failed', { reason });
		writeError = reason;
		const last = losses.at(-1);
		const detail = `not written: ${reason}`;
		if (last?.reason === 'disk-full' && last.detail === detail) {
			losses[losses.length - 1] = { ...last, samples: (last.samples ?? 0) + samples };
		} else losses.push({ reason: 'disk-full', bytes: 0, samples, at: clock.now(), detail });
		if (losses.length > MAX_LOSSES_KEPT) losses.shift();
		return new Fault('unavailable', `the journal cannot write: ${reason}`, { cause: error });
	}

	async function makeDurable(readings: readonly Reading[]): Promise<void> {
		try {
			await exclusively(() => writer.write(readings));
			if (writeError !== null) log.info('journal-writes-again');
			writeError = null;
		} catch (error) {
			if (error instanceof Fault && error.reason === 'rule-violation') throw error;
			throw noteWriteError(
				error,
				readings.reduce((sum, reading) => sum + reading.values.length, 0),
			);
		}
	}

	function check(readings: readonly Reading[]): void {
		const most = segmentBytes - FRAMES_START - frameBytes(0);
		for (const reading of readings) {
			const size = encodeBlock([reading]).length;
			if (size > most)
				throw new Fault('rule-violation', `a reading of ${size} bytes fits no segment of ${segmentBytes}`);
		}
	}

	const queue = createCommitQueue({ ...settings, commit: makeDurable, check, bytesPerSample: writer.bytesPerSample });
	const reader = createJournalReader({ files, segments: () => segments, active: writer.active, noteLoss });

	const end = (): JournalPosition => {
		const last = segments.at(-1);
		return last === undefined ? { segment: nextNumber, offset: 0 } : { segment: last.segment, offset: last.end };
	};
	// The header of the first segment keeps the epoch, should the epoch file be lost.
	await exclusively(writer.open).catch((error: unknown) => {
		writeError = messageOf(error);
		log.error('journal-write-failed', { reason: writeError });
	});
	isOpen = true;

	return {
		epoch,
		append: (readings, urgency) => queue.append(readings, urgency),
		oldest: () => {
			const [first] = segments;
			return first === undefined ? end() : { segment: first.segment, offset: FRAMES_START };
		},
		end,
		read: reader.read,
		hold(holder, from) {
			holds.set(holder, from);
			// What was asked for may be sealed by now.
			if (from.segment > asked.segment) asked = { segment: 0, isElsewhere: false };
			exclusively(recycle).catch((error: unknown) => log.warn('journal-recycle-failed', { reason: messageOf(error) }));
		},
		held: () => segments.flatMap(({ tally }) => tally.ranges()),
		listen: (listener) => void listeners.push(listener),
		onNeed: (asks) => void (makeRoom = asks),
		closedSegments: () => segments.filter((one) => one !== writer.active()).map((one) => one.segment),
		closeSegment: () =>
			exclusively(async () => {
				const active = writer.active();
				if (active !== null && active.end > FRAMES_START) await writer.close();
			}),
		stats() {
			const { commits, syncs, writtenBytes, samples } = writer.counts();
			return {
				epoch,
				segments: segments.length,
				bytes: segmentFolder.usedBytes(),
				committedSamples: samples,
				commits,
				syncs,
				writtenBytes,
				pendingSamples: queue.pendingSamples(),
				losses: [...losses],
				writeError,
			};
		},
		async stop() {
			await queue.stop();
			await exclusively(writer.close);
		},
	};
}
