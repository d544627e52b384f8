import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { makeResetCode } from '../identity/claim-code-store.ts';
import { systemClock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';

/** sysexits.h: an input file did not exist or was not readable. */
const EX_NOINPUT = 66;

/**
 * `drawbridge claim-code --data DIR`: who has a shell on the box has the box, and may make himself its administrator. Prints the code;
 * `POST /api/v1/setup/claim` takes it once within the hour.
 */
export async function main(argv: readonly string[]): Promise<void> {
	const folder = resolve(argv[argv.indexOf('--data') + 1] ?? '');
	try {
		await access(join(folder, 'settings.json'));
		const code = await makeResetCode(folder, systemClock);
		process.stdout.write(`${code}\n`);
	} catch (error) {
		process.stderr.write(`drawbridge: ${folder} is no data folder of a gateway or hub: ${messageOf(error)}\n`);
		process.exitCode = EX_NOINPUT;
	}
}
