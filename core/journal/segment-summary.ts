import { crc32 } from 'node:zlib';

import { gatewayId } from '../kernel/id.ts';
import { createByteReader } from './byte-reader.ts';
import { byteView } from './byte-view.ts';
import { createByteWriter } from './byte-writer.ts';
import type { JournalFile } from './file-layer.ts';
import type { Segment } from './segment.ts';
import { FRAMES_START, SUMMARY_START } from './segment-format.ts';

const MAX_BYTES = FRAMES_START - SUMMARY_START;
const PREFIX_BYTES = 8;

/**
 * What a closed segment holds, for its room before the first commit: start-up then reads some kilobytes of it instead of all.
 * `null` when there are too many ranges for that room.
 */
function encodeSummary({ nonce, end, samples, tally }: Segment): Buffer | null {
	const writer = createByteWriter();
	const ranges = tally.ranges();
	writer.varint(nonce);
	writer.varint(end);
	writer.varint(samples);
	writer.varint(ranges.length);
	for (const { origin, epoch, first, last } of ranges) {
		writer.text(origin);
		writer.varint(epoch);
		writer.varint(first);
		writer.varint(last);
	}
	const body = writer.bytes();
	if (body.length + PREFIX_BYTES > MAX_BYTES) return null;
	const bytes = Buffer.alloc(PREFIX_BYTES + body.length);
	bytes.writeUInt32LE(body.length, 0);
	bytes.writeUInt32LE(crc32(byteView(body)), 4);
	bytes.set(body, PREFIX_BYTES);
	return bytes;
}

/** Fills the segment in from its summary; `false` when there is none for this use of the file. */
export function applySummary(bytes: Buffer, segment: Segment): boolean {
	if (bytes.length < PREFIX_BYTES) return false;
	const length = bytes.readUInt32LE(0);
	const body = bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + length);
	if (length === 0 || body.length !== length || bytes.readUInt32LE(4) !== crc32(byteView(body))) return false;
	const reader = createByteReader(body);
	if (reader.varint() !== segment.nonce) return false;
	segment.end = reader.varint();
	segment.samples = reader.varint();
	for (let left = reader.count(4); left > 0; left -= 1) {
		segment.tally.add({
			origin: gatewayId(reader.text()),
			epoch: reader.varint(),
			first: reader.varint(),
			last: reader.varint(),
		});
	}
	return true;
}

/** Ends a segment with its summary. It need not be synced: without it, the next start reads the segment through. */
export async function writeSummary(file: JournalFile, segment: Segment): Promise<void> {
	const summary = encodeSummary(segment);
	if (summary !== null) await file.write(SUMMARY_START, summary);
}
