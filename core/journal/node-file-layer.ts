import { constants, write } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';

import { syncFolder, writeFileDurably } from '../storage/json-file.ts';
import { byteView } from './byte-view.ts';
import type { FileLayer, JournalFile } from './file-layer.ts';

/** HOT: without the promises of `FileHandle`, which cost more than the call. Answers how much was written. */
const writeAt = (fd: number, view: Uint8Array, from: number, position: number): Promise<number> =>
	new Promise((resolve, reject) => {
		write(fd, view, from, view.length - from, position, (error, written) => {
			if (error === null) resolve(written);
			else reject(error);
		});
	});

function journalFile(handle: FileHandle): JournalFile {
	return {
		async read(position, length) {
			const buffer = Buffer.allocUnsafe(length);
			let filled = 0;
			while (filled < length) {
				const { bytesRead } = await handle.read(byteView(buffer), filled, length - filled, position + filled);
				if (bytesRead === 0) break;
				filled += bytesRead;
			}
			return buffer.subarray(0, filled);
		},
		async write(position, bytes) {
			const view = byteView(bytes);
			let done = 0;
			while (done < view.length) done += await writeAt(handle.fd, view, done, position + done);
		},
		datasync: () => handle.datasync(),
		truncate: (bytes) => handle.truncate(bytes),
		close: () => handle.close(),
	};
}

/** The real file system. */
export const nodeFileLayer: FileLayer = {
	async list(folder) {
		await mkdir(folder, { recursive: true, mode: 0o700 });
		const entries = await readdir(folder, { withFileTypes: true });
		const files = entries.filter((entry) => entry.isFile());
		return Promise.all(files.map(async ({ name }) => ({ name, bytes: (await stat(join(folder, name))).size })));
	},
	open: async (path) => journalFile(await open(path, 'r+')),
	openDurable: async (path) => journalFile(await open(path, constants.O_RDWR | constants.O_DSYNC)),
	create: async (path) => journalFile(await open(path, 'w+', 0o600)),
	rename,
	remove: (path) => rm(path, { force: true }),
	syncFolder,
	async freeBytes(folder) {
		const { bavail, bsize } = await statfs(folder);
		return bavail * bsize;
	},
	readText: (path) => readFile(path, 'utf8').catch(() => null),
	writeText: (path, text) => writeFileDurably(path, text),
};
