import { deflateRawSync, inflateRawSync } from 'node:zlib';

import { type ByteReader, createByteReader, malformed } from '../journal/byte-reader.ts';
import { byteView } from '../journal/byte-view.ts';
import type { ByteWriter } from '../journal/byte-writer.ts';

/** Below this many bytes deflate costs more than it saves. */
const WORTH_DEFLATING = 64;
/** From this many bytes on speed counts more than the last per cent. */
const LARGE_BYTES = 64 * 1024;
const MAX_RAW_BYTES = 256 * 1024 * 1024;
/** Deflate makes at most so many bytes of one. */
const MOST_INFLATION = 1100;

/** Bytes, deflated where that helps, behind their length. */
export function writePacked(writer: ByteWriter, bytes: Buffer): void {
	const deflated =
		bytes.length < WORTH_DEFLATING
			? bytes
			: deflateRawSync(byteView(bytes), { level: bytes.length < LARGE_BYTES ? 6 : 1 });
	const isSmaller = deflated.length < bytes.length;
	writer.varint(isSmaller ? bytes.length : 0);
	writer.varint(isSmaller ? deflated.length : bytes.length);
	writer.raw(isSmaller ? deflated : bytes);
}

/** A reader of what `writePacked` was given. */
export function readPacked(reader: ByteReader): ByteReader {
	const rawLength = reader.varint();
	const bytes = reader.raw(reader.count(1));
	if (rawLength === 0) return createByteReader(bytes);
	if (rawLength > Math.min(MAX_RAW_BYTES, bytes.length * MOST_INFLATION)) throw malformed('inflates to too much');
	const inflated = inflateRawSync(byteView(bytes), { maxOutputLength: rawLength });
	if (inflated.length !== rawLength) throw malformed(`inflates to ${inflated.length} bytes, not ${rawLength}`);
	return createByteReader(inflated);
}
