import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Stoppable } from '../../core/kernel/lifecycle.ts';

/** Two pseudo-terminals joined like a cable. */
export interface PtyPair extends Stoppable {
	/** Symbolic link to the end of the slave. */
	readonly slavePath: string;
	/** Symbolic link to the end of the master. */
	readonly masterPath: string;
	/** Process id of socat, for those who must end it in its owner's stead. */
	readonly pid: number;
}

const READY_POLL_MS = 10;
const READY_WITHIN_MS = 3_000;

/** Address of one end in the words of socat. */
const end = (path: string): string => `pty,raw,echo=0,mode=0600,link=${path}`;

/**
 * Lets socat make the pair; only this user may open its ends.
 * @returns null when socat is not installed.
 * @throws Error when socat does not come up.
 */
export async function startPtyPair(folder: string, name: string): Promise<PtyPair | null> {
	const slavePath = join(folder, `${name}-slave`);
	const masterPath = join(folder, `${name}-master`);
	for (const path of [slavePath, masterPath]) rmSync(path, { force: true });
	const socat = spawn('socat', [end(slavePath), end(masterPath)], { stdio: 'ignore' });
	let hasEnded = false;
	const ended = new Promise<void>((resolve) => {
		for (const event of ['error', 'exit'] as const) {
			socat.once(event, () => {
				hasEnded = true;
				resolve();
			});
		}
	});

	async function stop(): Promise<void> {
		if (!hasEnded) socat.kill('SIGKILL');
		await ended;
		for (const path of [slavePath, masterPath]) rmSync(path, { force: true });
	}

	for (let waitedMs = 0; !(existsSync(slavePath) && existsSync(masterPath)); waitedMs += READY_POLL_MS) {
		if (socat.pid === undefined) return null;
		if (hasEnded || waitedMs > READY_WITHIN_MS) {
			await stop();
			throw new Error(`socat made no pair of pseudo-terminals in ${folder}`);
		}
		await sleep(READY_POLL_MS);
	}
	return { slavePath, masterPath, pid: socat.pid ?? 0, stop };
}
