import { hash } from 'node:crypto';

import { type Key, type MetaFile, MetadataKind } from '@tufjs/models';

import { toIso } from '../../core/kernel/clock.ts';
import type {
	MetadataDocument,
	PublicKey,
	RootDocument,
	SnapshotDocument,
	TargetsDocument,
	TimestampDocument,
} from './metadata-document.ts';
import { TrustFault } from './trust-fault.ts';
import { expiryOf, type UpdateTime } from './trusted-time.ts';

interface RoleKeys {
	readonly keyIDs: readonly string[];
	readonly threshold: number;
}

const publicKey = ({ keyVal }: Key): PublicKey => ({
	keytype: 'ed25519',
	scheme: 'ed25519',
	keyval: { public: keyVal['public'] ?? '' },
});

/** What a delegator says of a role. */
function delegated({ metadata: { signed } }: RootDocument | TargetsDocument, role: string) {
	const [roles, keys] =
		signed.type === MetadataKind.Root
			? [signed.roles, signed.keys]
			: [signed.delegations?.roles ?? {}, signed.delegations?.keys ?? {}];
	const found: RoleKeys | undefined = Object.hasOwn(roles, role) ? roles[role] : undefined;
	return { found, keys };
}

/** @throws TrustFault `threshold` unless enough keys of the role have signed, as its delegator says (TUF 1.0.34, 4.2.1, 5.3.4) */
export function checkSigned(delegator: RootDocument | TargetsDocument, role: string, document: MetadataDocument): void {
	const { found, keys } = delegated(delegator, role);
	if (found === undefined)
		throw new TrustFault('threshold', `${document.name}: ${role} is not a role of ${delegator.name}`);
	// Ids are those of the keys, each of them once: nobody is counted twice.
	const signers = [...new Set(found.keyIDs)].filter((keyId) => {
		const key = Object.hasOwn(keys, keyId) ? keys[keyId] : undefined;
		return key !== undefined && document.isSignedBy(keyId, publicKey(key));
	});
	const have = signers.length;
	if (have < found.threshold)
		throw new TrustFault('threshold', `${document.name}: ${role} was signed by ${have}/${found.threshold} keys`);
}

/** A root that is trusted for its own sake: it is signed as it demands itself (TUF 5.2). */
export const checkOwnRoot = (root: RootDocument): void => checkSigned(root, 'root', root);

/** The successor of a trusted root: signed by both, and exactly one further (TUF 5.3.4, 5.3.5). */
export function checkNextRoot(trusted: RootDocument, next: RootDocument): void {
	checkSigned(trusted, 'root', next);
	checkSigned(next, 'root', next);
	if (next.version !== trusted.version + 1)
		throw new TrustFault('rollback', `${next.name}: version ${next.version} does not follow ${trusted.version}`);
}

/** Whether a key that could sign this role no longer can. New keys beside the old ones take nothing back. */
function losesKey(before: RootDocument, after: RootDocument, role: 'timestamp' | 'snapshot'): boolean {
	const kept = new Set(after.metadata.signed.roles[role]?.keyIDs);
	return (before.metadata.signed.roles[role]?.keyIDs ?? []).some((keyId) => !kept.has(keyId));
}

/**
 * Whether timestamp and snapshot have to be forgotten, because a key of either was taken back: who had it may have counted the versions so far
 * up that no honest file could ever follow (TUF 5.3.11, fast-forward).
 */
export const revokesOnline = (before: RootDocument, after: RootDocument): boolean =>
	losesKey(before, after, 'timestamp') || losesKey(before, after, 'snapshot');

/**
 * @returns false when it is the version that is trusted already: nothing new (TUF 5.4.3)
 * @throws TrustFault `threshold` (5.4.2), `rollback` (5.4.3)
 */
export function checkTimestamp(
	root: RootDocument,
	trusted: TimestampDocument | null,
	next: TimestampDocument,
): boolean {
	checkSigned(root, 'timestamp', next);
	if (trusted === null) return true;
	if (next.version < trusted.version)
		throw new TrustFault('rollback', `${next.name}: version ${next.version} is older than ${trusted.version}`);
	if (next.version === trusted.version) return false;
	const [before, after] = [trusted.metadata.signed.snapshotMeta.version, next.metadata.signed.snapshotMeta.version];
	if (after < before)
		throw new TrustFault('rollback', `${next.name}: it names snapshot ${after}, which is older than ${before}`);
	return true;
}

/** @throws TrustFault `mix-and-match` unless the bytes are those that the file above names (TUF 5.5.2, 5.6.2) */
function checkNamed(meta: MetaFile, { name, text, version }: MetadataDocument): void {
	const bytes = Buffer.from(text);
	if (meta.length !== undefined && bytes.length !== meta.length)
		throw new TrustFault('mix-and-match', `${name}: ${bytes.length} bytes instead of ${meta.length}`);
	for (const [algorithm, expected] of Object.entries(meta.hashes ?? {}))
		if (hash(algorithm, bytes, 'hex') !== expected)
			throw new TrustFault('mix-and-match', `${name}: its ${algorithm} is not the one that is signed for it`);
	if (version !== meta.version)
		throw new TrustFault('mix-and-match', `${name}: version ${version} instead of ${meta.version}`);
}

/** @throws TrustFault `mix-and-match` (5.5.2, 5.5.4), `threshold` (5.5.3), `rollback` (5.5.5) */
export function checkSnapshot(
	root: RootDocument,
	timestamp: TimestampDocument,
	trusted: SnapshotDocument | null,
	next: SnapshotDocument,
): void {
	checkNamed(timestamp.metadata.signed.snapshotMeta, next);
	checkSigned(root, 'snapshot', next);
	for (const [file, { version }] of Object.entries(trusted?.metadata.signed.meta ?? {})) {
		const now = next.metadata.signed.meta[file]?.version;
		if (now === undefined) throw new TrustFault('rollback', `${next.name}: ${file} is no longer in it`);
		if (now < version) throw new TrustFault('rollback', `${next.name}: ${file} ${now} is older than ${version}`);
	}
}

/** What the snapshot says of a role. @throws TrustFault `missing` */
export function namedBy(snapshot: SnapshotDocument, role: string): MetaFile {
	const { meta } = snapshot.metadata.signed;
	const named = Object.hasOwn(meta, `${role}.json`) ? meta[`${role}.json`] : undefined;
	if (named === undefined) throw new TrustFault('missing', `${snapshot.name}: ${role}.json is not in it`);
	return named;
}

/** @throws TrustFault `mix-and-match` (TUF 5.6.2, 5.6.4), `threshold` (5.6.3), `missing` */
export function checkTargets(
	delegator: RootDocument | TargetsDocument,
	snapshot: SnapshotDocument,
	role: string,
	document: TargetsDocument,
): void {
	checkNamed(namedBy(snapshot, role), document);
	checkSigned(delegator, role, document);
}

/**
 * @returns true when the file is past its time by a clock that nobody vouches for
 * @throws TrustFault `expired` (TUF 5.3.10, 5.4.4, 5.5.6, 5.6.5)
 */
export function isDoubtful({ name, expiresAt }: MetadataDocument, time: UpdateTime): boolean {
	const expiry = expiryOf(expiresAt, time);
	if (expiry === 'expired')
		throw new TrustFault('expired', `${name}: it was valid until ${toIso(expiresAt)}, and it is ${toIso(time.at)}`);
	return expiry === 'doubtful';
}
