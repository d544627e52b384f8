import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import Joi from 'joi';

import { Fault, messageOf } from '../../core/kernel/fault.ts';
import { readTextIfThere, syncFolder, writeFileDurably } from '../../core/storage/json-file.ts';
import {
	readRoot,
	readSnapshot,
	readTargets,
	readTimestamp,
	type RootDocument,
	type SnapshotDocument,
	type TargetsDocument,
	type TimestampDocument,
} from '../trust/metadata-document.ts';
import { targetFileName } from '../trust/target-download.ts';
import { readRole } from './signatures.ts';

/** What is published, each file the newest of its role. */
export interface Published {
	readonly root: RootDocument | null;
	readonly timestamp: TimestampDocument | null;
	readonly snapshot: SnapshotDocument | null;
	readonly targets: TargetsDocument | null;
	/** Delegated roles by name. */
	readonly roles: ReadonlyMap<string, TargetsDocument>;
}

/** A repository on a disk: `metadata/` and `targets/` for everybody, `staged/` for what is not signed yet. No secret is in it. */
export interface RepositoryFolder {
	readonly path: string;
	readonly metadataPath: string;
	readonly targetsPath: string;
	published(): Promise<Published>;
	/** Texts of the next versions, by role. @throws TrustFault `malformed` */
	staged(): Promise<ReadonlyMap<string, string>>;
	stage(role: string, text: string): Promise<void>;
	unstage(role: string): Promise<void>;
	publishFile(name: string, text: string): Promise<void>;
	/** Copies a file to where clients look for it; answers what has to be signed. */
	addTargetFile(path: string, file: string): Promise<{ readonly length: number; readonly sha256: string }>;
	/** Names of people by key id: for reading, nothing rests on them. */
	names(): Promise<Readonly<Record<string, string>>>;
	addNames(names: Readonly<Record<string, string>>): Promise<void>;
}

const namesSchema = Joi.object<Readonly<Record<string, string>>>().pattern(Joi.string(), Joi.string().max(64));

async function newestRoot(folder: string): Promise<RootDocument | null> {
	const names = await readdir(folder).catch(() => []);
	const versions = names.map((name) => Number(/^(\d+)\.root\.json$/.exec(name)?.[1] ?? 0));
	const newest = Math.max(0, ...versions);
	if (newest === 0) return null;
	const name = `${newest}.root.json`;
	const text = await readTextIfThere(join(folder, name));
	return text === null ? null : readRoot(name, text);
}

/** Hashes a file while it is copied. */
async function copyHashed(from: string, to: string): Promise<{ readonly length: number; readonly sha256: string }> {
	const hash = createHash('sha256');
	let length = 0;
	await pipeline(
		createReadStream(from),
		async function* meter(chunks: AsyncIterable<Uint8Array>) {
			for await (const chunk of chunks) {
				hash.update(chunk);
				length += chunk.length;
				yield chunk;
			}
		},
		createWriteStream(to, { mode: 0o644 }),
	);
	const handle = await open(to, 'r');
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
	return { length, sha256: hash.digest('hex') };
}

/** Durable, and readable for the web server that hands it out, whoever that runs as. */
async function writeForAll(path: string, text: string): Promise<void> {
	await mkdir(dirname(path), { recursive: true, mode: 0o755 });
	await writeFileDurably(path, text, 0o644);
}

/** Opens a repository; it need not be there yet. */
export function openRepositoryFolder(path: string): RepositoryFolder {
	const at = (...parts: readonly string[]): string => join(path, ...parts);
	const namesPath = at('names.json');

	/** A file that another one names: it has to be there. */
	async function demand(name: string): Promise<string> {
		const text = await readTextIfThere(at('metadata', name));
		if (text === null) throw new Fault('not-found', `${at('metadata', name)} is missing: the repository is not whole`);
		return text;
	}

	async function names(): Promise<Readonly<Record<string, string>>> {
		try {
			const raw: unknown = JSON.parse((await readTextIfThere(namesPath)) ?? '{}');
			const { value, error } = namesSchema.validate(raw);
			if (error !== undefined) throw error;
			return value;
		} catch (error) {
			throw new Fault('malformed', `${namesPath}: ${messageOf(error)}`, { cause: error });
		}
	}

	return {
		path,
		metadataPath: at('metadata'),
		targetsPath: at('targets'),
		names,
		async published() {
			const root = await newestRoot(at('metadata'));
			const text = await readTextIfThere(at('metadata', 'timestamp.json'));
			if (text === null) return { root, timestamp: null, snapshot: null, targets: null, roles: new Map() };
			const timestamp = readTimestamp('timestamp.json', text);
			const snapshotName = `${timestamp.metadata.signed.snapshotMeta.version}.snapshot.json`;
			const snapshot = readSnapshot(snapshotName, await demand(snapshotName));
			const roles = new Map<string, TargetsDocument>();
			for (const [file, { version }] of Object.entries(snapshot.metadata.signed.meta))
				roles.set(file.replace(/\.json$/, ''), readTargets(`${version}.${file}`, await demand(`${version}.${file}`)));
			const targets = roles.get('targets') ?? null;
			roles.delete('targets');
			return { root, timestamp, snapshot, targets, roles };
		},
		async staged() {
			const files = (await readdir(at('staged')).catch(() => [])).filter((name) => name.endsWith('.json')).toSorted();
			const texts = files.map(async (file): Promise<[string, string]> => {
				const text = (await readTextIfThere(at('staged', file))) ?? '';
				const role = file.replace(/\.json$/, '');
				readRole(role, text);
				return [role, text];
			});
			return new Map(await Promise.all(texts));
		},
		stage: (role, text) => writeForAll(at('staged', `${role}.json`), text),
		unstage: (role) => rm(at('staged', `${role}.json`), { force: true }),
		publishFile: (name, text) => writeForAll(at('metadata', name), text),
		async addTargetFile(target, file) {
			await stat(file).catch((error: unknown) => {
				throw new Fault('not-found', `${file} cannot be read`, { cause: error });
			});
			const temporary = at('targets', '.adding');
			await mkdir(dirname(temporary), { recursive: true, mode: 0o755 });
			const found = await copyHashed(file, temporary);
			const final = at('targets', targetFileName({ path: target, sha256: found.sha256 }));
			await mkdir(dirname(final), { recursive: true, mode: 0o755 });
			await rename(temporary, final);
			await syncFolder(dirname(final));
			return found;
		},
		async addNames(more) {
			const all = { ...(await names()), ...more };
			await writeForAll(namesPath, `${JSON.stringify(all, null, '\t')}\n`);
		},
	};
}
