import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { TemplateDocument } from '../../config/template/template.ts';
import { checksumOf } from '../../core/configuration/canonical-json.ts';
import { MAX_TEMPLATE_BYTES, type TemplateReference } from '../../core/configuration/configuration.ts';
import { Fault, messageOf } from '../../core/kernel/fault.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { writeFileDurably } from '../../core/storage/json-file.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';

export interface TemplateShelfDeps {
	/** Gets one file per content, named by its SHA-256. */
	readonly folder: string;
	/** Templates of the product, of the box's own folder and of the site; may change, see `refresh`. */
	readonly base: ReadonlyMap<string, TemplateDocument>;
	/** @throws SettingsFault with every mistake */
	readonly parse: (key: string, raw: unknown) => TemplateDocument;
	readonly log: Logger;
}

/** Contents that are kept; beyond it those that no configuration needs are let go. */
const MAX_KEPT = 200;

const NAME = /^([0-9a-f]{64})\.json$/;

/** The device templates of this box: those it was shipped with, and in front of them those of the configuration. */
export async function openTemplateShelf({ folder, base, parse, log }: TemplateShelfDeps) {
	await mkdir(folder, { recursive: true, mode: 0o700 });
	const kept = new Set((await readdir(folder)).flatMap((name) => NAME.exec(name)?.[1] ?? []));
	const templates = new Map(base);
	/** SHA-256 of the installed ones, by key. */
	let installed = new Map<string, string>();

	const pathOf = (sha256: string): string => join(folder, `${sha256}.json`);

	async function read(key: string, sha256: string): Promise<TemplateDocument> {
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what comes out of JSON.parse is JSON
		const raw = JSON.parse(await readFile(pathOf(sha256), 'utf8')) as JsonValue;
		if (checksumOf(raw) !== sha256) throw new Fault('unavailable', `the content of template ${key} is damaged`);
		return parse(key, raw);
	}

	/** The template of the box itself, or none. */
	function useOwn(key: string): void {
		const own = base.get(key);
		if (own === undefined) templates.delete(key);
		else templates.set(key, own);
	}

	/** One that cannot be read leaves its devices without a template, and says so. */
	async function place(key: string, sha256: string): Promise<void> {
		try {
			templates.set(key, await read(key, sha256));
			installed.set(key, sha256);
		} catch (error) {
			log.error('template-refused', { path: pathOf(sha256), reason: messageOf(error) });
		}
	}

	return {
		/** All templates by key; changes with the configuration. */
		templates: templates as ReadonlyMap<string, TemplateDocument>,
		has: (sha256: string): boolean => kept.has(sha256),
		/** Whether the configuration has put this template here. */
		isInstalled: (key: string): boolean => installed.has(key),
		/** The box's own template of this key is another one, or none, from now on. */
		refresh(key: string): void {
			if (!installed.has(key)) useOwn(key);
		},
		read,
		/** Keeps a content; durable when it resolves. @throws Fault `rule-violation` when it is not what its name says */
		async keep(sha256: string, content: JsonValue): Promise<void> {
			if (checksumOf(content) !== sha256)
				throw new Fault('rule-violation', `a template came that is not ${sha256.slice(0, 12)}`);
			const text = JSON.stringify(content);
			if (Buffer.byteLength(text) > MAX_TEMPLATE_BYTES)
				throw new Fault('rule-violation', `template ${sha256.slice(0, 12)} has more than ${MAX_TEMPLATE_BYTES} bytes`);
			await writeFileDurably(pathOf(sha256), text);
			kept.add(sha256);
		},
		/** Makes the templates those of the box and these. */
		async install(references: Readonly<Record<string, TemplateReference>>): Promise<void> {
			const wanted = new Map(Object.entries(references).map(([key, { sha256 }]) => [key, sha256]));
			for (const key of installed.keys()) {
				if (!wanted.has(key)) useOwn(key);
			}
			const before = installed;
			installed = new Map([...before].filter(([key, sha256]) => wanted.get(key) === sha256));
			for (const [key, sha256] of wanted) if (!installed.has(key)) await place(key, sha256);
		},
		/** Lets go of contents that nothing names any more, when there are many. */
		async prune(needed: ReadonlySet<string>): Promise<void> {
			if (kept.size <= MAX_KEPT) return;
			for (const sha256 of kept) {
				if (needed.has(sha256)) continue;
				await rm(pathOf(sha256), { force: true });
				kept.delete(sha256);
			}
		},
	};
}

export type TemplateShelf = Awaited<ReturnType<typeof openTemplateShelf>>;
