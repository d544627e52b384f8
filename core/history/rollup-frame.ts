import { crc32 } from 'node:zlib';

import { byteView } from '../journal/byte-view.ts';
import type { JournalFile } from '../journal/file-layer.ts';

/** A frame: magic, checksum of everything after it, bytes of the body, body. */
const MAGIC = 0x3152_4244;
export const FRAME_HEADER_BYTES = 12;
const CRC_AT = 4;
const LENGTH_AT = 8;
const MAX_BODY_BYTES = 16 * 1024 * 1024;
const READ_BYTES = 1024 * 1024;

export interface FoundFrame {
	readonly offset: number;
	/** Of the whole frame. */
	readonly bytes: number;
	readonly body: Buffer;
}

export interface FrameWalk {
	/** After the last frame. */
	readonly end: number;
	/** Bytes between frames that are none: damage, and not just a write that the power cut. */
	readonly damagedBytes: number;
	/** Bytes after the last frame. */
	readonly tornBytes: number;
}

const crcOf = (frame: Buffer): number => crc32(byteView(frame.subarray(LENGTH_AT)));

export function encodeFrame(body: Buffer): Buffer {
	const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + body.length);
	frame.writeUInt32LE(MAGIC, 0);
	frame.writeUInt32LE(body.length, LENGTH_AT);
	frame.set(body, FRAME_HEADER_BYTES);
	frame.writeUInt32LE(crcOf(frame), CRC_AT);
	return frame;
}

/**
 * Follows what is durable. A damaged end of a file is then told from a write that the power cut: of that one nothing was promised. It need
 * not be durable itself.
 */
export const END_MARK = encodeFrame(Buffer.alloc(0));

/** The body of a frame; `null` when the bytes are not one whole sound frame. */
export function bodyOf(frame: Buffer): Buffer | null {
	if (frame.length < FRAME_HEADER_BYTES || frame.readUInt32LE(0) !== MAGIC) return null;
	if (frame.readUInt32LE(LENGTH_AT) !== frame.length - FRAME_HEADER_BYTES) return null;
	return frame.readUInt32LE(CRC_AT) === crcOf(frame) ? frame.subarray(FRAME_HEADER_BYTES) : null;
}

/** Bytes of the frame that seems to begin at an offset; `null` when none does. */
function lengthAt(bytes: Buffer, offset: number): number | null {
	if (offset + FRAME_HEADER_BYTES > bytes.length || bytes.readUInt32LE(offset) !== MAGIC) return null;
	const length = bytes.readUInt32LE(offset + LENGTH_AT);
	return length > MAX_BODY_BYTES ? null : FRAME_HEADER_BYTES + length;
}

/** Visits the sound frames of a file in order, but for end marks. What is no frame is skipped, however much it is. */
export async function walkFrames(file: JournalFile, visit: (frame: FoundFrame) => void): Promise<FrameWalk> {
	let base = 0;
	let bytes = await file.read(0, READ_BYTES);
	let isAll = bytes.length < READ_BYTES;
	let at = 0;
	let end = 0;
	let damagedBytes = 0;

	async function more(least: number): Promise<void> {
		base += at;
		bytes = await file.read(base, Math.max(READ_BYTES, least));
		isAll = bytes.length < Math.max(READ_BYTES, least);
		at = 0;
	}

	for (;;) {
		if (!isAll && bytes.length - at < FRAME_HEADER_BYTES) await more(0);
		if (bytes.length - at < FRAME_HEADER_BYTES) break;
		const length = lengthAt(bytes, at) ?? 0;
		if (!isAll && at + length > bytes.length) await more(length);
		const body = bodyOf(bytes.subarray(at, at + length));
		if (body === null) {
			at += 1;
			continue;
		}
		const offset = base + at;
		damagedBytes += offset - end;
		at += length;
		end = offset + length;
		if (body.length > 0) visit({ offset, bytes: length, body });
	}
	return { end, damagedBytes, tornBytes: base + bytes.length - end };
}
