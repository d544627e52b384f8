import { existsSync } from 'node:fs';

import leveldown from 'leveldown';

import { messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';
import { isDamage } from './disk-fault.ts';
import { moveAside } from './move-aside.ts';

function settle(start: (done: (error?: Error | null) => void) => void): Promise<void> {
	return new Promise((resolve, reject) => {
		start((error) => {
			if (error === undefined || error === null) resolve();
			else reject(error);
		});
	});
}

/** Why the store cannot be opened; `null` when it can. */
async function faultOf(folder: string): Promise<string | null> {
	const store = leveldown(folder);
	try {
		await settle((done) => store.open({ createIfMissing: false }, done));
		await settle((done) => store.close(done));
		return null;
	} catch (error) {
		return messageOf(error);
	}
}

async function repair(folder: string): Promise<string | null> {
	try {
		await settle((done) => leveldown.repair(folder, done));
	} catch (error) {
		return messageOf(error);
	}
	return faultOf(folder);
}

/**
 * To be called before a document database is opened: one that a power cut or a bad card has damaged is repaired with what can be saved of it,
 * or else put aside as `.damaged-<n>`, so that a new one takes its place. Either is logged as an error. A full disk is no damage: the
 * database is left as it is, and whoever opens it hears why that fails.
 */
export async function ensureSound(folder: string, log: Logger): Promise<void> {
	if (!existsSync(folder)) return;
	const reason = await faultOf(folder);
	if (reason === null || !isDamage(reason)) return;
	const stillWrong = await repair(folder);
	if (stillWrong === null) {
		log.error('database-repaired', { path: folder, reason });
		return;
	}
	// Repairing needs room, which is no reason to give up what is there.
	if (!isDamage(stillWrong)) return;
	const movedTo = await moveAside(folder);
	log.error('database-lost', { path: folder, reason: `${reason}; repair: ${stillWrong}`, movedTo });
}
