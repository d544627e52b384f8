import { join } from 'node:path';

import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';
import type { FileLayer } from './file-layer.ts';

export interface EpochDeps {
	readonly files: FileLayer;
	readonly folder: string;
	readonly clock: Clock;
	readonly log: Logger;
	/** Highest epoch that the segments name; 0 when there is none. */
	readonly highestSeen: number;
}

const DIGITS = /^\d{1,15}$/;

/**
 * The number of this boot, written before it is used: the wall clock in seconds, and more than the highest that the epoch file or a segment
 * names. A folder that was lost or put back to an older copy, or a disk that is full, does not hand out an old number again (unless the
 * clock was set back by more than the folder's life).
 */
export async function nextEpoch({ files, folder, clock, log, highestSeen }: EpochDeps): Promise<number> {
	const path = join(folder, 'epoch');
	const text = (await files.readText(path))?.trim() ?? '';
	const known = Math.max(highestSeen, DIGITS.test(text) ? Number(text) : 0);
	const wallSeconds = Math.max(1, Math.floor(clock.now() / 1000));
	const epoch = Math.max(known + 1, wallSeconds);
	try {
		await files.writeText(path, `${epoch}\n`);
	} catch (error) {
		log.error('journal-epoch-not-written', { reason: messageOf(error) });
	}
	return epoch;
}
