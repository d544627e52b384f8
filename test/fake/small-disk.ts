import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Mounting {
	log(...text: string[]): void;
	teardown(end: () => void): void;
}

/** A disk of its own in memory, unmounted at the end of the test; `null`, with the reason printed, where nobody may mount one. */
export function mountSmallDisk(t: Mounting, mebibytes: number, at?: string): string | null {
	const folder = at ?? mkdtempSync(join(tmpdir(), 'drawbridge-disk-'));
	mkdirSync(folder, { recursive: true });
	try {
		execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder], { stdio: 'ignore' });
	} catch {
		if (at === undefined) rmSync(folder, { recursive: true, force: true });
		t.log('skipped: nobody may mount a disk here');
		return null;
	}
	t.teardown(() => {
		execFileSync('umount', ['--lazy', folder]);
		if (at === undefined) rmSync(folder, { recursive: true, force: true });
	});
	return folder;
}

/** Takes all room of a disk; answers how to give it back. Others in this process go on meanwhile: devices that are to answer in time. */
export async function fillDisk(disk: string): Promise<() => void> {
	const filler = join(disk, 'filler');
	for (const bytes of [1_048_576, 65_536, 4_096, 4_096])
		try {
			for (;;) await appendFile(filler, new Uint8Array(bytes));
		} catch {
			// Full.
		}
	return () => rmSync(filler, { force: true });
}
