import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** An ext4 file system on a block device of its own, so that everything that reaches the device can be counted. */
export interface LoopDisk {
	readonly folder: string;
	/** What reached the device since the last call, after everything that waits in memory has gone there. */
	takeWritten(): { readonly bytes: number; readonly flushes: number };
	/** Unmounts it and removes its image. */
	stop(): void;
}

const SECTOR_BYTES = 512;
/** Places in /sys/block/<name>/stat (Documentation/block/stat.rst): sectors written, flush requests. */
const SECTORS_WRITTEN = 6;
const FLUSHES = 15;

const run = (program: string, ...args: readonly string[]): string =>
	execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

function countersOf(device: string): readonly number[] {
	return readFileSync(`/sys/block/${basename(device)}/stat`, 'utf8')
		.trim()
		.split(/\s+/)
		.map(Number);
}

/** Needs root, mkfs.ext4 and a free loop device. @throws what the first of them says that is missing */
export function mountLoopDisk(mebibytes: number): LoopDisk {
	const place = mkdtempSync(join(tmpdir(), 'loop-disk-'));
	const image = join(place, 'image');
	const folder = join(place, 'disk');
	const undo: (() => unknown)[] = [() => rmSync(place, { recursive: true, force: true })];
	function stop(): void {
		for (const step of undo.splice(0).toReversed()) step();
	}
	try {
		writeFileSync(image, '');
		truncateSync(image, mebibytes * 2 ** 20);
		const device = run('losetup', '--find', '--show', image);
		undo.push(() => run('losetup', '--detach', device));
		// Nothing is left for the kernel to prepare later: it would count as ours.
		run('mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', device);
		mkdirSync(folder);
		run('mount', '-o', 'noatime', device, folder);
		undo.push(() => run('umount', folder));
		let last = countersOf(device);
		const disk: LoopDisk = {
			folder,
			takeWritten() {
				run('sync', '--file-system', folder);
				const now = countersOf(device);
				const grown = (place_: number): number => (now[place_] ?? 0) - (last[place_] ?? 0);
				const written = { bytes: grown(SECTORS_WRITTEN) * SECTOR_BYTES, flushes: grown(FLUSHES) };
				last = now;
				return written;
			},
			stop,
		};
		disk.takeWritten();
		return disk;
	} catch (error) {
		stop();
		throw error;
	}
}
