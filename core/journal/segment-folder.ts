import { randomInt } from 'node:crypto';
import { join } from 'node:path';

import { Fault } from '../kernel/fault.ts';
import type { FileLayer, JournalFile } from './file-layer.ts';
import { newSegment, type Segment, segmentName } from './segment.ts';
import { encodeSegmentHeader, FRAMES_START } from './segment-format.ts';
import { withFile } from './segment-walk.ts';

const ZEROS = Buffer.alloc(1024 * 1024);
const SPARE_NAME = /^spare-\d+\.zero$/;
/** Files kept for the next segment; more would only hold space. */
const MAX_SPARES = 1;

/** What keeps the journal from another file: its own `quota`, or the `floor` of free space that others have reached. */
export type NoRoom = 'quota' | 'floor';

export interface SegmentFolderDeps {
	readonly files: FileLayer;
	readonly folder: string;
	readonly segmentBytes: number;
	/** Most bytes of all files together. */
	readonly maxBytes: number;
	/** Bytes of the file system that are left to others. */
	readonly minFreeBytes: number;
	/** Gives up the oldest closed segment for its space; `false` when none may go. Its file goes back with `release`. */
	readonly giveUpOldest: (because: NoRoom) => Promise<boolean>;
}

/**
 * The files behind the segments: filled with zeros once and written in place ever after, so that the flush of a commit has no
 * file size or block map to write. A released file serves the next segment.
 */
export function createSegmentFolder(deps: SegmentFolderDeps) {
	const { files, folder, segmentBytes, maxBytes, minFreeBytes, giveUpOldest } = deps;
	const spares: { readonly path: string; readonly bytes: number }[] = [];
	let usedBytes = 0;
	let nextSpare = 1;

	const sparePath = (): string => join(folder, `spare-${nextSpare++}.zero`);

	/** Takes over what start-up found: segments count, one spare stays, others go. */
	async function adopt(found: readonly { readonly name: string; readonly bytes: number }[]): Promise<void> {
		for (const { name, bytes } of found) {
			const isSpare = SPARE_NAME.test(name);
			if (!isSpare) {
				if (name.endsWith('.segment')) usedBytes += bytes;
				continue;
			}
			const path = join(folder, name);
			nextSpare = Math.max(nextSpare, Number(name.replaceAll(/\D/g, '')) + 1);
			if (bytes === segmentBytes && spares.length < MAX_SPARES) {
				spares.push({ path, bytes });
				usedBytes += bytes;
			} else await files.remove(path);
		}
	}

	async function removeSpare(): Promise<boolean> {
		const spare = spares.pop();
		if (spare === undefined) return false;
		await files.remove(spare.path);
		usedBytes -= spare.bytes;
		return true;
	}

	async function makeSpare(): Promise<void> {
		const path = sparePath();
		const file = await files.create(path);
		try {
			for (let at = 0; at < segmentBytes; at += ZEROS.length) {
				await file.write(at, ZEROS.subarray(0, Math.min(ZEROS.length, segmentBytes - at)));
			}
			await file.datasync();
		} catch (error) {
			await file.close();
			await files.remove(path);
			throw error;
		}
		await file.close();
		spares.push({ path, bytes: segmentBytes });
		usedBytes += segmentBytes;
	}

	/** Why there is no room for another file; `null`: there is. The floor protects the rest of the box: what is taken must leave so much. */
	async function lacking(): Promise<NoRoom | null> {
		if (usedBytes + segmentBytes > maxBytes) return 'quota';
		return (await files.freeBytes(folder)) - segmentBytes >= minFreeBytes ? null : 'floor';
	}

	async function ensureSpare(): Promise<void> {
		while (spares.length === 0) {
			const because = await lacking();
			if (because === null) await makeSpare();
			else if (!(await giveUpOldest(because))) {
				throw new Fault('unavailable', 'the journal has no room: its quota or the free space of the disk is used up');
			}
		}
	}

	/** While others fill the disk, the journal gives back what it can. */
	async function respectFloor(): Promise<void> {
		while ((await files.freeBytes(folder)) < minFreeBytes) {
			if (spares.length > 0) await removeSpare();
			else if (!(await giveUpOldest('floor'))) return;
		}
		while (usedBytes > maxBytes) {
			if (spares.length > 0) await removeSpare();
			else if (!(await giveUpOldest('quota'))) return;
		}
	}

	/** Begins a segment: its header and its name are durable when this resolves. */
	async function begin(segment: number, epoch: number): Promise<{ segment: Segment; file: JournalFile }> {
		await respectFloor();
		await ensureSpare();
		const spare = spares.at(-1);
		if (spare === undefined) throw new Fault('unavailable', 'the journal has no file for its next segment');
		const header = { segment, epoch, nonce: randomInt(2 ** 32) };
		const file = await files.openDurable(spare.path);
		try {
			const page = Buffer.alloc(FRAMES_START);
			page.set(encodeSegmentHeader(header));
			await file.write(0, page);
			const path = join(folder, segmentName(segment));
			await files.rename(spare.path, path);
			spares.pop();
			await files.syncFolder(folder);
			return { segment: newSegment(header, path, spare.bytes), file };
		} catch (error) {
			await file.close();
			throw error;
		}
	}

	/** Takes the file of a segment that nobody needs. */
	async function release({ path, bytes }: Pick<Segment, 'path' | 'bytes'>): Promise<void> {
		if (bytes === segmentBytes && spares.length < MAX_SPARES) {
			const spare = sparePath();
			await files.rename(path, spare);
			spares.push({ path: spare, bytes });
			return;
		}
		await files.remove(path);
		usedBytes -= bytes;
	}

	/**
	 * Gives the unused part of a closed segment back, when that is more than half of the file. For segments that will be kept: a file
	 * that soon serves again is worth more whole, because filling it with zeros wears the card.
	 */
	async function shrink(segment: Segment): Promise<void> {
		if (segment.end > segment.bytes / 2) return;
		await withFile(files, segment.path, (file) => file.truncate(segment.end));
		usedBytes -= segment.bytes - segment.end;
		segment.bytes = segment.end;
	}

	return { adopt, begin, release, shrink, usedBytes: () => usedBytes };
}
