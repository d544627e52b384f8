import { basename, dirname, join } from 'node:path';

import { Fault, messageOf } from '../kernel/fault.ts';

/** The fault of a file or database that the disk does not take. The sentence may be read from afar: it names no folders. */
export function diskFault(path: string, error: unknown): Fault {
	const reason = messageOf(error).replaceAll(join(dirname(path), '/'), '');
	return new Fault('unavailable', `${basename(path)}: the disk takes no change (${reason})`, { cause: error });
}

/** What says nothing about the files themselves: a disk that is full or read-only, too few handles or rights, a store that is in use. */
const CIRCUMSTANCE =
	/No space left|Disk quota|Read-only file system|Too many open files|Permission denied|Cannot allocate memory|: lock |ENOSPC|EDQUOT|EROFS|EMFILE|ENFILE|EACCES|EPERM|ENOMEM/;

/** Whether a database that cannot be opened is to be taken for damaged; otherwise it is sound, and must not be touched. */
export const isDamage = (error: unknown): boolean => !CIRCUMSTANCE.test(messageOf(error));
