import { appendFileSync } from 'node:fs';

/** What a record says; the letters of recorder.c, and a mark of the test. */
export const RECORD = {
	START: 's',
	OPEN: 'o',
	CLOSE: 'c',
	WRITE: 'w',
	TRUNCATE: 't',
	TRUNCATE_PATH: 'T',
	ALLOCATE: 'a',
	RENAME: 'r',
	UNLINK: 'u',
	MKDIR: 'm',
	RMDIR: 'd',
	LINK: 'l',
	SYMLINK: 'y',
	SYNC_BEGIN: 'f',
	SYNC_END: 'F',
	UNKNOWN: '?',
	MARK: 'M',
} as const;
export type RecordKind = (typeof RECORD)[keyof typeof RECORD];

/** One change, flush or mark, as recorder.c writes it. */
export interface DiskRecord {
	/** When, ms since 1970. */
	readonly atMs: number;
	/** Whose it is: one letter. */
	readonly tag: string;
	readonly kind: RecordKind;
	/** OPEN, CLOSE, WRITE, TRUNCATE, ALLOCATE, SYNC: descriptor. */
	readonly a: number;
	/** OPEN: 1 when it was emptied. WRITE: position. TRUNCATE: length. ALLOCATE: mode. SYNC: its number. */
	readonly b: number;
	/** OPEN: 0 was there, 1 is new, 2 is a folder. WRITE: 1 when it was flushed at once. ALLOCATE: end. */
	readonly c: number;
	/** Path below the folder, or the words of a mark. */
	readonly text: string;
	/** Bytes of a write, or the second path. */
	readonly data: Buffer;
}

const HEAD_BYTES = 46;

const KINDS: ReadonlySet<string> = new Set(Object.values(RECORD));
const isKind = (letter: string): letter is RecordKind => KINDS.has(letter);

/** All whole records of a log; a process that was killed may have left a part of one at the end of its life only. */
export function parseRecords(log: Buffer): readonly DiskRecord[] {
	const records: DiskRecord[] = [];
	let at = 0;
	while (at + HEAD_BYTES <= log.length) {
		const end = at + 4 + log.readUInt32LE(at);
		if (end > log.length) break;
		const textEnd = at + HEAD_BYTES + log.readUInt32LE(at + 38);
		const kind = String.fromCharCode(log.readUInt8(at + 13));
		if (!isKind(kind)) throw new RangeError(`no record at byte ${at} of the log`);
		records.push({
			atMs: Number(log.readBigInt64LE(at + 4)) / 1000,
			tag: String.fromCharCode(log.readUInt8(at + 12)),
			kind,
			a: Number(log.readBigInt64LE(at + 14)),
			b: Number(log.readBigInt64LE(at + 22)),
			c: Number(log.readBigInt64LE(at + 30)),
			text: log.toString('utf8', at + HEAD_BYTES, textEnd),
			data: log.subarray(textEnd, end),
		});
		at = end;
	}
	return records;
}

/** Puts words of the test into the log: what it had seen acknowledged stands after the flush that allowed it. */
export function appendMark(path: string, text: string): void {
	const words = Buffer.from(text);
	const record = Buffer.alloc(HEAD_BYTES + words.length);
	record.writeUInt32LE(record.length - 4, 0);
	record.writeBigInt64LE(BigInt(Math.round(Date.now() * 1000)), 4);
	record.write('T', 12);
	record.write(RECORD.MARK, 13);
	record.writeUInt32LE(words.length, 38);
	words.copy(record, HEAD_BYTES);
	appendFileSync(path, record);
}
