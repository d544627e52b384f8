import { createByteReader } from '../journal/byte-reader.ts';
import type { JournalFile } from '../journal/file-layer.ts';
import { messageOf } from '../kernel/fault.ts';
import { readCard } from './chunk-card.ts';
import { createDayIndex, type DayIndex, decodeDayIndex, decodeShape } from './day-index.ts';
import { bodyOf, type DayRecord, decodeRecord, encodeRecord, readBody, RECORD, walkRecords } from './day-record.ts';
import type { HistoryLoss } from './history-loss.ts';

/** The end of an index record: where the record begins, so that it is found from the end of the file. */
const TRAILER_BYTES = 16;
const TRAILER_MAGIC = 0x6931_4844;
/** Most indexes are read together with their trailer. */
const TAIL_BYTES = 128 * 1024;

type Finding = Omit<HistoryLoss, 'at' | 'file'>;

/** Writes an index of everything before `at`; answers the place after it. Not durable yet. */
export async function writeFooter(file: JournalFile, at: number, index: DayIndex): Promise<number> {
	const trailer = Buffer.alloc(TRAILER_BYTES);
	trailer.writeDoubleLE(at, 0);
	trailer.writeUInt32LE(TRAILER_MAGIC, 12);
	const bytes = index.encode();
	const body = Buffer.alloc(bytes.length + TRAILER_BYTES);
	body.set(bytes);
	body.set(trailer, bytes.length);
	const record = encodeRecord(RECORD.index, at, Buffer.alloc(0), body);
	await file.write(at, record);
	return at + record.length;
}

/** The index that ends a file of so many bytes; `null` when there is none, or none that can be trusted. */
export async function readFooter(file: JournalFile, bytes: number): Promise<DayIndex | null> {
	const tailAt = Math.max(0, bytes - TAIL_BYTES);
	const tail = await file.read(tailAt, bytes - tailAt);
	if (tail.length < TRAILER_BYTES || tail.readUInt32LE(tail.length - 4) !== TRAILER_MAGIC) return null;
	const at = tail.readDoubleLE(tail.length - TRAILER_BYTES);
	if (!Number.isSafeInteger(at) || at < 0 || at >= bytes) return null;
	const whole = at >= tailAt ? tail.subarray(at - tailAt) : await file.read(at, bytes - at);
	const record = decodeRecord(whole, at);
	if (record === null || record.kind !== RECORD.index || record.next !== bytes) return null;
	const body = await readBody(
		{ ...file, read: async (from, length) => whole.subarray(from - at, from - at + length) },
		record,
	);
	try {
		return body === null ? null : decodeDayIndex(body);
	} catch {
		return null;
	}
}

/** What a walk has learnt so far. */
interface Rebuilt {
	index: DayIndex;
	end: number;
	/** Bytes that are no record. */
	readonly gaps: Finding[];
	/** Records that are of no use for want of another. */
	useless: Finding[];
}

/** Adds what one record tells; answers why it is of no use, if it is not. */
async function take(file: JournalFile, to: Rebuilt, record: DayRecord): Promise<string | null> {
	if (record.kind === RECORD.chunk) {
		const card = readCard(createByteReader(record.head));
		const entry = { ...card, at: record.at, headBytes: bodyOf(record) - record.at, bytes: record.next - record.at };
		return to.index.add(entry) ? null : `a chunk of shape ${card.shape}, which is lost`;
	}
	const body = await readBody(file, record);
	if (body === null) return 'a record whose checksum does not hold';
	if (record.kind === RECORD.shape) {
		const { id, shape } = decodeShape(body);
		to.index.define(id, shape);
	} else if (record.kind === RECORD.index) {
		// It knows what stands before it, also where that is damaged now.
		to.index = decodeDayIndex(body);
		to.useless = [];
	}
	return null;
}

/** Learns from its records what a file of so many bytes holds. Each body is checked: a record may have reached the disk in part. */
export async function rebuildIndex(
	file: JournalFile,
	bytes: number,
	note: (finding: Finding) => void,
): Promise<{ readonly index: DayIndex; readonly end: number }> {
	const to: Rebuilt = { index: createDayIndex(), end: 0, gaps: [], useless: [] };
	for await (const record of walkRecords(file, bytes)) {
		const { at, next } = record;
		if (at > to.end) {
			const detail = `no record from ${to.end} to ${at}`;
			to.gaps.push({ reason: 'damaged', offset: to.end, bytes: at - to.end, samples: null, detail });
		}
		to.end = next;
		const detail = await take(file, to, record).catch(messageOf);
		if (detail !== null) to.useless.push({ reason: 'damaged', offset: at, bytes: next - at, samples: null, detail });
	}
	for (const finding of [...to.gaps, ...to.useless]) note(finding);
	if (to.end < bytes) {
		const detail = `the record at ${to.end} was not finished`;
		note({ reason: 'torn-tail', offset: to.end, bytes: bytes - to.end, samples: null, detail });
	}
	return to;
}
