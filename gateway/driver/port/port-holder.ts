import { readlinkSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

import type { PortHolder } from './serial-port.ts';

/** Processes looked at, at most; a gateway runs far fewer. */
const MOST_PROCESSES = 4096;

/** Descriptors looked at in one turn of the event loop: a fraction of a millisecond. */
const IN_A_TURN = 32;

/** A descriptor that leads to a device. */
interface Handle {
	readonly pid: string;
	readonly descriptor: string;
}

/** The file behind a descriptor; `''` when it is none of our business. */
function fileOf(link: string): string {
	try {
		return readlinkSync(link);
	} catch {
		// Processes end while we look, and those of other users may not be looked into.
		return '';
	}
}

/**
 * Descriptors of a process that lead to one of the devices. There are many thousands on a machine, and the kernel has them in memory:
 * each costs it microseconds, while a trip through the thread pool would cost ten times that, and keep the journal from its turn at the disk.
 */
async function handlesOf(
	proc: string,
	pid: string,
	devices: ReadonlySet<string>,
): Promise<readonly (readonly [string, Handle])[]> {
	const folder = join(proc, pid, 'fd');
	const descriptors = await readdir(folder).catch(() => []);
	const found: (readonly [string, Handle])[] = [];
	for (const [at, descriptor] of descriptors.entries()) {
		if (at % IN_A_TURN === IN_A_TURN - 1) await nextTurn();
		const file = fileOf(join(folder, descriptor));
		if (devices.has(file)) found.push([file, { pid, descriptor }]);
	}
	return found;
}

/**
 * Whether a lock was taken through this descriptor. The list of all locks, /proc/locks, is no way to know: each look at it waits until
 * all processors have come round (an RCU grace period), seconds on a busy machine.
 */
async function isLocker(proc: string, { pid, descriptor }: Handle): Promise<boolean> {
	const info = await readFile(join(proc, pid, 'fdinfo', descriptor), 'utf8').catch(() => '');
	return /^lock:/m.test(info);
}

/** Of several that have the device open, the one that has locked it. */
async function chosenOf(proc: string, handles: readonly Handle[]): Promise<Handle | null> {
	if (handles.length > 1) for (const handle of handles) if (await isLocker(proc, handle)) return handle;
	return handles[0] ?? null;
}

/**
 * Who has these device files open, as far as this process may know: first of all who locks one. Linux only.
 * @param devices real paths
 * @param proc folder of the processes
 */
export async function findHolders(devices: readonly string[], proc: string): Promise<ReadonlyMap<string, PortHolder>> {
	const holders = new Map<string, PortHolder>();
	if (devices.length === 0) return holders;
	const wanted = new Set(devices);
	const handles = new Map<string, Handle[]>();
	const entries = await readdir(proc).catch(() => []);
	const pids = entries.filter((entry) => /^\d+$/.test(entry)).slice(0, MOST_PROCESSES);
	for (const pid of pids) {
		for (const [device, handle] of await handlesOf(proc, pid, wanted)) {
			handles.set(device, [...(handles.get(device) ?? []), handle]);
		}
	}
	for (const [device, found] of handles) {
		const handle = await chosenOf(proc, found);
		if (handle === null) continue;
		const name = await readFile(join(proc, handle.pid, 'comm'), 'utf8').catch(() => 'unknown');
		holders.set(device, { pid: Number(handle.pid), name: name.trim() });
	}
	return holders;
}
