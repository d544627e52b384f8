import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

import type { MetadataSource, TargetSource } from './metadata-source.ts';
import { refused, TrustFault } from './trust-fault.ts';

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** Metadata on a stick, or in a folder that was unpacked: the same rules, but for the time it may take. */
export const createFolderMetadataSource = (folder: string): MetadataSource => ({
	name: folder,
	async file(name, { mostBytes }) {
		try {
			const handle = await open(join(folder, name), 'r');
			try {
				// One byte more than agreed tells too much from just enough; the file's own size may be anything.
				const buffer = new Uint8Array(mostBytes + 1);
				let filled = 0;
				for (;;) {
					const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, filled);
					filled += bytesRead;
					if (bytesRead === 0 || filled > mostBytes) break;
				}
				if (filled > mostBytes) throw new TrustFault('too-large', `${name}: it has more than ${mostBytes} bytes`);
				return buffer.subarray(0, filled);
			} finally {
				await handle.close();
			}
		} catch (error) {
			if (isMissing(error)) return null;
			throw error instanceof TrustFault ? error : refused('unreachable', name, error);
		}
	},
});

/** Targets beside it. */
export const createFolderTargetSource = (folder: string): TargetSource => ({
	name: folder,
	async open(name, { fromByte, signal }) {
		const stream = createReadStream(join(folder, name), { start: fromByte, signal });
		try {
			await new Promise<void>((resolve, reject) => {
				stream.once('open', () => resolve());
				stream.once('error', reject);
			});
		} catch (error) {
			throw refused(isMissing(error) ? 'missing' : 'unreachable', name, error);
		}
		return { fromByte, chunks: stream };
	},
});
