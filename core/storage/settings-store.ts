import { Low } from 'lowdb';

import { messageOf } from '../kernel/fault.ts';
import { createGate } from '../kernel/gate.ts';
import type { Logger } from '../kernel/log.ts';
import { diskFault } from './disk-fault.ts';
import { durableJsonFile } from './json-file.ts';
import { moveAside } from './move-aside.ts';

/** One small document that survives power cuts: claim state, keys, site, applied configuration. */
export interface SettingsStore<T extends object> {
	/** The document as it is on disk. */
	get(): Readonly<T>;
	/**
	 * Replaces the document by what `change` makes of it; changes happen one after the other. Resolves when it is on disk;
	 * rejects with Fault `unavailable` when the disk does not take it, and then the document is as before.
	 */
	update(change: (current: Readonly<T>) => T): Promise<Readonly<T>>;
}

/** Most changes that may wait for the disk. */
const MAX_WAITING = 256;

/** Opens or makes the document (mode 0600). A damaged file is moved aside and logged, and the defaults take its place. */
export async function openSettingsStore<T extends object>({
	path,
	defaults,
	log,
}: {
	readonly path: string;
	readonly defaults: T;
	readonly log: Logger;
}): Promise<SettingsStore<T>> {
	const document = new Low<T>(durableJsonFile<T>(path), defaults);
	const gate = createGate({ what: 'changes of settings', parallel: 1, waiting: MAX_WAITING });

	async function read(): Promise<void> {
		await document.read();
		if (typeof document.data !== 'object' || Array.isArray(document.data))
			throw new SyntaxError(`${path} holds no settings`);
		const whole = { ...defaults, ...document.data };
		for (const [key, value] of Object.entries(defaults))
			if (Array.isArray(value) && !Array.isArray(Reflect.get(whole, key)))
				throw new SyntaxError(`${path} holds no list of ${key}`);
		document.data = whole;
	}

	try {
		await read();
	} catch (error) {
		// What cannot be read for another reason (permission, I/O) must not be replaced.
		if (error instanceof Error && (error instanceof SyntaxError || error.cause instanceof SyntaxError)) {
			document.data = defaults;
			log.error('settings-lost', { path, reason: messageOf(error), movedTo: await moveAside(path) });
		} else throw error;
	}

	return {
		get: () => document.data,
		update: (change) =>
			gate.run(async () => {
				const before = document.data;
				document.data = change(before);
				try {
					await document.write();
				} catch (error) {
					document.data = before;
					throw diskFault(path, error);
				}
				return document.data;
			}),
	};
}
