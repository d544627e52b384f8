import { createPublicKey, hash, verify } from 'node:crypto';

import { Metadata, MetadataKind, type Root, type Snapshot, type Targets, type Timestamp } from '@tufjs/models';

import { canonicalJson, type JsonObject } from '../../core/configuration/canonical-json.ts';
import { type EpochMs, epochMs } from '../../core/kernel/clock.ts';
import { canonicalForm } from './canonical-form.ts';
import { METADATA_SCHEMAS, type MetadataType } from './metadata-schema.ts';
import { refused, TrustFault } from './trust-fault.ts';

type SignedPart = Root | Timestamp | Snapshot | Targets;

/** A metadata file that has the form of its type; nothing is said about its signatures. */
export interface MetadataDocument<T extends SignedPart = SignedPart> {
	/** As people know it, e.g. `3.targets.json`. */
	readonly name: string;
	/** As it came: hashes are over its bytes. */
	readonly text: string;
	readonly metadata: Metadata<T>;
	readonly version: number;
	readonly expiresAt: EpochMs;
	/** When its signer made it; `null` when it does not say. */
	readonly issuedAt: EpochMs | null;
	/** Whether this key has signed it (ed25519, TUF 4.2). */
	isSignedBy(keyId: string, key: PublicKey): boolean;
}

export type RootDocument = MetadataDocument<Root>;
export type TimestampDocument = MetadataDocument<Timestamp>;
export type SnapshotDocument = MetadataDocument<Snapshot>;
export type TargetsDocument = MetadataDocument<Targets>;

/** Public part of a key as it stands in metadata (TUF 4.2). */
export interface PublicKey {
	readonly keytype: 'ed25519';
	readonly scheme: 'ed25519';
	/** 32 bytes in lower-case hexadecimal. */
	readonly keyval: { readonly public: string };
}

/** The name of a key is the SHA-256 of its canonical form (TUF 4.2), so that no two keys share one and no key has two. */
export const keyIdOf = ({ keytype, scheme, keyval }: PublicKey): string =>
	hash('sha256', canonicalJson({ keytype, scheme, keyval: { public: keyval.public } }), 'hex');

interface Raw {
	readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
	readonly signed: JsonObject & {
		readonly expires: string;
		readonly issued_at?: string;
		readonly keys?: Readonly<Record<string, PublicKey>>;
		readonly delegations?: { readonly keys: Readonly<Record<string, PublicKey>> };
	};
}

/**
 * A key under a second name would count twice towards a threshold, and the library counts names: the names have to be the keys' own
 * (TUF 4.2: "Clients MUST calculate each KEYID").
 */
function checkKeyNames(name: string, { signed }: Raw): void {
	for (const [keyId, key] of Object.entries({ ...signed.keys, ...signed.delegations?.keys }))
		if (keyIdOf(key) !== keyId) throw new TrustFault('malformed', `${name}: ${keyId} is not the id of its key`);
}

function instantOf(name: string, field: string, text: string): EpochMs {
	const at = Date.parse(text);
	if (Number.isNaN(at)) throw new TrustFault('malformed', `${name}: ${field} ${text} is no instant`);
	return epochMs(at);
}

function parseJson(name: string, text: string): unknown {
	try {
		return JSON.parse(text);
	} catch (error) {
		throw refused('malformed', name, error);
	}
}

/** Bytes as text that gives the same bytes again. @throws TrustFault `malformed` */
export function textOf(name: string, bytes: Uint8Array): string {
	try {
		return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
	} catch (error) {
		throw refused('malformed', name, error);
	}
}

/** SPKI of ed25519 but for the key itself (RFC 8410, 4). */
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * Signatures are checked over what was read, in one pass for all keys: the library writes its own objects out again for each key, in time that grows
 * with the square of their number.
 */
function signedBy({ signed, signatures }: Raw): MetadataDocument['isSignedBy'] {
	const byKey = new Map(signatures.map(({ keyid, sig }) => [keyid, sig]));
	let bytes: Buffer | null = null;
	return (keyId, { keyval }) => {
		const sig = byKey.get(keyId);
		if (sig === undefined || sig === '') return false;
		bytes ??= Buffer.from(canonicalForm(signed));
		const der = Buffer.concat([SPKI_HEAD, Buffer.from(keyval.public, 'hex')]);
		return verify(null, bytes, createPublicKey({ key: der, format: 'der', type: 'spki' }), Buffer.from(sig, 'hex'));
	};
}

type Reader<T extends SignedPart> = (data: JsonObject) => Metadata<T>;

function read<T extends SignedPart>(
	type: MetadataType,
	name: string,
	text: string,
	model: Reader<T>,
): MetadataDocument<T> {
	const { value, error } = METADATA_SCHEMAS[type].validate(parseJson(name, text), { convert: false });
	if (error !== undefined) throw refused('malformed', name, error);
	const raw: Raw & JsonObject = value;
	checkKeyNames(name, raw);
	const expiresAt = instantOf(name, 'expires', raw.signed.expires);
	const { issued_at: issued } = raw.signed;
	const issuedAt = issued === undefined ? null : instantOf(name, 'issued_at', issued);
	if (issuedAt !== null && issuedAt >= expiresAt)
		throw new TrustFault('malformed', `${name}: issued_at is not before expires`);
	try {
		const metadata = model(raw);
		const { version } = metadata.signed;
		return { name, text, metadata, version, expiresAt, issuedAt, isSignedBy: signedBy(raw) };
	} catch (thrown) {
		throw refused('malformed', name, thrown);
	}
}

type LibraryJson = Parameters<typeof Metadata.fromJSON>[1];

function json(data: JsonObject): LibraryJson {
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the library's JSON type differs from ours in `readonly` only
	return data as LibraryJson;
}

/** @throws TrustFault `malformed`, as all of these */
export const readRoot = (name: string, text: string): RootDocument =>
	read('root', name, text, (data) => Metadata.fromJSON(MetadataKind.Root, json(data)));

export const readTimestamp = (name: string, text: string): TimestampDocument =>
	read('timestamp', name, text, (data) => Metadata.fromJSON(MetadataKind.Timestamp, json(data)));

export const readSnapshot = (name: string, text: string): SnapshotDocument =>
	read('snapshot', name, text, (data) => Metadata.fromJSON(MetadataKind.Snapshot, json(data)));

/** The top-level targets role or a delegated one: both are of the same type (TUF 4.5). */
export const readTargets = (name: string, text: string): TargetsDocument =>
	read('targets', name, text, (data) => Metadata.fromJSON(MetadataKind.Targets, json(data)));
