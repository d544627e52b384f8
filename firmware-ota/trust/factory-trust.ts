import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import Joi from 'joi';

import { type Clock, type EpochMs, epochMs, toIso } from '../../core/kernel/clock.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import { readTextIfThere, writeFileDurably } from '../../core/storage/json-file.ts';
import { readRoot } from './metadata-document.ts';
import { checkOwnRoot } from './metadata-rules.ts';
import { TrustFault } from './trust-fault.ts';

/** What a build brings along to begin with: a root that everybody may read, and when it was made. No secret is in it. */
export interface FactoryTrust {
	/** Text of the root metadata. */
	readonly factoryRoot: string;
	readonly builtAt: EpochMs;
}

const ROOT_FILE = 'root.json';
const BUILD_FILE = 'build.json';

const buildSchema = Joi.object<{ readonly built_at: string }>({
	built_at: Joi.string().isoDate().required(),
}).unknown(true);

function builtAtOf(text: string): EpochMs {
	const raw: unknown = JSON.parse(text);
	const { value, error } = buildSchema.validate(raw);
	if (error !== undefined) throw error;
	return epochMs(Date.parse(value.built_at));
}

/**
 * Reads it from its folder in the release. A build without it, such as a checkout, takes no updates.
 *
 * @throws TrustFault `no-trust`
 */
export async function readFactoryTrust(folder: string): Promise<FactoryTrust> {
	const [root, build] = await Promise.all([
		readTextIfThere(join(folder, ROOT_FILE)),
		readTextIfThere(join(folder, BUILD_FILE)),
	]);
	if (root === null || build === null)
		throw new TrustFault('no-trust', `${folder}: this build brings no root, so it takes no updates`);
	try {
		checkOwnRoot(readRoot(ROOT_FILE, root));
		return { factoryRoot: root, builtAt: builtAtOf(build) };
	} catch (error) {
		throw new TrustFault('no-trust', `${folder}: ${messageOf(error)}`, { cause: error });
	}
}

/** Writes it for a build that is made now. @throws TrustFault when the root is not signed as it demands */
export async function writeFactoryTrust(folder: string, root: string, clock: Clock): Promise<void> {
	checkOwnRoot(readRoot(ROOT_FILE, root));
	await mkdir(folder, { recursive: true, mode: 0o755 });
	await writeFileDurably(join(folder, ROOT_FILE), root, 0o644);
	await writeFileDurably(join(folder, BUILD_FILE), `${JSON.stringify({ built_at: toIso(clock.now()) })}\n`, 0o644);
}
