import { messageOf } from '../kernel/fault.ts';
import type { StreamRange } from '../ledger/stream-range.ts';
import { readBlockRanges } from './block-codec.ts';
import { type BlockDictionary, createBlockDictionary } from './block-dictionary.ts';
import type { FileLayer, JournalFile } from './file-layer.ts';
import type { Neighbours } from './damaged-ranges.ts';
import type { JournalLoss } from './journal.ts';
import {
	FRAME_HEADER_BYTES,
	frameLengthAt,
	FRAMES_START,
	type SegmentHeader,
	SUMMARY_START,
} from './segment-format.ts';
import { applySummary } from './segment-summary.ts';
import { walkFrames, withFile } from './segment-walk.ts';
import { createStreamTally, type StreamTally } from './stream-tally.ts';

/** What the journal knows of one of its files. `end` and the counts grow with each durable commit. */
export interface Segment extends SegmentHeader {
	readonly path: string;
	/** Size of the file. */
	bytes: number;
	/** Offset after the last durable commit. */
	end: number;
	samples: number;
	tally: StreamTally;
	/** Shapes defined up to `shapesUpTo`; made when somebody reads. */
	/** Given up or recycled: its file is another's now. */
	isDropped: boolean;
	shapes: BlockDictionary;
	shapesUpTo: number;
}

export const newSegment = (header: SegmentHeader, path: string, bytes: number): Segment => ({
	...header,
	path,
	bytes,
	end: FRAMES_START,
	samples: 0,
	isDropped: false,
	tally: createStreamTally(),
	shapes: createBlockDictionary(),
	shapesUpTo: FRAMES_START,
});

export const segmentName = (segment: number): string => `${String(segment).padStart(8, '0')}.segment`;

const SEGMENT_NAME = /^(\d{8,10})\.segment$/;

/** The number in a segment's file name; `null` for other files. */
export function segmentNumber(name: string): number | null {
	const digits = SEGMENT_NAME.exec(name)?.[1];
	const number = Number(digits ?? 0);
	return number >= 1 && number < 2 ** 32 - 1 ? number : null;
}

/** Something that is damaged, and which samples it may have held. */
export interface Finding extends Pick<JournalLoss, 'reason' | 'bytes' | 'samples' | 'detail'> {
	readonly ranges: readonly StreamRange[];
}

/** Learns from its summary what a segment holds, or reads it through, and fills in its end, its counts and its ranges. Answers what was damaged. */
export async function scanSegment(
	file: JournalFile,
	segment: Segment,
	isNewest: boolean,
	neighbours: Pick<Neighbours, 'saw' | 'gap'>,
): Promise<readonly Finding[]> {
	const findings: Finding[] = [];
	const name = segmentName(segment.segment);
	const note = (reason: Finding['reason'], bytes: number, samples: number | null, detail: string): void => {
		findings.push({ reason, bytes, samples, detail: `${name}: ${detail}`, ranges: neighbours.gap() });
	};
	let named: { readonly end: number; readonly ranges: readonly StreamRange[] } | null = null;
	if (applySummary(await file.read(SUMMARY_START, FRAMES_START - SUMMARY_START), segment)) {
		if (segment.end <= segment.bytes) {
			neighbours.saw(segment.tally.ranges());
			return findings;
		}
		named = { end: segment.end, ranges: segment.tally.ranges() };
		segment.end = FRAMES_START;
		segment.samples = 0;
		segment.tally = createStreamTally();
	}
	for await (const frame of walkFrames(file, segment, FRAMES_START, segment.bytes)) {
		if (frame.at !== segment.end) note('corrupt', frame.at - segment.end, null, `no commit at ${segment.end}`);
		segment.end = frame.next;
		try {
			const ranges = readBlockRanges(frame.body, segment.shapes);
			for (const range of ranges) segment.tally.add(range);
			neighbours.saw(ranges);
			segment.samples += frame.samples;
		} catch (error) {
			note('corrupt', frame.next - frame.at, frame.samples, messageOf(error));
		}
	}
	segment.shapesUpTo = segment.end;
	if (named !== null) {
		const detail = `${name}: ends at ${segment.bytes}, not at ${named.end}`;
		const ranges = named.ranges.flatMap((range) => segment.tally.missing(range));
		findings.push({ reason: 'corrupt', bytes: named.end - segment.bytes, samples: null, detail, ranges });
	}
	const torn = isNewest ? await tornFrame(file, segment) : null;
	if (torn !== null) note('torn-tail', torn, null, `the commit at ${segment.end} was not finished`);
	return findings;
}

/** Bytes of the commit that was being written when the power went; `null` when the segment ends cleanly. */
async function tornFrame(file: JournalFile, { end, bytes, nonce }: Segment): Promise<number | null> {
	const header = await file.read(end, Math.max(0, Math.min(FRAME_HEADER_BYTES, bytes - end)));
	const length = frameLengthAt(header, 0, nonce);
	return length === null ? null : Math.min(length, bytes - end);
}

/** Which samples the commits from an offset on hold. */
export async function rangesFrom(files: FileLayer, segment: Segment, from: number): Promise<readonly StreamRange[]> {
	if (from <= FRAMES_START) return segment.tally.ranges();
	const tally = createStreamTally();
	const shapes = createBlockDictionary();
	await withFile(files, segment.path, async (file) => {
		for await (const frame of walkFrames(file, segment, FRAMES_START, segment.end)) {
			const ranges = readBlockRanges(frame.body, shapes);
			if (frame.at >= from) for (const range of ranges) tally.add(range);
		}
	}).catch(() => {
		for (const range of segment.tally.ranges()) tally.add(range);
	});
	return tally.ranges();
}
