import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';

import { Fault } from '../../../core/kernel/fault.ts';
import { openFault } from '../modbus/wire/open-fault.ts';
import type { PortFolders } from './port-folders.ts';
import { findHolders } from './port-holder.ts';
import type { FoundPort } from './serial-ports.ts';

/** The binding reports text only; these are the words of the operating system in it. */
const NOT_A_PORT = /inappropriate ioctl/i;
const NOT_THIS_RATE = /baud rate/i;

/** Name of the group that owns a file; its number when the machine does not know it. */
async function groupOf(device: string, groups: string): Promise<string> {
	const { gid } = await stat(device);
	const lines = await readFile(groups, 'utf8').catch(() => '');
	const line = lines.split('\n').find((each) => each.split(':')[2] === String(gid));
	return line?.split(':')[0] ?? String(gid);
}

async function denied(path: string, device: string, error: unknown, cause: Error, groups: string): Promise<Fault> {
	const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
	if (code !== 'EACCES') return openFault(path, code, cause);
	const group = await groupOf(device, groups).catch(() => 'dialout');
	const sentence = `${path} may not be opened: it belongs to the group ${group}, and the gateway's account is not in it`;
	return new Fault('forbidden', `${sentence} (EACCES)`, { cause });
}

/**
 * Why a port could not be opened, in a sentence. The binding reports text only, so the operating system is asked for the code.
 * @param found whose file was tried
 */
export async function portRefusal({ path, device }: FoundPort, cause: Error, folders: PortFolders): Promise<Fault> {
	try {
		await access(device, constants.R_OK | constants.W_OK);
	} catch (error) {
		return denied(path, device, error, cause, folders.groups);
	}
	if (NOT_A_PORT.test(cause.message)) return openFault(path, 'ENOTTY', cause);
	if (NOT_THIS_RATE.test(cause.message))
		return new Fault('rule-violation', `${path} does not know the asked rate: ${cause.message}`, { cause });
	const holder = (await findHolders([device], folders.proc)).get(device) ?? null;
	if (holder?.pid === process.pid)
		return new Fault(
			'state-conflict',
			`${path} is open in this gateway already, under another name or for another line (EBUSY)`,
			{ cause },
		);
	if (holder !== null) {
		const sentence = `${path} is in use by ${holder.name} (pid ${holder.pid}); only one program may use a serial line (EBUSY)`;
		return new Fault('state-conflict', sentence, { cause });
	}
	return openFault(path, undefined, cause);
}
