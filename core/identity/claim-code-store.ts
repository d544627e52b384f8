import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

import { syncFolder, writeFileDurably } from '../storage/json-file.ts';
import { type ClaimCode, isClaimCode, isSameClaimCode, newClaimCode } from './claim-code.ts';

async function readCode(path: string): Promise<string | null> {
	try {
		const text = (await readFile(path, 'utf8')).trim();
		return isClaimCode(text) ? text : null;
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
		throw error;
	}
}

/**
 * The code in its file (mode 0600). Made when there is none and the box is not claimed; a left-over of a claimed box is deleted.
 */
export async function openClaimCode({
	path,
	isClaimed,
}: {
	readonly path: string;
	readonly isClaimed: boolean;
}): Promise<ClaimCode> {
	let code: string | null = null;

	async function consume(): Promise<void> {
		code = null;
		await rm(path, { force: true });
		await syncFolder(dirname(path));
	}

	if (isClaimed) {
		if ((await readCode(path)) !== null) await consume();
	} else {
		code = await readCode(path);
		if (code === null) await writeFileDurably(path, `${(code = newClaimCode())}\n`, 0o600);
	}

	return {
		current: () => code,
		matches: (text) => isSameClaimCode(text, code ?? '') && code !== null,
		consume,
	};
}
