import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';

import { diskFault } from '../../core/storage/disk-fault.ts';
import { syncFolder } from '../../core/storage/json-file.ts';
import type { TrustedTarget } from './delegation-walk.ts';
import { type Pace, TARGET_PACE, type TargetSource } from './metadata-source.ts';
import { TrustFault } from './trust-fault.ts';

/** So many bytes are flushed at a time: what a power cut costs, and what the page cache holds at most. */
const FLUSH_BYTES = 8 * 1024 * 1024;

export interface DownloadOptions {
	readonly target: TrustedTarget;
	readonly source: TargetSource;
	/** Gets `SHA256.part`, and in the end `SHA256`. */
	readonly folder: string;
	readonly signal: AbortSignal;
	/** Told with each part that came. */
	readonly progress?: (bytes: number) => void;
	readonly pace?: Pace;
}

export interface Downloaded {
	/** The verified file, on the medium. */
	readonly path: string;
	/** What this call took from the source; the rest was there before. */
	readonly fetchedBytes: number;
}

/** The file's name in the targets folder: consistent snapshots put the hash before it (TUF 1.0.34, 5.7.3, 6.2). */
export function targetFileName({ path, sha256 }: Pick<TrustedTarget, 'path' | 'sha256'>): string {
	const { dir, base } = posix.parse(path);
	return posix.join(dir, `${sha256}.${base}`);
}

/** What is there of an earlier try, and the hash of it. */
async function found(path: string, mostBytes: number): Promise<{ readonly bytes: number; readonly hash: Hash }> {
	const hash = createHash('sha256');
	const size = await stat(path).then(
		({ size: bytes }) => bytes,
		() => 0,
	);
	if (size === 0 || size > mostBytes) return { bytes: 0, hash };
	for await (const chunk of createReadStream(path)) {
		const part: Uint8Array = chunk;
		hash.update(part);
	}
	return { bytes: size, hash };
}

/** Appends to a file and flushes it now and then. */
function createSink(file: FileHandle, path: string) {
	let unflushed = 0;
	return {
		async write(chunk: Uint8Array, at: number): Promise<void> {
			try {
				for (let done = 0; done < chunk.length;) {
					const { bytesWritten } = await file.write(chunk, done, chunk.length - done, at + done);
					done += bytesWritten;
				}
				unflushed += chunk.length;
				if (unflushed < FLUSH_BYTES) return;
				await file.datasync();
				unflushed = 0;
			} catch (error) {
				throw diskFault(path, error);
			}
		},
	};
}

async function isThere(path: string, { length, sha256 }: TrustedTarget): Promise<boolean> {
	const { bytes, hash } = await found(path, length);
	return bytes === length && hash.digest('hex') === sha256;
}

/** Takes what the source has from where the file ends; answers the hash of everything, and how much was taken. */
async function take(part: string, { target, source, signal, progress, pace = TARGET_PACE }: DownloadOptions) {
	const { length, sha256, path } = target;
	const before = await found(part, length);
	if (before.bytes === length) return { hash: before.hash, bytes: length, fetched: 0 };
	const file = await open(part, before.bytes === 0 ? 'w' : 'r+', 0o600).catch((error: unknown) => {
		throw diskFault(part, error);
	});
	try {
		const sink = createSink(file, part);
		const name = targetFileName(target);
		const answer = await source.open(name, { fromByte: before.bytes, sha256, pace, signal });
		const goesOn = answer.fromByte === before.bytes;
		const hash = goesOn ? before.hash : createHash('sha256');
		let bytes = goesOn ? before.bytes : 0;
		if (!goesOn) await file.truncate(0);
		let fetched = 0;
		for await (const chunk of answer.chunks) {
			// TUF 5.7.3: never more than the signed length.
			if (bytes + chunk.length > length)
				throw new TrustFault('wrong-content', `${path}: more than the ${length} bytes that are signed`);
			await sink.write(chunk, bytes);
			hash.update(chunk);
			bytes += chunk.length;
			fetched += chunk.length;
			progress?.(bytes);
		}
		return { hash, bytes, fetched };
	} finally {
		// What came is kept for the next try, whatever ended this one; the file is flushed again before it counts.
		await file.datasync().catch(() => undefined);
		await file.close();
	}
}

/** Everything is on the medium before the name says so; what an earlier process wrote may not be yet. */
async function publishPart(part: string, path: string): Promise<void> {
	try {
		const file = await open(part, 'r+');
		try {
			await file.sync();
		} finally {
			await file.close();
		}
		await rename(part, path);
		await syncFolder(dirname(path));
	} catch (error) {
		throw diskFault(path, error);
	}
}

/**
 * One try to get the bytes of a target (TUF 1.0.34, 5.7). Goes on where an earlier one ended, after reading again what is there; whoever wants it whole calls
 * again after a fault that may pass. The final name appears when everything is verified and on the medium, never before.
 *
 * @throws TrustFault `wrong-content` (what was there is then gone), `unreachable` and `too-slow` (what came is kept), `missing`; Fault
 * `unavailable` when the disk takes no more
 */
export async function downloadTarget(options: DownloadOptions): Promise<Downloaded> {
	const { target, folder } = options;
	const path = join(folder, target.sha256);
	const part = `${path}.part`;
	await mkdir(folder, { recursive: true, mode: 0o700 });
	if (await isThere(path, target)) return { path, fetchedBytes: 0 };
	try {
		const { hash, bytes, fetched } = await take(part, options);
		if (bytes < target.length)
			throw new TrustFault('unreachable', `${target.path}: it ended after ${bytes} of ${target.length} bytes`);
		if (hash.digest('hex') !== target.sha256)
			throw new TrustFault('wrong-content', `${target.path}: its SHA-256 is not the one that is signed`);
		await publishPart(part, path);
		return { path, fetchedBytes: fetched };
	} catch (error) {
		if (error instanceof TrustFault && error.refusal === 'wrong-content') await rm(part, { force: true });
		throw error;
	}
}
