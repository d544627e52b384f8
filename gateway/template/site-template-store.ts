import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { messageOf } from '../../core/kernel/fault.ts';
import { diskFault } from '../../core/storage/disk-fault.ts';
import { syncFolder, writeFileDurably } from '../../core/storage/json-file.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';

/** Largest template, as text. */
export const MAX_SITE_TEMPLATE_BYTES = 1024 * 1024;
/** Most templates of one site; more files are not looked at. */
export const MAX_SITE_TEMPLATES = 200;

const FILE = /^([a-z0-9][a-z0-9-]{0,63})\.json$/;

/** One file: its content, or why it cannot be read. */
export interface StoredTemplate {
	readonly key: string;
	readonly bytes: number;
	readonly raw: JsonValue | null;
	readonly reason: string | null;
}

export interface SiteTemplateStore {
	/** All of them by key. What cannot be read says why, and stays. */
	load(): Promise<readonly StoredTemplate[]>;
	/** Resolves once it would survive a power cut. @throws Fault `unavailable` when the disk takes no change */
	write(key: string, text: string): Promise<void>;
	/** @throws Fault `unavailable` */
	remove(key: string): Promise<void>;
}

/** Templates of the site as files, one for each key. */
export async function openSiteTemplateStore(folder: string): Promise<SiteTemplateStore> {
	await mkdir(folder, { recursive: true, mode: 0o700 });
	const pathOf = (key: string): string => join(folder, `${key}.json`);

	async function loadOne(key: string): Promise<StoredTemplate> {
		try {
			const info = await stat(pathOf(key));
			if (!info.isFile() || info.size > MAX_SITE_TEMPLATE_BYTES)
				return { key, bytes: 0, raw: null, reason: `must be a file of at most ${MAX_SITE_TEMPLATE_BYTES} bytes` };
			// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what comes out of JSON.parse is JSON
			const raw = JSON.parse(await readFile(pathOf(key), 'utf8')) as JsonValue;
			return { key, bytes: info.size, raw, reason: null };
		} catch (error) {
			return { key, bytes: 0, raw: null, reason: messageOf(error) };
		}
	}

	return {
		async load() {
			const names = (await readdir(folder)).toSorted();
			const keys = names.flatMap((name) => FILE.exec(name)?.[1] ?? []);
			const loaded: StoredTemplate[] = [];
			for (const key of keys.slice(0, MAX_SITE_TEMPLATES)) loaded.push(await loadOne(key));
			return loaded;
		},
		async write(key, text) {
			try {
				await writeFileDurably(pathOf(key), text);
			} catch (error) {
				throw diskFault(pathOf(key), error);
			}
		},
		async remove(key) {
			try {
				await rm(pathOf(key), { force: true });
				await syncFolder(folder);
			} catch (error) {
				throw diskFault(pathOf(key), error);
			}
		},
	};
}
