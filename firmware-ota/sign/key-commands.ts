import { access } from 'node:fs/promises';

import { Fault } from '../../core/kernel/fault.ts';
import { writeFileDurably } from '../../core/storage/json-file.ts';
import { newKey, sealKey } from './key-file.ts';
import { openRepositoryFolder } from './repository-folder.ts';
import { describeRole } from './describe-role.ts';
import { fileText } from './role-draft.ts';
import { demandLine } from './repository-status.ts';
import { readInput, type SignContext, unlock } from './sign-context.ts';
import type { Options } from './sign-options.ts';
import {
	exportRequest,
	importRequest,
	readRequest,
	requestStatus,
	requestText,
	signRequest,
} from './signing-request.ts';

const OWNER_ONLY = 0o600;
const FOR_ALL = 0o644;

async function refuseToReplace(path: string): Promise<void> {
	const isThere = await access(path).then(
		() => true,
		() => false,
	);
	if (isThere) throw new Fault('duplicate', `${path} is there already`);
}

/** A new key: `FILE` with the sealed secret, `FILE.pub` for everybody. */
export async function newKeyCommand(options: Options, { say, passphrases, scryptN }: SignContext): Promise<void> {
	const [path, name] = [options.text('key'), options.text('name')];
	await refuseToReplace(path);
	const key = newKey(name);
	const sealed = await sealKey(key, await passphrases.choose(`key of ${name}`), scryptN);
	await writeFileDurably(path, `${JSON.stringify(sealed, null, '\t')}\n`, OWNER_ONLY);
	const open = { name, key_id: key.key_id, key: key.key };
	await writeFileDurably(`${path}.pub`, `${JSON.stringify(open, null, '\t')}\n`, FOR_ALL);
	say(`${name}: key ${key.key_id}`);
	say(`${path} holds the sealed secret; ${path}.pub is for the others`);
}

/** Writes what somebody elsewhere is to sign. */
export async function exportCommand(options: Options, { say }: SignContext): Promise<void> {
	const request = await exportRequest(openRepositoryFolder(options.text('repository')), options.text('role'));
	await writeFileDurably(options.text('to'), requestText(request), FOR_ALL);
	for (const status of requestStatus(request)) say(demandLine(status, request.names));
}

/** Adds a signature, in a request that was carried here or in the repository itself. What is signed is shown before the passphrase is asked. */
export async function signCommand(options: Options, context: SignContext): Promise<void> {
	const carried = options.textOr('request');
	const repository = openRepositoryFolder(options.textOr('repository') ?? '.');
	const request =
		carried === null
			? await exportRequest(repository, options.text('role'))
			: readRequest(await readInput(carried), carried);
	for (const line of describeRole(request.role, fileText(request.document), request.names)) context.say(line);
	const signed = signRequest(request, await unlock(context, options.text('key')));
	if (carried === null) await importRequest(repository, signed);
	else await writeFileDurably(carried, requestText(signed), FOR_ALL);
	for (const status of requestStatus(signed)) context.say(demandLine(status, signed.names));
}

/** Takes the signatures of a request that came back. */
export async function importCommand(options: Options, { say }: SignContext): Promise<void> {
	const repository = openRepositoryFolder(options.text('repository'));
	const from = options.text('from');
	const statuses = await importRequest(repository, readRequest(await readInput(from), from));
	const names = await repository.names();
	for (const status of statuses) say(demandLine(status, names));
}
