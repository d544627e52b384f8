import { join } from 'node:path';

import type { FileLayer } from '../journal/file-layer.ts';

const NAME = 'files.json';

/** Names of the files that hold something durable, so that one that is gone or wiped is missed. */
export interface RollupManifest {
	/** It could not be read: nobody knows which files were there. */
	readonly isDamaged: boolean;
	readonly keys: () => readonly string[];
	readonly has: (key: string) => boolean;
	/** Durable when it resolves. */
	readonly add: (key: string) => Promise<void>;
	readonly remove: (key: string) => Promise<void>;
}

function parse(text: string | null): readonly string[] | null {
	try {
		const keys: unknown = JSON.parse(text ?? '');
		return Array.isArray(keys) && keys.every((key) => typeof key === 'string') ? keys : null;
	} catch {
		return null;
	}
}

export async function openManifest(files: FileLayer, folder: string): Promise<RollupManifest> {
	const path = join(folder, NAME);
	const found = parse(await files.readText(path));
	const keys = new Set(found ?? []);
	const save = (): Promise<void> => files.writeText(path, `${JSON.stringify([...keys].toSorted())}\n`);

	return {
		isDamaged: found === null,
		keys: () => [...keys],
		has: (key) => keys.has(key),
		async add(key) {
			if (keys.has(key)) return;
			keys.add(key);
			await save();
		},
		async remove(key) {
			if (keys.delete(key)) await save();
		},
	};
}
