import type { FileLayer, JournalFile } from '../journal/file-layer.ts';

/** What file systems write at least; a change of fewer bytes writes a whole one. */
const BLOCK_BYTES = 4096;
/** A new, renamed or resized file: its inode, its folder, and both once more in the journal of the file system. */
const METADATA_BYTES = 4 * BLOCK_BYTES;

/** Bytes of the blocks that `[position, position + length)` touches. */
export function blockBytes(position: number, length: number): number {
	if (length === 0) return 0;
	return (Math.floor((position + length - 1) / BLOCK_BYTES) - Math.floor(position / BLOCK_BYTES) + 1) * BLOCK_BYTES;
}

/**
 * The same files, with an estimate of what their writes make the file system write: whole blocks, and those of names and sizes. It counts
 * each write as if it were flushed by itself, which is true of the journal and too much for writes that share a flush.
 */
export function meteredFiles(files: FileLayer, written: (bytes: number) => void): FileLayer {
	const metered = (file: JournalFile): JournalFile => ({
		...file,
		write(position, bytes) {
			written(blockBytes(position, bytes.length));
			return file.write(position, bytes);
		},
		truncate(bytes) {
			written(METADATA_BYTES);
			return file.truncate(bytes);
		},
	});
	return {
		...files,
		open: async (path) => metered(await files.open(path)),
		openDurable: async (path) => metered(await files.openDurable(path)),
		async create(path) {
			written(METADATA_BYTES);
			return metered(await files.create(path));
		},
		rename(from, to) {
			written(METADATA_BYTES);
			return files.rename(from, to);
		},
		remove(path) {
			written(METADATA_BYTES);
			return files.remove(path);
		},
		writeText(path, text) {
			written(METADATA_BYTES + blockBytes(0, Buffer.byteLength(text)));
			return files.writeText(path, text);
		},
	};
}
