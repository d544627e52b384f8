import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { findHolders } from '../../gateway/driver/port/port-holder.ts';

const PORT = '/dev/ttyUSB0';

interface FakeProcess {
	readonly pid: number;
	readonly name: string;
	/** Files by descriptor. */
	readonly files: readonly string[];
	/** The descriptor through which a lock was taken. */
	readonly locked?: number;
}

/** A folder of processes as the kernel shows it (proc(5): fd, fdinfo, comm). */
async function procOf(t: ExecutionContext, processes: readonly FakeProcess[]): Promise<string> {
	const proc = await mkdtemp(join(tmpdir(), 'drawbridge-proc-'));
	t.teardown(() => rm(proc, { recursive: true, force: true }));
	for (const { pid, name, files, locked } of processes) {
		const folder = join(proc, String(pid));
		for (const part of ['fd', 'fdinfo']) await mkdir(join(folder, part), { recursive: true });
		await writeFile(join(folder, 'comm'), `${name}\n`);
		for (const [descriptor, file] of files.entries()) {
			await symlink(file, join(folder, 'fd', String(descriptor)));
			const lock = locked === descriptor ? 'lock:\t1: FLOCK  ADVISORY  WRITE 7 00:05:92 0 EOF\n' : '';
			await writeFile(join(folder, 'fdinfo', String(descriptor)), `pos:\t0\nflags:\t02\n${lock}`);
		}
	}
	return proc;
}

test('who has a port open is told by pid and name, and nobody for a port that nobody has', async (t) => {
	const many = Array.from({ length: 100 }, (_, index) => `/tmp/file-${index}`);
	const proc = await procOf(t, [
		{ pid: 7, name: 'other', files: many },
		{ pid: 8, name: 'minicom', files: [...many, PORT] },
	]);
	const holders = await findHolders([PORT, '/dev/ttyUSB1'], proc);
	t.deepEqual([...holders], [[PORT, { pid: 8, name: 'minicom' }]]);
});

test('of several that have it open, the one that has locked it is told', async (t) => {
	const proc = await procOf(t, [
		{ pid: 7, name: 'cat', files: ['/dev/null', PORT] },
		{ pid: 8, name: 'minicom', files: ['/dev/null', '/dev/null', PORT], locked: 2 },
		{ pid: 9, name: 'tail', files: [PORT], locked: 5 },
	]);
	t.deepEqual((await findHolders([PORT], proc)).get(PORT), { pid: 8, name: 'minicom' });
});

test('without ports nothing is looked at', async (t) => {
	t.is((await findHolders([], '/nowhere')).size, 0);
});
