import { messageOf } from '../kernel/fault.ts';
import { decodeBlock, readBlockDefinitions } from './block-codec.ts';
import { createBlockDictionary } from './block-dictionary.ts';
import { countOf } from '../ledger/range-set.ts';
import type { StreamRange } from '../ledger/stream-range.ts';
import { takeDamaged } from './damaged-ranges.ts';
import type { FileLayer, JournalFile } from './file-layer.ts';
import type { JournalCommit, JournalLoss, JournalPosition } from './journal.ts';
import { type Segment, segmentName } from './segment.ts';
import { FRAMES_START } from './segment-format.ts';
import { walkFrames } from './segment-walk.ts';

/** Closed segments whose shapes stay in memory for the next read. */
const MAX_KNOWN_SHAPES = 2;

export interface JournalReaderDeps {
	readonly files: FileLayer;
	/** Kept segments, oldest first. */
	readonly segments: () => readonly Segment[];
	readonly active: () => Segment | null;
	readonly noteLoss: (
		loss: Pick<JournalLoss, 'reason' | 'bytes' | 'samples' | 'detail'>,
		ranges: readonly StreamRange[],
	) => void;
}

/** Learns the shapes that commits before `to` define. */
async function learnShapes(file: JournalFile, segment: Segment, to: number): Promise<void> {
	const { shapes, shapesUpTo } = segment;
	if (shapesUpTo >= to) return;
	for await (const frame of walkFrames(file, segment, shapesUpTo, to)) {
		if (frame.definesShapes) readBlockDefinitions(frame.body, shapes);
	}
	if (segment.shapes === shapes) segment.shapesUpTo = to;
}

/** Reads durable commits while others are being written and old segments go. */
export function createJournalReader({ files, segments, active, noteLoss }: JournalReaderDeps) {
	const knowing: Segment[] = [];
	const damaged = new WeakSet<Segment>();

	function rememberShapes(segment: Segment): void {
		if (segment === active() || knowing.includes(segment)) return;
		knowing.push(segment);
		const oldest = knowing.length > MAX_KNOWN_SHAPES ? knowing.shift() : undefined;
		if (oldest === undefined) return;
		oldest.shapes = createBlockDictionary();
		oldest.shapesUpTo = FRAMES_START;
	}

	async function noteDamage(segment: Segment, bytes: number, samples: number | null, detail: string): Promise<void> {
		if (damaged.has(segment)) return;
		damaged.add(segment);
		const ranges = await takeDamaged(files, segment);
		const lost = ranges.length === 0 ? samples : countOf(ranges);
		noteLoss({ reason: 'corrupt', bytes, samples: lost, detail: `${segmentName(segment.segment)}: ${detail}` }, ranges);
	}

	async function* readSegment(segment: Segment, from: number, to: number): AsyncGenerator<JournalCommit> {
		const { segment: number } = segment;
		const file = await files.open(segment.path);
		try {
			rememberShapes(segment);
			await learnShapes(file, segment, from);
			const { shapes } = segment;
			let expected = from;
			for await (const frame of walkFrames(file, segment, from, to)) {
				if (segment.isDropped) return;
				if (frame.at !== expected) await noteDamage(segment, frame.at - expected, null, `no commit at ${expected}`);
				expected = frame.next;
				try {
					const readings = decodeBlock(frame.body, shapes);
					yield { at: { segment: number, offset: frame.at }, next: { segment: number, offset: frame.next }, readings };
				} catch (error) {
					await noteDamage(segment, frame.next - frame.at, frame.samples, messageOf(error));
				}
			}
			if (expected !== to && !segment.isDropped)
				await noteDamage(segment, to - expected, null, `no commit at ${expected}`);
		} finally {
			await file.close();
		}
	}

	async function* read(from: JournalPosition): AsyncGenerator<JournalCommit> {
		let position = from;
		for (;;) {
			const { segment: wanted, offset } = position;
			const segment = segments().find((kept) => kept.segment >= wanted);
			if (segment === undefined) return;
			const start = segment.segment === wanted ? Math.max(offset, FRAMES_START) : FRAMES_START;
			const to = segment.end;
			if (start < to) {
				try {
					yield* readSegment(segment, start, to);
				} catch (error) {
					if (!segment.isDropped) await noteDamage(segment, to - start, null, messageOf(error));
				}
				position = { segment: segment.segment, offset: to };
			} else if (segment === segments().at(-1)) return;
			else position = { segment: segment.segment + 1, offset: 0 };
		}
	}

	return { read };
}
