import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { PortHolder } from './serial-port.ts';

/** Processes looked at, at most; a gateway runs far fewer. */
const MOST_PROCESSES = 4096;

/** Descriptors looked at together: a machine has many thousands, and the journal has to get its turn at the disk meanwhile. */
const TOGETHER = 4;

/** Files that a process has open. Processes end while we look, and those of other users may not be looked into. */
async function filesOf(folder: string): Promise<ReadonlySet<string>> {
	const descriptors = await readdir(folder).catch(() => []);
	const files = new Set<string>();
	for (let at = 0; at < descriptors.length; at += TOGETHER) {
		const some = descriptors.slice(at, at + TOGETHER);
		const links = await Promise.all(some.map((descriptor) => readlink(join(folder, descriptor)).catch(() => '')));
		for (const link of links) files.add(link);
	}
	return files;
}

/** Processes with an advisory lock on a file, by its inode; a line of /proc/locks ends in `pid major:minor:inode start end`. */
async function lockersByInode(proc: string): Promise<ReadonlyMap<number, string>> {
	const locks = await readFile(join(proc, 'locks'), 'utf8').catch(() => '');
	const found = [...locks.matchAll(/ (\d+) [\da-f]+:[\da-f]+:(\d+) /g)];
	return new Map(found.map(([, pid, inode]) => [Number(inode), pid ?? '']));
}

/**
 * Who has these device files open, as far as this process may know: first of all who locks one. Linux only.
 * @param devices real paths
 * @param proc folder of the processes
 */
export async function findHolders(devices: readonly string[], proc: string): Promise<ReadonlyMap<string, PortHolder>> {
	const holders = new Map<string, PortHolder>();
	if (devices.length === 0) return holders;
	const lockers = await lockersByInode(proc);
	const locked = new Map<string, string>();
	for (const device of devices) {
		const inode = await stat(device).then(
			({ ino }) => ino,
			() => -1,
		);
		const pid = lockers.get(inode);
		if (pid !== undefined) locked.set(device, pid);
	}
	const entries = await readdir(proc).catch(() => []);
	const pids = entries.filter((entry) => /^\d+$/.test(entry)).slice(0, MOST_PROCESSES);
	for (const pid of pids) {
		const files = await filesOf(join(proc, pid, 'fd'));
		for (const device of devices) {
			if (!files.has(device) || (holders.has(device) && locked.get(device) !== pid)) continue;
			const name = await readFile(join(proc, pid, 'comm'), 'utf8').catch(() => 'unknown');
			holders.set(device, { pid: Number(pid), name: name.trim() });
		}
	}
	return holders;
}
