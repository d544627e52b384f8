import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

import { canonicalJson, type JsonObject } from '../../core/configuration/canonical-json.ts';
import { keyIdOf, type PublicKey } from '../../firmware-ota/trust/metadata-document.ts';

/** A key whose secret the test has. */
export interface TestKey {
	readonly id: string;
	readonly public: PublicKey;
	readonly secret: KeyObject;
}

export function newTestKey(): TestKey {
	const { publicKey, privateKey } = generateKeyPairSync('ed25519');
	const hex = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('hex');
	const key: PublicKey = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: hex } };
	return { id: keyIdOf(key), public: key, secret: privateKey };
}

export interface RoleKeys {
	keys: TestKey[];
	threshold: number;
}

export interface Delegation extends RoleKeys {
	readonly name: string;
	paths: string[];
	terminating: boolean;
	version: number;
	days: number;
	/** Bytes by target path, also by paths that are not delegated to it. */
	targets: Record<string, Buffer>;
	/** Delegations of its own, by the names of others. */
	children: string[];
	/** Keys that it names for them, where they are others than theirs. */
	childKeys: Record<string, TestKey[]>;
	signers: TestKey[];
	custom: Record<string, JsonObject>;
}

const DAY_MS = 86_400_000;

export const keysOf = (keys: readonly TestKey[]): JsonObject =>
	Object.fromEntries(keys.map((key) => [key.id, { ...key.public, keyval: { ...key.public.keyval } }]));

export const roleOf = ({ keys, threshold }: RoleKeys): JsonObject => ({ keyids: keys.map(({ id }) => id), threshold });

/** A metadata file with these signatures, whatever it says. All text is ASCII, so that our canonical form is TUF's. */
export function signedText(signed: JsonObject, signers: readonly TestKey[]): string {
	const bytes = Buffer.from(canonicalJson(signed));
	const signatures = signers.map(({ id, secret }) => ({ keyid: id, sig: sign(null, bytes, secret).toString('hex') }));
	return JSON.stringify({ signed, signatures });
}

export const sha256Of = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

const metaOf = (version: number, text: string): JsonObject => ({
	version,
	length: Buffer.byteLength(text),
	hashes: { sha256: sha256Of(text) },
});

/**
 * A repository that signs whatever a test wants. Times are days from `nowMs`. The world is changed by the test, then published;
 * single files may be put in the place of honest ones.
 */
