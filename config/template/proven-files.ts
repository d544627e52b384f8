import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** Template files that were found sound when this program was built, each by `proofOf` its name and content. */
export type ProvenFiles = ReadonlySet<string>;

/** Every file is looked at. */
export const NONE_PROVEN: ProvenFiles = new Set();

/** What stands for a file and every byte of it: SHA-256. */
export const proofOf = (fileName: string, text: string): string => hash('sha256', `${fileName}\n${text}`);

/**
 * Reads the list that the build has made: one proof a line. A list that is missing or damaged proves the less, and the files are looked
 * at when they are read.
 */
export async function readProvenFiles(path: string): Promise<ProvenFiles> {
	try {
		return new Set((await readFile(path, 'utf8')).split('\n').filter((line) => line !== ''));
	} catch {
		return NONE_PROVEN;
	}
}
