import { crc32 } from 'node:zlib';

import { byteView } from '../journal/byte-view.ts';
import type { JournalFile } from '../journal/file-layer.ts';

/** What a record of a day file is: a shape that chunks name by number, a chunk, or an index of all records before it. */
export const RECORD = { shape: 1, chunk: 2, index: 3 } as const;

/**
 * Magic, checksum of all that follows up to the body, kind, version, lengths of head and body, checksum of the body. The first checksum
 * begins with the record's place in its file, so that bytes are a record nowhere else.
 */
export const FRAME_BYTES = 24;
const MAGIC = Buffer.from('DbH1', 'latin1');
const VERSION = 1;
const MAX_HEAD_BYTES = 4 * 1024 * 1024;
const CHECKED_FROM = 8;

/** Bytes read at once; more than most records, far less than a file. */
const PIECE_BYTES = 64 * 1024;
/** Bytes searched at once for the next record behind a damaged place. */
const SEARCH_BYTES = 1024 * 1024;

export interface DayRecord {
	readonly kind: number;
	readonly at: number;
	/** The place after it. */
	readonly next: number;
	readonly head: Buffer;
	readonly bodyBytes: number;
	readonly bodyCrc: number;
}

const crcOf = (bytes: Buffer, seed = 0): number => crc32(byteView(bytes), seed);

/** A record as it stands at one place of a file. */
export function encodeRecord(kind: number, at: number, head: Buffer, body: Buffer): Buffer {
	const bytes = Buffer.alloc(FRAME_BYTES + head.length + body.length);
	bytes.set(MAGIC, 0);
	bytes.writeUInt8(kind, 8);
	bytes.writeUInt8(VERSION, 9);
	bytes.writeUInt32LE(head.length, 12);
	bytes.writeUInt32LE(body.length, 16);
	bytes.writeUInt32LE(crcOf(body), 20);
	bytes.set(head, FRAME_BYTES);
	bytes.set(body, FRAME_BYTES + head.length);
	bytes.writeUInt32LE(crcOf(bytes.subarray(CHECKED_FROM, FRAME_BYTES + head.length), at % 2 ** 32), 4);
	return bytes;
}

/** Bytes of frame and head of what seems to begin at `offset`; `null` when nothing does. */
function headEnd(bytes: Buffer, offset: number): number | null {
	if (offset + FRAME_BYTES > bytes.length) return null;
	if (bytes.compare(byteView(MAGIC), 0, MAGIC.length, offset, offset + MAGIC.length) !== 0) return null;
	const headBytes = bytes.readUInt32LE(offset + 12);
	return headBytes > MAX_HEAD_BYTES || bytes.readUInt8(offset + 9) !== VERSION ? null : FRAME_BYTES + headBytes;
}

/** The record whose frame and head begin `bytes`, which stand at `at` of the file; `null` when there is none. */
export function decodeRecord(bytes: Buffer, at: number): DayRecord | null {
	const end = headEnd(bytes, 0);
	if (end === null || end > bytes.length) return null;
	if (bytes.readUInt32LE(4) !== crcOf(bytes.subarray(CHECKED_FROM, end), at % 2 ** 32)) return null;
	const bodyBytes = bytes.readUInt32LE(16);
	return {
		kind: bytes.readUInt8(8),
		at,
		next: at + end + bodyBytes,
		head: bytes.subarray(FRAME_BYTES, end),
		bodyBytes,
		bodyCrc: bytes.readUInt32LE(20),
	};
}

export const bodyOf = (record: Pick<DayRecord, 'next' | 'bodyBytes'>): number => record.next - record.bodyBytes;

export const isSound = (record: DayRecord, body: Buffer): boolean =>
	body.length === record.bodyBytes && crcOf(body) === record.bodyCrc;

/** The body of a record; `null` when its checksum does not hold. */
export async function readBody(file: JournalFile, record: DayRecord): Promise<Buffer | null> {
	const body = await file.read(bodyOf(record), record.bodyBytes);
	return isSound(record, body) ? body : null;
}

/** A file that is read from front to back, a piece at a time. */
function createPieces(file: JournalFile) {
	let base = 0;
	let piece: Buffer = Buffer.alloc(0);
	return async (at: number, length: number): Promise<Buffer> => {
		if (at < base || at + length > base + piece.length) {
			piece = await file.read(at, Math.max(length, PIECE_BYTES));
			base = at;
		}
		return piece.subarray(at - base, at - base + length);
	};
}

type Pieces = ReturnType<typeof createPieces>;

async function recordAt(read: Pieces, at: number, end: number): Promise<DayRecord | null> {
	const wanted = headEnd(await read(at, FRAME_BYTES), 0);
	if (wanted === null || at + wanted > end) return null;
	const record = decodeRecord(await read(at, wanted), at);
	return record !== null && record.next <= end ? record : null;
}

/** The next place at or after `from` where the magic stands. */
async function nextMagic(file: JournalFile, from: number, end: number): Promise<number | null> {
	for (let at = from; at < end; at += SEARCH_BYTES) {
		const bytes = await file.read(at, Math.min(SEARCH_BYTES + MAGIC.length - 1, end - at));
		const found = bytes.indexOf(byteView(MAGIC));
		if (found >= 0) return at + found;
	}
	return null;
}

/**
 * The sound records of a file up to `end`, in order. What is no record is stepped over; the caller sees that from a gap between one
 * record's `next` and the following one's `at`.
 */
export async function* walkRecords(file: JournalFile, end: number): AsyncGenerator<DayRecord> {
	const read = createPieces(file);
	let at = 0;
	while (at + FRAME_BYTES <= end) {
		const record = await recordAt(read, at, end);
		if (record !== null && (await readBody(file, record)) !== null) {
			// The head is a view of a piece that is longer than it.
			yield { ...record, head: Buffer.from(record.head) };
			at = record.next;
			continue;
		}
		const found = await nextMagic(file, at + 1, end);
		if (found === null) return;
		at = found;
	}
}
