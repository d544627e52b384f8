import { readdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Processes looked at, at most; a gateway runs far fewer. */
const MOST_PROCESSES = 4096;

export interface PortHolder {
	readonly pid: number;
	/** Command name, as the kernel knows it. */
	readonly name: string;
}

async function holds(pid: string, device: string): Promise<boolean> {
	const folder = join('/proc', pid, 'fd');
	// Processes end while we look, and those of other users may not be looked into.
	const descriptors = await readdir(folder).catch(() => []);
	const targets = await Promise.all(
		descriptors.map((descriptor) => readlink(join(folder, descriptor)).catch(() => '')),
	);
	return targets.includes(device);
}

/** Processes with an advisory lock on the device; one line of /proc/locks ends in `pid major:minor:inode start end`. */
async function lockers(device: string): Promise<readonly string[]> {
	const { ino } = await stat(device);
	const locks = await readFile('/proc/locks', 'utf8').catch(() => '');
	return [...locks.matchAll(/ (\d+) [\da-f]+:[\da-f]+:(\d+) /g)]
		.filter(([, , inode]) => Number(inode) === ino)
		.map(([, pid]) => pid ?? '');
}

/**
 * Who has the device open, as far as this process may know: first of all who locks it. `null` when nobody is seen.
 * Linux only.
 */
export async function findPortHolder(path: string): Promise<PortHolder | null> {
	const device = await realpath(path);
	const entries = await readdir('/proc').catch(() => []);
	const pids = entries.filter((entry) => /^\d+$/.test(entry)).slice(0, MOST_PROCESSES);
	for (const pid of new Set([...(await lockers(device)), ...pids])) {
		if (!(await holds(pid, device))) continue;
		const name = await readFile(join('/proc', pid, 'comm'), 'utf8').catch(() => 'unknown');
		return { pid: Number(pid), name: name.trim() };
	}
	return null;
}
