import { SettingsFault, type SettingsMistake } from '../../config/settings-fault.ts';
import { parseTemplate } from '../../config/template/template-schema.ts';
import type { TemplateDocument } from '../../config/template/template.ts';
import { checksumOf } from '../../core/configuration/canonical-json.ts';
import { Fault, fieldFault, messageOf } from '../../core/kernel/fault.ts';
import { type SetTimer, systemTimer } from '../../core/journal/set-timer.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { isWithinBounds } from '../../core/telemetry/json-bounds.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';
import { MAX_DEPTH } from './import/placed-value.ts';
import {
	MAX_SITE_TEMPLATE_BYTES,
	MAX_SITE_TEMPLATES,
	openSiteTemplateStore,
	type StoredTemplate,
} from './site-template-store.ts';
import { createTemplateThread } from './template-thread.ts';

/** Most bytes of all templates of the site together. */
const MAX_ALL_BYTES = 16 * 1024 * 1024;

/** More points, or more values in all, than these would keep everything else waiting while they are looked at. */
const MOST_POINTS_AT_ONCE = 500;
const MOST_VALUES_AT_ONCE = 5000;

const pointsIn = (raw: JsonValue): number => {
	const points: unknown = typeof raw === 'object' && raw !== null ? Reflect.get(raw, 'points') : null;
	return Array.isArray(points) ? points.length : 0;
};

/** Whether there are more values than these, wherever they are in the document. */
function hasMoreValues(raw: JsonValue, most: number): boolean {
	const left: unknown[] = [raw];
	for (let count = 0; left.length > 0; count += 1) {
		if (count + left.length > most) return true;
		const value = left.pop();
		if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) left.push(inner);
	}
	return false;
}

const isHeavy = (raw: JsonValue): boolean =>
	pointsIn(raw) > MOST_POINTS_AT_ONCE || hasMoreValues(raw, MOST_VALUES_AT_ONCE);

/** What is nested too deep cannot be handed to another thread, and is no template. @throws SettingsFault that names the members */
function assertShallow(raw: JsonValue): void {
	if (typeof raw !== 'object' || raw === null) return;
	const deep = Object.entries(raw).filter(([, value]) => !isWithinBounds(value, { depth: MAX_DEPTH, nodes: Infinity }));
	if (deep.length === 0) return;
	throw new SettingsFault(
		deep.map(([path]) => ({ path, message: `must not be nested deeper than ${MAX_DEPTH} levels` })),
	);
}

/** A template that somebody has uploaded here. */
export interface SiteTemplate {
	readonly key: string;
	/** As it was uploaded; `null`: its file cannot be read. */
	readonly raw: JsonValue | null;
	/** SHA-256 of its canonical text; '' when it cannot be read. */
	readonly checksum: string;
	readonly bytes: number;
	/** Empty when it is in use. */
	readonly mistakes: readonly SettingsMistake[];
}

export interface TemplateLibraryDeps {
	readonly folder: string;
	/** Templates of the product and of the box's own folder; those of the site may extend them. */
	readonly base: ReadonlyMap<string, TemplateDocument>;
	readonly log: Logger;
	/** For the longest time that judging a template may take. */
	readonly setTimer?: SetTimer;
}

const mistakesOf = (error: unknown): readonly SettingsMistake[] =>
	error instanceof SettingsFault ? error.mistakes : [{ path: '', message: messageOf(error) }];

/** Templates of this box: those it was shipped with, and in front of them those that were uploaded to it, which are kept durably. */
export async function openTemplateLibrary({ folder, base, log, setTimer = systemTimer }: TemplateLibraryDeps) {
	const store = await openSiteTemplateStore(folder);
	const thread = createTemplateThread({ bases: base, setTimer });
	const templates = new Map(base);
	const site = new Map<string, SiteTemplate>();

	function restore({ key, raw, reason, bytes }: StoredTemplate): void {
		let checksum = '';
		try {
			if (reason !== null) throw new SettingsFault([{ path: '', message: reason }]);
			checksum = checksumOf(raw);
			templates.set(key, parseTemplate(key, raw, base));
			site.set(key, { key, raw, checksum, bytes, mistakes: [] });
		} catch (error) {
			const mistakes = mistakesOf(error);
			for (const { path, message } of mistakes)
				log.error('template-refused', { path: `${key}: ${path}`, reason: message });
			site.set(key, { key, raw: checksum === '' ? null : raw, checksum, bytes, mistakes });
		}
	}

	for (const stored of await store.load()) restore(stored);

	/** @throws Fault `rule-violation` when there is no room */
	function assertRoom(key: string, bytes: number): void {
		if (bytes > MAX_SITE_TEMPLATE_BYTES)
			throw new Fault('rule-violation', `a template has at most ${MAX_SITE_TEMPLATE_BYTES} bytes; found ${bytes}`);
		const others = [...site.values()].filter((each) => each.key !== key);
		if (others.length >= MAX_SITE_TEMPLATES)
			throw fieldFault(
				'rule-violation',
				'key',
				`the site has ${MAX_SITE_TEMPLATES} templates already: delete one first`,
			);
		const all = others.reduce((sum, each) => sum + each.bytes, bytes);
		if (all > MAX_ALL_BYTES)
			throw new Fault('rule-violation', `all templates of the site have at most ${MAX_ALL_BYTES} bytes; found ${all}`);
	}

	/** What is large is judged on the thread of templates. @throws SettingsFault with every mistake */
	async function judged(key: string, raw: JsonValue): Promise<TemplateDocument> {
		assertShallow(raw);
		if (!isHeavy(raw)) return parseTemplate(key, raw, base);
		const outcome = await thread.run({ kind: 'parse', key, raw });
		if (outcome.kind === 'parsed') return outcome.template;
		if (outcome.kind === 'mistaken') throw new SettingsFault(outcome.mistakes);
		log.warn('template-not-judged', { key, reason: outcome.kind === 'failed' ? outcome.reason : outcome.kind });
		throw new Fault('rule-violation', 'the template cannot be read');
	}

	return {
		/** All by key; changes with what is uploaded. */
		templates: templates as ReadonlyMap<string, TemplateDocument>,
		/** Reads and judges what takes long. */
		thread,
		/** Those of the site, also the ones that cannot be used. */
		site: site as ReadonlyMap<string, SiteTemplate>,
		/** Whether the product or the box's own folder has it. */
		isShipped: (key: string): boolean => base.has(key),
		/** As a template of the site. @throws SettingsFault with every mistake */
		parse: (key: string, raw: unknown): TemplateDocument => parseTemplate(key, raw, base),
		/**
		 * Keeps a template in the place of the one of this key; it is durable, and in use, when it resolves.
		 * @throws SettingsFault; Fault `rule-violation` when there is no room, `unavailable` when the disk takes no change
		 */
		async put(key: string, raw: JsonValue): Promise<SiteTemplate> {
			const template = await judged(key, raw);
			const text = `${JSON.stringify(raw, null, '\t')}\n`;
			const bytes = Buffer.byteLength(text);
			assertRoom(key, bytes);
			await store.write(key, text);
			const kept = { key, raw, checksum: checksumOf(raw), bytes, mistakes: [] };
			site.set(key, kept);
			templates.set(key, template);
			return kept;
		},
		/** Takes it away; one of the product with the same key is there again. */
		async remove(key: string): Promise<void> {
			await store.remove(key);
			site.delete(key);
			const own = base.get(key);
			if (own === undefined) templates.delete(key);
			else templates.set(key, own);
		},
	};
}

export type TemplateLibrary = Awaited<ReturnType<typeof openTemplateLibrary>>;