export function createHostileRepository(nowMs = Date.now()) {
	const files = new Map<string, Buffer>();
	const world = {
		root: { keys: [newTestKey(), newTestKey(), newTestKey()], threshold: 2, version: 1, days: 700 },
		targets: { keys: [newTestKey()], threshold: 1, version: 1, days: 365 },
		snapshot: { keys: [newTestKey()], threshold: 1, version: 1, days: 30 },
		timestamp: { keys: [newTestKey()], threshold: 1, version: 1, days: 14 },
		/** In the order of their priority. */
		delegations: [] as Delegation[],
		/** Names of those that the top-level role delegates to. */
		top: [] as string[],
		topTargets: {} as Record<string, Buffer>,
		/** Days from now at which files say that they were signed; null: they do not. */
		issuedDays: null as number | null,
	};

	const at = (days: number): string => new Date(nowMs + days * DAY_MS).toISOString().replace(/\.\d{3}Z$/, 'Z');

	function head(type: string, { version, days }: { readonly version: number; readonly days: number }): JsonObject {
		const issued = world.issuedDays === null ? {} : { issued_at: at(world.issuedDays) };
		return { _type: type, spec_version: '1.0.31', version, expires: at(days), ...issued };
	}

	const put = (path: string, content: string | Buffer): void => void files.set(path, Buffer.from(content));

	function targetEntries(targets: Record<string, Buffer>, custom: Record<string, JsonObject> = {}): JsonObject {
		return Object.fromEntries(
			Object.entries(targets).map(([path, bytes]) => {
				const sha256 = sha256Of(bytes);
				const cut = path.lastIndexOf('/') + 1;
				put(`targets/${path.slice(0, cut)}${sha256}.${path.slice(cut)}`, bytes);
				const entry = { length: bytes.length, hashes: { sha256 } };
				return [path, custom[path] === undefined ? entry : { ...entry, custom: custom[path] }];
			}),
		);
	}

	function delegationsOf(names: readonly string[], others: Record<string, TestKey[]> = {}): JsonObject {
		const roles = names.map((name) =>
			Object.assign({}, delegation(name), { keys: others[name] ?? delegation(name).keys }),
		);
		return {
			delegations: {
				keys: keysOf(roles.flatMap(({ keys }) => keys)),
				roles: roles.map(({ keys, threshold, name, paths, terminating }) => ({
					keyids: keys.map(({ id }) => id),
					threshold,
					name,
					paths,
					terminating,
				})),
			},
		};
	}

	function delegation(name: string): Delegation {
		const found = world.delegations.find((one) => one.name === name);
		if (found === undefined) throw new RangeError(`no delegation ${name}`);
		return found;
	}

	function rootSigned(): JsonObject {
		const { root, targets, snapshot, timestamp } = world;
		const roles = { root, targets, snapshot, timestamp };
		return {
			...head('root', root),
			consistent_snapshot: true,
			keys: keysOf(Object.values(roles).flatMap(({ keys }) => keys)),
			roles: Object.fromEntries(Object.entries(roles).map(([name, role]) => [name, roleOf(role)])),
		};
	}

	function publish(): void {
		const meta: Record<string, JsonObject> = {};
		for (const role of world.delegations) {
			const signed = {
				...head('targets', role),
				targets: targetEntries(role.targets, role.custom),
				...(role.children.length === 0 ? {} : delegationsOf(role.children, role.childKeys)),
			};
			const text = signedText(signed, role.signers);
			put(`metadata/${role.version}.${role.name}.json`, text);
			meta[`${role.name}.json`] = metaOf(role.version, text);
		}
		const { targets, snapshot, timestamp } = world;
		const topSigned = {
			...head('targets', targets),
			targets: targetEntries(world.topTargets),
			...(world.top.length === 0 ? {} : delegationsOf(world.top)),
		};
		const top = signedText(topSigned, targets.keys);
		put(`metadata/${targets.version}.targets.json`, top);
		meta['targets.json'] = metaOf(targets.version, top);
		const shot = signedText({ ...head('snapshot', snapshot), meta }, snapshot.keys);
		put(`metadata/${snapshot.version}.snapshot.json`, shot);
		const stamp = { ...head('timestamp', timestamp), meta: { 'snapshot.json': metaOf(snapshot.version, shot) } };
		put('metadata/timestamp.json', signedText(stamp, timestamp.keys));
	}

	return {
		files,
		world,
		put,
		at,
		delegation,
		rootSigned,
		head,
		/** Adds a delegation of the top-level role. */
		delegate(name: string, change: Partial<Delegation> = {}): Delegation {
			const keys = change.keys ?? [newTestKey()];
			const made: Delegation = {
				name,
				keys,
				threshold: 1,
				paths: [`${name}/*`],
				terminating: true,
				version: 1,
				days: 365,
				targets: {},
				children: [],
				childKeys: {},
				signers: keys,
				custom: {},
				...change,
			};
			world.delegations.push(made);
			world.top.push(name);
			return made;
		},
		/** `N.root.json` as the world says, signed by its own keys or these. */
		publishRoot(signers: readonly TestKey[] = world.root.keys): string {
			const text = signedText(rootSigned(), signers);
			put(`metadata/${world.root.version}.root.json`, text);
			return text;
		},
		/** All other files as the world says. */
		publish,
		/** One version further, all but the root and the delegated roles. */
		next(): void {
			for (const role of [world.targets, world.snapshot, world.timestamp]) role.version += 1;
			publish();
		},
		/** All files as they are now, to be replayed later. */
		recording: (): ReadonlyMap<string, Buffer> => new Map(files),
		replay(recording: ReadonlyMap<string, Buffer>, names: readonly string[]): void {
			for (const name of names) {
				const bytes = recording.get(`metadata/${name}`);
				if (bytes === undefined) throw new RangeError(`no ${name} was recorded`);
				files.set(`metadata/${name}`, bytes);
			}
		},
	};
}

export type HostileRepository = ReturnType<typeof createHostileRepository>;
