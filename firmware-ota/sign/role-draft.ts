import type { JsonObject } from '../../core/configuration/canonical-json.ts';
import { type EpochMs, toIso } from '../../core/kernel/clock.ts';
import type { PublicKey } from '../trust/metadata-document.ts';
import type { MetadataType } from '../trust/metadata-schema.ts';

/** TUF metadata as it stands in files (TUF 1.0.34, 4). */
export interface RawHead {
	readonly _type: MetadataType;
	readonly spec_version: string;
	readonly version: number;
	readonly issued_at?: string;
	readonly expires: string;
}

export interface RawRole {
	readonly keyids: readonly string[];
	readonly threshold: number;
}

export const TOP_ROLES = ['root', 'targets', 'snapshot', 'timestamp'] as const;
export type TopRole = (typeof TOP_ROLES)[number];

type Keys = Readonly<Record<string, PublicKey>>;

export interface RawRoot extends RawHead {
	readonly consistent_snapshot: true;
	readonly keys: Keys;
	readonly roles: Readonly<Record<TopRole, RawRole>>;
}

export interface RawTarget {
	readonly length: number;
	readonly hashes: { readonly sha256: string };
	readonly custom?: JsonObject;
}

export interface RawDelegation extends RawRole {
	readonly name: string;
	readonly terminating: boolean;
	readonly paths: readonly string[];
}

export interface RawTargets extends RawHead {
	readonly targets: Readonly<Record<string, RawTarget>>;
	readonly delegations?: { readonly keys: Keys; readonly roles: readonly RawDelegation[] };
}

export interface RawSignature {
	readonly keyid: string;
	readonly sig: string;
}

export interface RawFile<T extends RawHead = RawHead> {
	readonly signed: T;
	readonly signatures: readonly RawSignature[];
}

const SPEC_VERSION = '1.0.34';
const DAY_MS = 86_400_000;

/** How long files are valid, days: what is signed by people at a table long, what is signed by a machine short. */
export const LIFE_DAYS: Readonly<Record<MetadataType, number>> = {
	root: 730,
	targets: 365,
	snapshot: 30,
	timestamp: 14,
};

/** In whole seconds, as TUF demands. */
const instant = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');

export const headOf = <T extends MetadataType>(
	type: T,
	version: number,
	now: EpochMs,
	days: number = LIFE_DAYS[type],
) => ({
	_type: type,
	spec_version: SPEC_VERSION,
	version,
	issued_at: instant(now),
	expires: instant(now + days * DAY_MS),
});

/** A file that was checked by its schema, or made here. */
export function rawOf<T extends RawHead>(text: string): RawFile<T> {
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema of its type was checked
	return JSON.parse(text) as RawFile<T>;
}

export const fileText = ({ signed, signatures }: RawFile): string => `${JSON.stringify({ signed, signatures })}\n`;

/** Nobody has signed it yet. */
export const unsigned = (signed: RawHead): string => fileText({ signed, signatures: [] });

/** Only the keys that some role names. */
export function usedKeys(keys: Keys, roles: readonly RawRole[]): Keys {
	const used = new Set(roles.flatMap(({ keyids }) => keyids));
	return Object.fromEntries(Object.entries(keys).filter(([keyId]) => used.has(keyId)));
}

/** Days from now, rounded down; negative when it is past. */
export const daysLeft = (expiresAt: EpochMs, now: EpochMs): number => Math.floor((expiresAt - now) / DAY_MS);

export const dayOf = (at: EpochMs): string => toIso(at).slice(0, 10);
