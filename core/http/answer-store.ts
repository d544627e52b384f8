import {
	createCipheriv,
	createDecipheriv,
	createHash,
	createHmac,
	createSecretKey,
	type KeyObject,
	randomBytes,
} from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import Joi from 'joi';

import { type Clock, type EpochMs, epochMs } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';
import { writeFileDurably } from '../storage/json-file.ts';

/** An answer as it goes over the wire, but for what every answer gets. */
export interface KeptAnswer {
	readonly status: number;
	readonly headers: Readonly<Record<string, string>>;
	/** `null`: none. */
	readonly body: string | null;
}

/** What is known of a request that carried a key. */
export interface KeptRequest {
	/** Tells two requests under one key apart. */
	readonly fingerprint: string;
	/** `running`: in this process. `unknown`: it was begun, and the box stopped before it was answered, or its answer was too long to keep. */
	readonly state: 'running' | 'unknown' | 'answered';
}

/** First answers by key, for clients that retry because they did not hear them. */
export interface AnswerStore {
	find(id: string): KeptRequest | null;
	/** Notes that the request runs; durable when it resolves, so that a power cut does not make it run twice. */
	begin(id: string, fingerprint: string): Promise<void>;
	/** Keeps the answer; durable when it resolves. @param secret opens it again, and is not kept */
	finish(id: string, answer: KeptAnswer, secret: string): Promise<void>;
	/** As if it had never been asked. */
	forget(id: string): Promise<void>;
	/** The kept answer; `null` when it cannot be read. */
	read(id: string, secret: string): Promise<KeptAnswer | null>;
}

interface Entry {
	readonly at: EpochMs;
	readonly fingerprint: string;
	state: KeptRequest['state'];
}

interface StoredEntry {
	readonly at: number;
	readonly fingerprint: string;
	/** iv, tag and ciphertext; `null` until it is answered. */
	readonly sealed: string | null;
}

const storedEntry = Joi.object<StoredEntry, true>({
	at: Joi.number().integer().required(),
	fingerprint: Joi.string().required(),
	sealed: Joi.string().allow(null).required(),
});

const MAX_KEYS = 1_000;
const KEPT_MS = 86_400_000;
/** Longer answers are not kept: all of them together stay below 44 MB on disk, and in practice at a hundredth of it. */
const MAX_ANSWER_BYTES = 32_768;
/** As many characters as AES-GCM wants bytes. */
const IV_RANDOM_BYTES = 9;
const ID = /^[0-9a-f]{64}$/;

const sealingKey = (id: string, secret: string): KeyObject =>
	createSecretKey(createHmac('sha256', secret).update(`answer ${id}`).digest('hex'), 'hex');

/** Answers may hold what is shown once, such as a password: on disk they open only with the key that the client chose. */
function seal(id: string, secret: string, text: string): string {
	const iv = randomBytes(IV_RANDOM_BYTES).toString('base64url');
	const cipher = createCipheriv('aes-256-gcm', sealingKey(id, secret), iv);
	const body = cipher.update(text, 'utf8', 'base64') + cipher.final('base64');
	return [iv, cipher.getAuthTag().toString('base64'), body].join(' ');
}

/** @throws Error when it was changed or the secret is another one */
function unseal(id: string, secret: string, sealed: string): string {
	const [iv = '', tag = '', body = ''] = sealed.split(' ');
	const decipher = createDecipheriv('aes-256-gcm', sealingKey(id, secret), iv, { authTagLength: 16 });
	decipher.setAuthTag(Uint8Array.from(Buffer.from(tag, 'base64')));
	return decipher.update(body, 'base64', 'utf8') + decipher.final('utf8');
}

/** The identity of a key: whose, for which operation, and the key itself, none of which can be read from it. */
export const answerId = (userId: string, operation: string, key: string): string =>
	createHash('sha256').update([userId, operation, key].join('\n')).digest('hex');

/** @throws Error when the file holds something else */
async function readEntry(path: string): Promise<StoredEntry> {
	const stored: unknown = JSON.parse(await readFile(path, 'utf8'));
	const { error, value } = storedEntry.validate(stored);
	if (error !== undefined) throw error;
	return value;
}

/** Opens the folder of kept answers: at most 1 000, for 24 hours, one small file each. Whatever cannot be read in it is dropped. */
export async function openAnswerStore({
	folder,
	clock,
	log,
	maxKeys = MAX_KEYS,
}: {
	readonly folder: string;
	readonly clock: Clock;
	readonly log: Logger;
	readonly maxKeys?: number;
}): Promise<AnswerStore> {
	/** Oldest first. */
	const entries = new Map<string, Entry>();
	const pathOf = (id: string): string => join(folder, id);

	async function load(): Promise<void> {
		await mkdir(folder, { recursive: true, mode: 0o700 });
		const found: (readonly [string, Entry])[] = [];
		for (const id of await readdir(folder)) {
			try {
				if (!ID.test(id)) throw new SyntaxError('not a kept answer');
				const { at, fingerprint, sealed } = await readEntry(pathOf(id));
				found.push([id, { at: epochMs(at), fingerprint, state: sealed === null ? 'unknown' : 'answered' }]);
			} catch (error) {
				log.warn('kept-answer-dropped', { file: id, reason: messageOf(error) });
				await rm(pathOf(id), { force: true });
			}
		}
		for (const [id, entry] of found.toSorted(([, one], [, other]) => one.at - other.at)) entries.set(id, entry);
	}

	async function forget(id: string): Promise<void> {
		entries.delete(id);
		await rm(pathOf(id), { force: true });
	}

	/** Makes room for one more: what is too old goes, and beyond the limit the oldest. */
	async function sweep(): Promise<void> {
		const oldestAllowed = clock.now() - KEPT_MS;
		for (const [id, { at, state }] of entries) {
			// A clock that was set back must not keep answers for ever; one set forward lets them go early.
			const isOld = at < oldestAllowed || at > clock.now() + KEPT_MS;
			if (!isOld && entries.size <= maxKeys) break;
			if (state !== 'running') await forget(id);
		}
	}

	const write = (id: string, { at, fingerprint }: Entry, sealed: string | null): Promise<void> =>
		writeFileDurably(pathOf(id), JSON.stringify({ at, fingerprint, sealed } satisfies StoredEntry));

	await load();
	return {
		find(id) {
			const entry = entries.get(id);
			return entry === undefined || entry.at < clock.now() - KEPT_MS ? null : entry;
		},
		async begin(id, fingerprint) {
			const entry: Entry = { at: clock.now(), fingerprint, state: 'running' };
			// In memory before anything is waited for: the same key a moment later finds it.
			entries.delete(id);
			entries.set(id, entry);
			try {
				await sweep();
				await write(id, entry, null);
			} catch (error) {
				entries.delete(id);
				throw error;
			}
		},
		async finish(id, answer, secret) {
			const entry = entries.get(id);
			if (entry === undefined) return;
			entry.state = 'unknown';
			const text = JSON.stringify(answer);
			if (Buffer.byteLength(text) > MAX_ANSWER_BYTES) return;
			await write(id, entry, seal(id, secret, text));
			entry.state = 'answered';
		},
		forget,
		async read(id, secret) {
			try {
				const { sealed } = await readEntry(pathOf(id));
				// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sealed by this file, and it opens
				return sealed === null ? null : (JSON.parse(unseal(id, secret, sealed)) as KeptAnswer);
			} catch (error) {
				log.warn('kept-answer-unreadable', { reason: messageOf(error) });
				return null;
			}
		},
	};
}
