import { join } from 'node:path';

import { createByteReader } from '../journal/byte-reader.ts';
import { createByteWriter } from '../journal/byte-writer.ts';
import type { FileLayer, JournalFile } from '../journal/file-layer.ts';
import type { DeviceId } from '../kernel/id.ts';
import { encodeFrame, END_MARK, walkFrames } from './rollup-frame.ts';
import { DAY_MS } from './rollup-level.ts';
import { uuidBytes, uuidText } from './rollup-record.ts';

const UUID_BYTES = 16;
/** A log this long is written anew when most of it has been taken back. */
const MIN_BYTES_TO_REWRITE = 256 * 1024;
const ENTRY_BYTES = 24;

/** Hours of one device's day: bit n is the hour n, UTC. */
export interface DayHours {
	readonly device: DeviceId;
	/** First instant of the day, UTC. */
	readonly day: number;
	readonly hours: number;
}

/** A durable list of hours whose rollups are not to be trusted: additions and removals in their order. */
export interface DirtyLog {
	/** Durable when it resolves. */
	add(days: readonly DayHours[]): Promise<void>;
	/** Durable some time later: what is still in the list is only summed up once more. */
	remove(days: readonly DayHours[]): Promise<void>;
	close(): Promise<void>;
}

export interface DirtyLogDeps {
	readonly files: FileLayer;
	readonly folder: string;
	/** Name of the file. */
	readonly name: string;
	/** Everything in the list, for a log that has grown too long. */
	readonly all: () => readonly DayHours[];
	/** Called for each entry that is found, in order. */
	readonly found: (entry: DayHours, isAdded: boolean) => void;
}

export interface OpenedDirtyLog {
	readonly log: DirtyLog;
	readonly isNew: boolean;
	/** Bytes within the log that could not be read. */
	readonly damagedBytes: number;
}

function encode(days: readonly DayHours[], isAdded: boolean): Buffer {
	const writer = createByteWriter(16 + days.length * ENTRY_BYTES);
	writer.u8(isAdded ? 1 : 0);
	writer.varint(days.length);
	for (const { device, day, hours } of days) {
		writer.raw(uuidBytes(device));
		writer.signed(day / DAY_MS);
		writer.varint(hours);
	}
	return encodeFrame(writer.bytes());
}

function decode(body: Buffer, found: DirtyLogDeps['found']): void {
	const reader = createByteReader(body);
	const isAdded = reader.u8() === 1;
	for (let left = reader.count(UUID_BYTES + 2); left > 0; left -= 1) {
		const device = uuidText(reader.raw(UUID_BYTES));
		found({ device, day: reader.signed() * DAY_MS, hours: reader.varint() }, isAdded);
	}
}

/** Calls come one after the other. */
export async function openDirtyLog({ files, folder, name, all, found }: DirtyLogDeps): Promise<OpenedDirtyLog> {
	const path = join(folder, name);
	const names = (await files.list(folder)).map((file) => file.name);
	const isNew = !names.includes(name);
	let file: JournalFile = isNew ? await files.create(path) : await files.open(path);
	let unknownBytes = 0;
	const walk = await walkFrames(file, ({ body, bytes }) => {
		try {
			decode(body, found);
		} catch {
			// Sound, but not of this version of the format.
			unknownBytes += bytes;
		}
	});
	let { end } = walk;
	if (walk.tornBytes > 0) await file.truncate(end);
	if (isNew) await files.syncFolder(folder);

	async function append(frame: Buffer): Promise<void> {
		await file.write(end, frame);
		end += frame.length;
	}

	async function rewrite(): Promise<void> {
		const copy = await files.create(`${path}.tmp`);
		const frame = encode(all(), true);
		await copy.write(0, frame);
		await copy.datasync();
		await files.rename(`${path}.tmp`, path);
		await files.syncFolder(folder);
		const old = file;
		file = copy;
		end = frame.length;
		await old.close();
	}

	return {
		isNew,
		damagedBytes: walk.damagedBytes + unknownBytes,
		log: {
			async add(days) {
				await append(encode(days, true));
				await file.datasync();
				await append(END_MARK);
			},
			async remove(days) {
				await append(encode(days, false));
				if (end > MIN_BYTES_TO_REWRITE && end > 4 * ENTRY_BYTES * all().length) await rewrite();
			},
			async close() {
				await file.datasync();
				await file.close();
			},
		},
	};
}
