import { sign } from 'node:crypto';

import { Signature } from '@tufjs/models';

import { Fault } from '../../core/kernel/fault.ts';
import {
	type MetadataDocument,
	type PublicKey,
	readRoot,
	readSnapshot,
	readTargets,
	readTimestamp,
} from '../trust/metadata-document.ts';
import type { MetadataType } from '../trust/metadata-schema.ts';
import type { NamedKey, OpenKey } from './key-file.ts';
import { fileText, rawOf, type RawRole, type RawSignature } from './role-draft.ts';

/** Whom a role's file has to be signed by; a root needs the old and the new keys (TUF 1.0.34, 5.3.4). */
export interface Demand extends RawRole {
	/** Who demands it, for people: `root 2`. */
	readonly by: string;
}

const READERS: Readonly<Record<MetadataType, (name: string, text: string) => MetadataDocument>> = {
	root: readRoot,
	targets: readTargets,
	snapshot: readSnapshot,
	timestamp: readTimestamp,
};

export const typeOfRole = (role: string): MetadataType =>
	role === 'root' || role === 'snapshot' || role === 'timestamp' ? role : 'targets';

/** @throws TrustFault `malformed` */
export const readRole = (role: string, text: string): MetadataDocument =>
	READERS[typeOfRole(role)](`${role}.json`, text);

/** The file with the signature of this key, in the place of an earlier one of it. */
export function withSignature(role: string, text: string, key: OpenKey): string {
	const { metadata } = readRole(role, text);
	const made: RawSignature[] = [];
	metadata.sign((bytes) => {
		const sig = sign(null, bytes, key.secret).toString('hex');
		made.push({ keyid: key.key_id, sig });
		return new Signature({ keyID: key.key_id, sig });
	});
	const { signed, signatures } = rawOf(text);
	return fileText({ signed, signatures: [...signatures.filter(({ keyid }) => keyid !== key.key_id), ...made] });
}

/** Ids of those keys whose signature is on the file and fits. */
export function signedBy(role: string, text: string, keys: Readonly<Record<string, PublicKey>>): ReadonlySet<string> {
	const { signatures } = rawOf(text);
	const document = readRole(role, text);
	return new Set(signatures.map(({ keyid }) => keyid).filter((keyid) => fits(document, keyid, keys)));
}

function fits(document: MetadataDocument, keyid: string, keys: Readonly<Record<string, PublicKey>>): boolean {
	const key = Object.hasOwn(keys, keyid) ? keys[keyid] : undefined;
	return key !== undefined && document.isSignedBy(keyid, key);
}

/** How far one demand is met. */
export interface DemandStatus {
	readonly by: string;
	readonly have: number;
	readonly need: number;
	/** Ids of those who could still sign. */
	readonly missing: readonly string[];
}

export const statusOf = (demands: readonly Demand[], signers: ReadonlySet<string>): readonly DemandStatus[] =>
	demands.map(({ by, keyids, threshold }) => ({
		by,
		have: keyids.filter((keyid) => signers.has(keyid)).length,
		need: threshold,
		missing: keyids.filter((keyid) => !signers.has(keyid)),
	}));

/** @throws Fault `forbidden` for a key that nobody asked */
export function checkAsked(role: string, demands: readonly Demand[], { name, key_id }: NamedKey): void {
	if (!demands.some(({ keyids }) => keyids.includes(key_id)))
		throw new Fault('forbidden', `the key of ${name} (${key_id.slice(0, 12)}) does not sign for ${role}`);
}
