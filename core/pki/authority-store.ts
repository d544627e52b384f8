import 'reflect-metadata';

import { join } from 'node:path';

import * as x509 from '@peculiar/x509';

import { messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';
import { readTextIfThere, writeFileDurably } from '../storage/json-file.ts';
import { moveAside } from '../storage/move-aside.ts';
import { type Authority, makeAuthority } from './authority.ts';
import { machineName } from './host-names.ts';
import { limitExtension, localLimits } from './name-limits.ts';
import { exportKey, importKey, isPair } from './certificate.ts';

export interface AuthorityPlace {
	readonly folder: string;
	/** Beginning of the files' names: `link` makes `link-ca.pem` and `link-ca.key` (mode 0600 both). */
	readonly name: string;
	/** What people see when they look at the certificate. */
	readonly commonName: string;
	/** Keeps it to the names of the local network, and the name that this machine has when it is made. */
	readonly isLocal: boolean;
	readonly log: Logger;
}

/** The authority of an earlier start; `null` when there is none. A damaged one is put aside and said. */
async function savedAuthority(
	caPath: string,
	keyPath: string,
	{ name, log }: AuthorityPlace,
): Promise<Authority | null> {
	const [ca, key] = await Promise.all([readTextIfThere(caPath), readTextIfThere(keyPath)]);
	if (ca === null && key === null) return null;
	try {
		const certificate = new x509.X509Certificate(ca ?? '');
		const caPem = certificate.toString('pem');
		if (!isPair({ certPem: caPem, keyPem: key ?? '' })) throw new Error('the key is not that of the certificate');
		return { caPem, certificate, key: await importKey(key ?? '') };
	} catch (error) {
		const movedTo: string[] = [];
		if (ca !== null) movedTo.push(await moveAside(caPath));
		if (key !== null) movedTo.push(await moveAside(keyPath));
		log.error(`${name}-authority-lost`, { reason: messageOf(error), movedTo: movedTo.join(', ') });
		return null;
	}
}

/**
 * Opens the authority in a folder, or makes it at the first start; it then stays for good. After damage there is another one, which
 * nobody trusts yet.
 */
export async function openAuthority(place: AuthorityPlace): Promise<Authority> {
	const caPath = join(place.folder, `${place.name}-ca.pem`);
	const keyPath = join(place.folder, `${place.name}-ca.key`);
	const saved = await savedAuthority(caPath, keyPath, place);
	if (saved !== null) return saved;
	const limits = place.isLocal ? [limitExtension(localLimits(machineName()))] : [];
	const authority = await makeAuthority(place.commonName, limits);
	await writeFileDurably(keyPath, await exportKey(authority.key));
	await writeFileDurably(caPath, authority.caPem);
	return authority;
}
