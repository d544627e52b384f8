import { Fault } from '../kernel/fault.ts';
import type { GatewayId } from '../kernel/id.ts';
import type { StreamRange } from '../ledger/stream-range.ts';
import type { Reading } from '../telemetry/reading.ts';
import { encodeBlock } from './block-codec.ts';
import { byteView } from './byte-view.ts';
import type { JournalFile } from './file-layer.ts';
import type { JournalCommit } from './journal.ts';
import { BLOCK_BYTES, readingBytes } from './reading-bytes.ts';
import type { Segment } from './segment.ts';
import { encodeFrame, frameBytes, FRAMES_START } from './segment-format.ts';

export interface SegmentWriterDeps {
	/** Makes the next segment; what is written to its file is durable. */
	readonly begin: () => Promise<{ readonly segment: Segment; readonly file: JournalFile }>;
	/** Told before the file of a segment that is left is closed. */
	readonly leave: (segment: Segment, file: JournalFile) => Promise<void>;
	/** Told of each commit as soon as it is durable, before whoever appended it. */
	readonly committed: (commit: JournalCommit) => void;
}

interface Staged {
	readonly at: number;
	readonly frame: Buffer;
	readonly next: number;
	readonly samples: number;
	readonly readings: readonly Reading[];
}

interface Active {
	readonly segment: Segment;
	readonly file: JournalFile;
	/** Where the next frame goes; ahead of `segment.end` while frames wait to be written. */
	at: number;
	/** The first shape id that is not durable yet. */
	durableShapes: number;
	staged: Staged[];
}

const frameHeader = (number: number, readings: readonly Reading[], bodyBytes: number, definesShapes: boolean) => {
	let samples = 0;
	let minReadAt = Number.POSITIVE_INFINITY;
	let maxReadAt = Number.NEGATIVE_INFINITY;
	for (const reading of readings) {
		samples += reading.values.length;
		minReadAt = Math.min(minReadAt, reading.readAt);
		maxReadAt = Math.max(maxReadAt, reading.readAt);
	}
	return { number, bodyBytes, readings: readings.length, samples, minReadAt, maxReadAt, definesShapes };
};

/** Which samples readings hold; those that follow each other, as those of one source do, are one range. */
function rangesOf(readings: readonly Reading[]): readonly StreamRange[] {
	const ranges: { origin: GatewayId; epoch: number; first: number; last: number }[] = [];
	let range = ranges[0];
	for (const { origin, epoch, firstSeq, values } of readings) {
		if (values.length === 0) continue;
		const last = firstSeq + values.length - 1;
		if (range?.last === firstSeq - 1 && range.epoch === epoch && range.origin === origin) range.last = last;
		else ranges.push((range = { origin, epoch, first: firstSeq, last }));
	}
	return ranges;
}

/** Writes groups of readings into the newest segment, and goes on to the next one when they do not fit. */
export function createSegmentWriter({ begin, leave, committed }: SegmentWriterDeps) {
	let active: Active | null = null;
	let number = 0;
	let bytesPerSample = 8;
	const counts = { commits: 0, syncs: 0, writtenBytes: 0, samples: 0 };

	async function open(): Promise<Active> {
		const { segment, file } = await begin();
		number = 0;
		active = { segment, file, at: segment.end, durableShapes: 0, staged: [] };
		return active;
	}

	function apply(to: Active, { at, next, samples, readings }: Staged): void {
		const { segment } = to;
		segment.end = next;
		segment.shapesUpTo = next;
		segment.samples += samples;
		for (const range of rangesOf(readings)) segment.tally.add(range);
		counts.commits += 1;
		counts.samples += samples;
		if (samples > 0) bytesPerSample = bytesPerSample * 0.8 + ((next - at) / samples) * 0.2;
		const own = segment.segment;
		committed({ at: { segment: own, offset: at }, next: { segment: own, offset: next }, readings });
	}

	/** Makes what was staged durable: one write, one flush. */
	async function settle(): Promise<void> {
		if (active === null) return;
		const { staged, file } = active;
		const [first] = staged;
		if (first === undefined) return;
		const bytes = staged.length === 1 ? first.frame : Buffer.concat(staged.map(({ frame }) => byteView(frame)));
		await file.write(first.at, bytes);
		counts.syncs += 1;
		counts.writtenBytes += bytes.length;
		active.staged = [];
		active.durableShapes = active.segment.shapes.nextId();
		for (const one of staged) apply(active, one);
	}

	/** The next attempt starts at the same place. */
	function undo(): void {
		if (active === null) return;
		active.staged = [];
		active.at = active.segment.end;
		active.segment.shapes.rollBack(active.durableShapes);
	}

	async function close(): Promise<void> {
		if (active === null) return;
		await settle();
		const { segment, file } = active;
		active = null;
		try {
			await leave(segment, file);
		} finally {
			await file.close();
		}
	}

	function stage(to: Active, readings: readonly Reading[], body: Buffer, definesShapes: boolean): void {
		const header = frameHeader(number, readings, body.length, definesShapes);
		const frame = encodeFrame(to.segment.nonce, header, body);
		number += 1;
		to.staged.push({ at: to.at, frame, next: to.at + frame.length, samples: header.samples, readings });
		to.at += frame.length;
	}

	async function placeHalves(readings: readonly Reading[]): Promise<void> {
		const half = Math.ceil(readings.length / 2);
		await place(readings.slice(0, half));
		await place(readings.slice(half));
	}

	async function place(readings: readonly Reading[]): Promise<void> {
		const rawBytes = readings.reduce((sum, reading) => sum + readingBytes(reading), 0);
		if (rawBytes > BLOCK_BYTES && readings.length > 1) {
			await placeHalves(readings);
			return;
		}
		const to = active ?? (await open());
		const { segment } = to;
		const firstId = segment.shapes.nextId();
		const body = encodeBlock(readings, segment.shapes);
		if (to.at + frameBytes(body.length) <= segment.bytes) {
			stage(to, readings, body, segment.shapes.nextId() > firstId);
			return;
		}
		segment.shapes.rollBack(firstId);
		if (to.at > FRAMES_START) {
			await close();
			await place(readings);
			return;
		}
		if (readings.length <= 1) throw new Fault('rule-violation', `a reading of ${body.length} bytes fits no segment`);
		await placeHalves(readings);
	}

	return {
		open,
		close,
		/** Durable when it resolves. After a rejection nothing of it counts, and the next write takes its place. */
		async write(readings: readonly Reading[]): Promise<void> {
			try {
				if (readings.length > 0) await place(readings);
				await settle();
			} catch (error) {
				undo();
				throw error;
			}
		},
		active: () => active?.segment ?? null,
		bytesPerSample: () => bytesPerSample,
		counts: () => ({ ...counts }),
	};
}
