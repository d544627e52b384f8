import { join } from 'node:path';

import { messageOf } from '../kernel/fault.ts';
import { createBlockDictionary } from './block-dictionary.ts';
import type { FileLayer, JournalFile } from './file-layer.ts';
import type { StreamRange } from '../ledger/stream-range.ts';
import { createNeighbours } from './damaged-ranges.ts';
import type { JournalLoss } from './journal.ts';
import { type Finding, newSegment, scanSegment, type Segment, segmentName, segmentNumber } from './segment.ts';
import {
	decodeFrame,
	decodeSegmentHeader,
	frameLengthAt,
	FRAMES_START,
	type SegmentHeader,
	SUMMARY_START,
} from './segment-format.ts';
import { withFile } from './segment-walk.ts';

export interface TakeStockDeps {
	readonly files: FileLayer;
	readonly folder: string;
	readonly noteLoss: (loss: Omit<JournalLoss, 'at'>, ranges: readonly StreamRange[]) => void;
}

/** What a folder holds when the journal opens. */
export interface Stock {
	/** All files, as listed. */
	readonly found: readonly { readonly name: string; readonly bytes: number }[];
	/** Usable segments, oldest first. */
	readonly segments: Segment[];
	readonly nextNumber: number;
	/** 0 when no segment tells. */
	readonly highestEpoch: number;
}

/**
 * The header, or what the first commit tells of it: the name has the number, the commit the nonce. So a lost first sector
 * costs nothing but itself.
 */
async function headerOf(file: JournalFile, number: number, bytes: number): Promise<SegmentHeader | null> {
	const header = decodeSegmentHeader(await file.read(0, SUMMARY_START));
	if (header !== null && header.segment === number) return header;
	const first = await file.read(FRAMES_START, 48);
	if (first.length < 48) return null;
	const nonce = first.readUInt32LE(8);
	const length = frameLengthAt(first, 0, nonce);
	if (length === null || FRAMES_START + length > bytes) return null;
	const frame = decodeFrame(await file.read(FRAMES_START, length), 0, FRAMES_START);
	return frame === null ? null : { segment: number, epoch: 0, nonce };
}

/** The highest epoch among its readings; a number that counting boots or seconds cannot reach is not one of ours. */
const plausibleEpoch = ({ tally }: Segment): number =>
	tally.ranges().reduce((highest, { epoch }) => (epoch < 2 ** 40 ? Math.max(highest, epoch) : highest), 0);

/** Looks through a folder. Never rejects because of what is in the files. */
export async function takeStock({ files, folder, noteLoss }: TakeStockDeps): Promise<Stock> {
	const found = await files.list(folder);
	const named = found
		.flatMap(({ name, bytes }) => {
			const number = segmentNumber(name);
			return number === null ? [] : [{ number, name, bytes }];
		})
		.toSorted((one, other) => one.number - other.number);
	const newest = named.at(-1)?.number ?? 0;
	const segments: Segment[] = [];
	let highestEpoch = 0;
	const neighbours = createNeighbours();
	const findings: Finding[] = [];
	const note = (finding: Omit<Finding, 'ranges'>): void => void findings.push({ ...finding, ranges: neighbours.gap() });

	async function inspect(number: number, name: string, bytes: number): Promise<void> {
		const path = join(folder, name);
		const unusable = { segment: number, epoch: 0, nonce: 0 };
		try {
			await withFile(files, path, async (file) => {
				const header = await headerOf(file, number, bytes);
				const segment = newSegment(header ?? unusable, path, bytes);
				segments.push(segment);
				if (header === null) {
					note({ reason: 'corrupt', bytes, samples: null, detail: `${name}: zeroed or not a segment` });
					return;
				}
				highestEpoch = Math.max(highestEpoch, header.epoch);
				findings.push(...(await scanSegment(file, segment, number === newest, neighbours)));
				if (header.epoch === 0) highestEpoch = Math.max(highestEpoch, plausibleEpoch(segment));
				segment.shapes = createBlockDictionary();
				segment.shapesUpTo = FRAMES_START;
			});
		} catch (error) {
			note({ reason: 'corrupt', bytes, samples: null, detail: `${name}: ${messageOf(error)}` });
		}
	}

	/** What a damaged place may have held and no intact commit has. */
	function notElsewhere(ranges: readonly StreamRange[]): readonly StreamRange[] {
		let rest = ranges;
		for (const { tally } of segments) rest = rest.flatMap((range) => tally.missing(range));
		return rest;
	}

	let expected = named[0]?.number ?? 1;
	for (const { number, name, bytes } of named) {
		if (expected < number) {
			const detail = `${segmentName(expected)} to ${segmentName(number - 1)} are not there`;
			note({ reason: 'missing-segment', bytes: 0, samples: null, detail });
		}
		expected = number + 1;
		await inspect(number, name, bytes);
	}
	for (const { ranges, ...loss } of findings) noteLoss(loss, notElsewhere(ranges));
	return { found, segments, nextNumber: newest + 1, highestEpoch };
}
