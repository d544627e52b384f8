import { open } from 'node:fs/promises';

/**
 * The smallest durable thing: messages of any length behind each other in one file. One write and one fdatasync for all that wait; the next
 * group gathers meanwhile.
 */
export async function openRawLog(path: string) {
	const file = await open(path, 'w');
	let gathered: Uint8Array[] = [];
	let next: Promise<void> | null = null;
	let last = Promise.resolve();

	async function commit(): Promise<void> {
		const group = gathered;
		gathered = [];
		next = null;
		await file.writev(group);
		await file.datasync();
	}

	return {
		/** Resolves when the bytes are on disk. */
		append(bytes: Uint8Array): Promise<void> {
			gathered.push(bytes);
			next ??= last = last.then(commit);
			return next;
		},
		stop: () => file.close(),
	};
}
