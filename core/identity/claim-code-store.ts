import { chown, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { type Clock, systemClock } from '../kernel/clock.ts';
import { readTextIfThere, syncFolder, writeFileDurably } from '../storage/json-file.ts';
import {
	type ClaimCode,
	isClaimCode,
	isSameClaimCode,
	matchesResetRecord,
	newClaimCode,
	resetRecord,
} from './claim-code.ts';

const readText = async (path: string): Promise<string> => (await readTextIfThere(path))?.trim() ?? '';

async function readCode(path: string): Promise<string | null> {
	const text = await readText(path);
	return isClaimCode(text) ? text : null;
}

const RESET_FILE = 'claim-code-reset';

/**
 * Makes a code that claims the box of this data folder once more, also while it runs; it replaces an earlier one. The file (mode 0600,
 * of the folder's owner) keeps its hash only. @throws when the folder is not there or may not be written
 */
export async function makeResetCode(folder: string, clock: Clock): Promise<string> {
	const { uid, gid } = await stat(folder);
	const path = join(folder, RESET_FILE);
	const code = newClaimCode();
	await writeFileDurably(path, resetRecord(code, clock.now()));
	// An administrator of the machine may run this, while the service has a user of its own.
	await chown(path, uid, gid);
	return code;
}

/**
 * The code in its file (mode 0600). Made when there is none and the box is not claimed; a left-over of a claimed box is deleted.
 */
export async function openClaimCode({
	path,
	isClaimed,
	clock = systemClock,
}: {
	readonly path: string;
	readonly isClaimed: boolean;
	readonly clock?: Clock;
}): Promise<ClaimCode> {
	const resetPath = join(dirname(path), RESET_FILE);
	let code: string | null = null;

	async function consume(): Promise<void> {
		code = null;
		await rm(path, { force: true });
		await rm(resetPath, { force: true });
		await syncFolder(dirname(path));
	}

	if (isClaimed) {
		await rm(path, { force: true });
	} else {
		code = await readCode(path);
		if (code === null) await writeFileDurably(path, `${(code = newClaimCode())}\n`, 0o600);
	}

	return {
		current: () => code,
		matches: (text) => isSameClaimCode(text, code ?? '') && code !== null,
		matchesReset: async (text) => matchesResetRecord(await readText(resetPath), text, clock.now()),
		consume,
	};
}
