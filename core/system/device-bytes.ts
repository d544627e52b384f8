import { readFileSync, statSync } from 'node:fs';

const SECTOR_BYTES = 512;
/** Place of the sectors written in the kernel's block/stat.rst, for disks and for partitions. */
const SECTORS_WRITTEN = 6;

/** `major:minor` of a device number, as makedev(3) puts it together. */
export const deviceName = (device: number): string =>
	`${(device >>> 8) & 0xfff}:${(device & 0xff) | ((device >>> 12) & 0xf_ff00)}`;

/**
 * Answers how many bytes the block device under a folder was given since it is there, by everybody; `null` where the kernel does not tell:
 * other systems than Linux, file systems without a device of their own.
 */
export function deviceBytesOf(folder: string): () => number | null {
	return () => {
		try {
			const text = readFileSync(`/sys/dev/block/${deviceName(statSync(folder).dev)}/stat`, 'utf8');
			const sectors = Number(text.trim().split(/\s+/)[SECTORS_WRITTEN]);
			return Number.isSafeInteger(sectors) ? sectors * SECTOR_BYTES : null;
		} catch {
			return null;
		}
	};
}
