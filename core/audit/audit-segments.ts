import { join } from 'node:path';

import type { FileLayer, JournalFile } from '../journal/file-layer.ts';
import type { Logger } from '../kernel/log.ts';
import { type AuditLine, CHAIN_START, type ChainHead, decodeLine, lineHash } from './audit-line.ts';

const NAME = /^audit-(\d{12})\.jsonl$/;

/** One file of the log: lines `firstSeq` and following, of which `bytes` are on disk. */
export interface AuditSegment {
	readonly path: string;
	readonly firstSeq: number;
	readonly bytes: number;
}

/** A line as read: its text, and its entry unless the text is none. */
export interface ReadLine {
	readonly text: string;
	readonly line: AuditLine | null;
}

export const segmentPath = (folder: string, firstSeq: number): string =>
	join(folder, `audit-${String(firstSeq).padStart(12, '0')}.jsonl`);

async function using<T>(files: FileLayer, path: string, task: (file: JournalFile) => Promise<T>): Promise<T> {
	const file = await files.open(path);
	try {
		return await task(file);
	} finally {
		await file.close();
	}
}

/** The durable lines of a segment, oldest first. Rejects when the file is not there. */
export async function readSegment(files: FileLayer, { path, bytes }: AuditSegment): Promise<readonly ReadLine[]> {
	const content = await using(files, path, (file) => file.read(0, bytes));
	const texts = content.toString().split('\n');
	texts.pop();
	return texts.map((text) => ({ text, line: decodeLine(text) }));
}

/** The length of a segment without what a power cut has left at its end: a part of a line, or lines that are none. */
function soundBytes(content: Buffer): number {
	let end = content.lastIndexOf(0x0a) + 1;
	while (end > 0) {
		const start = content.lastIndexOf(0x0a, end - 2) + 1;
		if (decodeLine(content.toString('utf8', start, end - 1)) !== null) return end;
		end = start;
	}
	return 0;
}

async function cutTornEnd(files: FileLayer, segment: AuditSegment, log: Logger): Promise<AuditSegment> {
	return using(files, segment.path, async (file) => {
		const bytes = soundBytes(await file.read(0, segment.bytes));
		if (bytes === segment.bytes) return segment;
		await file.truncate(bytes);
		await file.datasync();
		log.warn('audit-torn-line', { path: segment.path, bytes: segment.bytes - bytes });
		return { ...segment, bytes };
	});
}

async function headOf(files: FileLayer, segments: readonly AuditSegment[]): Promise<ChainHead> {
	for (const segment of segments.toReversed()) {
		const last = (await readSegment(files, segment)).at(-1);
		if (last !== undefined) return { seq: last.line?.seq ?? segment.firstSeq, hash: lineHash(last.text) };
	}
	return CHAIN_START;
}

/** The segments of a folder, oldest first, with the end of the newest made whole, and the head of their chain. */
export async function openSegments(
	folder: string,
	files: FileLayer,
	log: Logger,
): Promise<{ readonly segments: readonly AuditSegment[]; readonly head: ChainHead }> {
	const segments = (await files.list(folder))
		.flatMap(({ name, bytes }) => {
			const first = NAME.exec(name)?.[1];
			return first === undefined ? [] : [{ path: join(folder, name), firstSeq: Number(first), bytes }];
		})
		.toSorted((one, other) => one.firstSeq - other.firstSeq);
	const newest = segments.pop();
	if (newest !== undefined) segments.push(await cutTornEnd(files, newest, log));
	return { segments, head: await headOf(files, segments) };
}
