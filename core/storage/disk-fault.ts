import { basename, dirname, join } from 'node:path';

import { Fault, messageOf } from '../kernel/fault.ts';

/** The fault of a file or database that the disk does not take. The sentence may be read from afar: it names no folders. */
export function diskFault(path: string, error: unknown): Fault {
	const reason = messageOf(error).replaceAll(join(dirname(path), '/'), '');
	return new Fault('unavailable', `${basename(path)}: the disk takes no change (${reason})`, { cause: error });
}
