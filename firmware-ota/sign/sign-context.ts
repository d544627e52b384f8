import { readFile } from 'node:fs/promises';

import type { Clock } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { type NamedKey, type OpenKey, openKey, readPublic, readSealed } from './key-file.ts';
import type { Passphrases } from './passphrase.ts';

/** What a command has of the world. */
export interface SignContext {
	readonly say: (line: string) => void;
	readonly passphrases: Passphrases;
	readonly clock: Clock;
	/** Cost of a guess at the passphrase of a new key. */
	readonly scryptN: number;
}

/** @throws Fault `not-found` */
export function readInput(path: string): Promise<string> {
	return readFile(path, 'utf8').catch((error: unknown) => {
		throw new Fault('not-found', `${path} cannot be read`, { cause: error });
	});
}

export const readPublicKeys = (paths: readonly string[]): Promise<readonly NamedKey[]> =>
	Promise.all(paths.map(async (path) => readPublic(await readInput(path), path)));

/** Asks for the passphrase of a key and opens it. */
export async function unlock({ passphrases }: SignContext, path: string): Promise<OpenKey> {
	const sealed = readSealed(await readInput(path), path);
	return openKey(sealed, await passphrases.ask(`key of ${sealed.name}`));
}

/** One after the other: a person is asked for one passphrase at a time. */
export async function unlockAll(context: SignContext, paths: readonly string[]): Promise<readonly OpenKey[]> {
	const keys: OpenKey[] = [];
	for (const path of paths) keys.push(await unlock(context, path));
	return keys;
}
