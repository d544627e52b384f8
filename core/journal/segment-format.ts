import { crc32 } from 'node:zlib';

import { byteView } from './byte-view.ts';

/**
 * A segment file: a header in its first sector, a summary once it is closed, commits from `FRAMES_START` on, each aligned to 8 bytes. Files are recycled, so what
 * follows the last commit may be old commits: the segment's random `nonce` is part of each frame and tells them apart.
 */
export const SUMMARY_START = 512;
export const FRAMES_START = 4096;
export const FRAME_HEADER_BYTES = 48;
const HEADER_BYTES = 32;
const SEGMENT_MAGIC = 0x3147_5344;
const FRAME_MAGIC = 0x3146_5344;
/** The checksum covers everything after itself. */
const CRC_AT = 4;
const CHECKED_FROM = 8;

export interface SegmentHeader {
	/** Number of the segment: ascending, never used twice. */
	readonly segment: number;
	/** The journal's epoch when the segment was begun. */
	readonly epoch: number;
	readonly nonce: number;
}

export interface FrameHeader {
	/** Ascending within the segment; an attempt that failed uses its number up. */
	readonly number: number;
	readonly bodyBytes: number;
	readonly readings: number;
	readonly samples: number;
	readonly minReadAt: number;
	readonly maxReadAt: number;
	/** The body defines shapes that later bodies of this segment use. */
	readonly definesShapes: boolean;
}

export interface Frame extends FrameHeader {
	readonly at: number;
	readonly next: number;
	readonly body: Buffer;
}

const align8 = (bytes: number): number => Math.ceil(bytes / 8) * 8;

export const frameBytes = (bodyBytes: number): number => align8(FRAME_HEADER_BYTES + bodyBytes);

const seal = (bytes: Buffer, end: number): void => {
	bytes.writeUInt32LE(crc32(byteView(bytes.subarray(CHECKED_FROM, end))), CRC_AT);
};

const isSealed = (bytes: Buffer, end: number): boolean =>
	bytes.readUInt32LE(CRC_AT) === crc32(byteView(bytes.subarray(CHECKED_FROM, end)));

export function encodeSegmentHeader({ segment, epoch, nonce }: SegmentHeader): Buffer {
	const bytes = Buffer.alloc(HEADER_BYTES);
	bytes.writeUInt32LE(SEGMENT_MAGIC, 0);
	bytes.writeUInt32LE(segment, 8);
	bytes.writeUInt32LE(nonce, 12);
	bytes.writeDoubleLE(epoch, 16);
	seal(bytes, HEADER_BYTES);
	return bytes;
}

/** `null` when the bytes are no header: zeroed, torn or something else. */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | null {
	if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(0) !== SEGMENT_MAGIC || !isSealed(bytes, HEADER_BYTES))
		return null;
	return { segment: bytes.readUInt32LE(8), nonce: bytes.readUInt32LE(12), epoch: bytes.readDoubleLE(16) };
}

export function encodeFrame(nonce: number, header: FrameHeader, body: Buffer): Buffer {
	const bytes = Buffer.alloc(frameBytes(body.length));
	bytes.writeUInt32LE(FRAME_MAGIC, 0);
	bytes.writeUInt32LE(nonce, 8);
	bytes.writeUInt32LE(header.number, 12);
	bytes.writeUInt32LE(body.length, 16);
	bytes.writeUInt32LE(header.readings, 20);
	bytes.writeUInt32LE(header.samples, 24);
	bytes.writeUInt32LE(header.definesShapes ? 1 : 0, 28);
	bytes.writeDoubleLE(header.minReadAt, 32);
	bytes.writeDoubleLE(header.maxReadAt, 40);
	bytes.set(body, FRAME_HEADER_BYTES);
	seal(bytes, FRAME_HEADER_BYTES + body.length);
	return bytes;
}

/** Bytes the frame that seems to begin at `offset` needs; `null` when none of this segment begins there. */
export function frameLengthAt(bytes: Buffer, offset: number, nonce: number): number | null {
	if (offset + FRAME_HEADER_BYTES > bytes.length) return null;
	if (bytes.readUInt32LE(offset) !== FRAME_MAGIC || bytes.readUInt32LE(offset + 8) !== nonce) return null;
	return frameBytes(bytes.readUInt32LE(offset + 16));
}

/** The frame at `offset` of `bytes`, which begin at `base` of the file; `null` when its checksum does not hold. */
export function decodeFrame(bytes: Buffer, offset: number, base: number): Frame | null {
	const bodyBytes = bytes.readUInt32LE(offset + 16);
	const end = offset + FRAME_HEADER_BYTES + bodyBytes;
	if (end > bytes.length || !isSealed(bytes.subarray(offset), end - offset)) return null;
	return {
		at: base + offset,
		next: base + offset + frameBytes(bodyBytes),
		number: bytes.readUInt32LE(offset + 12),
		bodyBytes,
		readings: bytes.readUInt32LE(offset + 20),
		samples: bytes.readUInt32LE(offset + 24),
		definesShapes: bytes.readUInt32LE(offset + 28) === 1,
		minReadAt: bytes.readDoubleLE(offset + 32),
		maxReadAt: bytes.readDoubleLE(offset + 40),
		body: bytes.subarray(offset + FRAME_HEADER_BYTES, end),
	};
}
