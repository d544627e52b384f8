import { inflateRawSync } from 'node:zlib';

/** Most files of an archive. */
const MAX_ENTRIES = 500;
/** Most bytes of one file, unpacked. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
/** Most bytes of all files that are read, unpacked. */
const MAX_ALL_BYTES = 32 * 1024 * 1024;

const END_SIGNATURE = 0x0605_4b50;
const ENTRY_SIGNATURE = 0x0201_4b50;
const LOCAL_SIGNATURE = 0x0403_4b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const MAX_COMMENT = 0xffff;
const STORED = 0;
const DEFLATED = 8;
/** Encrypted, or of a newer form than is read here. */
const UNREAD_FLAGS = 0x0001 | 0x0040 | 0x2000;

/** An archive that is damaged, or more than is read. The message is a rule. */
export class ZipFault extends Error {
	override readonly name = 'ZipFault';
}

interface Entry {
	readonly method: number;
	readonly packedBytes: number;
	readonly bytes: number;
	readonly offset: number;
}

/** Files of an archive by name, each unpacked when it is asked for. */
export interface ZipFiles {
	readonly names: readonly string[];
	/** `null`: the archive has no such file. @throws ZipFault */
	read(name: string): Buffer | null;
}

function endOf(data: Buffer): number {
	const first = Math.max(0, data.length - END_BYTES - MAX_COMMENT);
	for (let at = data.length - END_BYTES; at >= first; at--) if (data.readUInt32LE(at) === END_SIGNATURE) return at;
	throw new ZipFault('must be a workbook (.xlsx): it has no list of contents');
}

function entriesOf(data: Buffer): ReadonlyMap<string, Entry> {
	const end = endOf(data);
	const count = data.readUInt16LE(end + 10);
	if (count > MAX_ENTRIES) throw new ZipFault(`a workbook has at most ${MAX_ENTRIES} files; found ${count}`);
	const entries = new Map<string, Entry>();
	let at = data.readUInt32LE(end + 16);
	for (let index = 0; index < count; index++) {
		if (at + ENTRY_BYTES > data.length || data.readUInt32LE(at) !== ENTRY_SIGNATURE)
			throw new ZipFault('must be a workbook (.xlsx): its list of contents is damaged');
		const nameBytes = data.readUInt16LE(at + 28);
		const name = data.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes);
		if ((data.readUInt16LE(at + 8) & UNREAD_FLAGS) !== 0) throw new ZipFault('must not be encrypted');
		entries.set(name, {
			method: data.readUInt16LE(at + 10),
			packedBytes: data.readUInt32LE(at + 20),
			bytes: data.readUInt32LE(at + 24),
			offset: data.readUInt32LE(at + 42),
		});
		at += ENTRY_BYTES + nameBytes + data.readUInt16LE(at + 30) + data.readUInt16LE(at + 32);
	}
	return entries;
}

/** The bytes of an entry as they are packed. */
function packedOf(data: Buffer, { offset, packedBytes }: Entry): Buffer {
	if (offset + LOCAL_BYTES > data.length || data.readUInt32LE(offset) !== LOCAL_SIGNATURE)
		throw new ZipFault('must be a workbook (.xlsx): a file in it is damaged');
	const start = offset + LOCAL_BYTES + data.readUInt16LE(offset + 26) + data.readUInt16LE(offset + 28);
	if (start + packedBytes > data.length) throw new ZipFault('must be a workbook (.xlsx): it breaks off');
	return data.subarray(start, start + packedBytes);
}

/**
 * The files of a ZIP archive (APPNOTE 6.3.3, without ZIP64 and encryption). What would unpack to more than a workbook needs is refused
 * before it takes the memory, whatever the archive says of its sizes.
 * @throws ZipFault
 */
export function zipFiles(data: Buffer): ZipFiles {
	if (data.length < END_BYTES) throw new ZipFault('must be a workbook (.xlsx): it is too short');
	const entries = entriesOf(data);
	let left = MAX_ALL_BYTES;

	function unpacked(entry: Entry): Buffer {
		const most = Math.min(MAX_FILE_BYTES, left);
		const tooMuch = `a file in it unpacks to more than ${most} bytes`;
		if (entry.bytes > most) throw new ZipFault(tooMuch);
		const packed = packedOf(data, entry);
		if (entry.method === STORED) return packed;
		if (entry.method !== DEFLATED)
			throw new ZipFault(`files in it are packed by method ${entry.method}, which is not read`);
		try {
			return inflateRawSync(packed, { maxOutputLength: Math.max(1, Math.min(most, entry.bytes)) });
		} catch (error) {
			const isTooMuch = error instanceof RangeError;
			throw new ZipFault(isTooMuch ? 'a file in it unpacks to more than it says' : 'a file in it is damaged');
		}
	}

	return {
		names: [...entries.keys()],
		read(name) {
			const entry = entries.get(name);
			if (entry === undefined) return null;
			const found = unpacked(entry);
			left -= found.length;
			return found;
		},
	};
}
