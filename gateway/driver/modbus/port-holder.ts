import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
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

/** Who has the device open, as far as this process may know; `null` when nobody is seen. Linux only. */
export async function findPortHolder(path: string): Promise<PortHolder | null> {
	const device = await realpath(path).catch(() => path);
	const entries = await readdir('/proc').catch(() => []);
	const pids = entries.filter((entry) => /^\d+$/.test(entry)).slice(0, MOST_PROCESSES);
	for (const pid of pids) {
		if (!(await holds(pid, device))) continue;
		const name = await readFile(join('/proc', pid, 'comm'), 'utf8').catch(() => 'unknown');
		return { pid: Number(pid), name: name.trim() };
	}
	return null;
}
