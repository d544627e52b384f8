import { SettingsFault, type SettingsMistake } from '../../config/settings-fault.ts';
import { templateFile } from '../../config/template/template-file.ts';
import type { TemplateDocument } from '../../config/template/template.ts';
import { checksumOf } from '../../core/configuration/canonical-json.ts';
import type { Device } from '../../core/device/device.ts';
import { Fault, FieldsFault, notFound } from '../../core/kernel/fault.ts';
import { createGate } from '../../core/kernel/gate.ts';
import type { DeviceId } from '../../core/kernel/id.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';
import { type Learnt, withLearnt } from '../driver/modbus/plan/learnt.ts';
import type { TemplateLibrary } from './template-library.ts';

/** Who a template is from: the product, an upload at this box, or the configuration of its hub. */
export type TemplateOrigin = 'product' | 'site' | 'hub';

/** A template as it is shown. */
export interface ShownTemplate {
	readonly key: string;
	readonly origin: TemplateOrigin;
	/** Key of the template it changes. */
	readonly extends: string | null;
	/** SHA-256 of the canonical text of the document. */
	readonly checksum: string;
	/** device_uid of the devices that are read by it. */
	readonly usedBy: readonly string[];
	readonly mistakes: readonly SettingsMistake[];
	readonly document: JsonValue;
}

/** How a template is wanted. */
export interface TemplateView {
	/** Written out: what it extends and what it changes as one. */
	readonly isResolved: boolean;
	/** With what this device has taught; implies `isResolved`. */
	readonly learntOf: Device | null;
}

export interface TemplateServiceDeps {
	readonly library: TemplateLibrary;
	/** Templates in force, those of the hub's configuration in front. */
	readonly shelf: {
		readonly templates: ReadonlyMap<string, TemplateDocument>;
		readonly isInstalled: (key: string) => boolean;
		readonly refresh: (key: string) => void;
	};
	readonly devices: { readonly all: () => readonly Device[] };
	/** What was learnt about a device; `null` when it is not polled. */
	readonly learnt: (id: DeviceId) => Learnt | null;
	/** Templates are others now; resolves when what polls has looked. */
	readonly rearranged: () => Promise<void>;
}

/** Changes that may wait for each other. */
const MAX_WAITING = 100;
const MAX_NAMED = 10;

/** A whole template as JSON, as in its file. */
const fileOf = (template: TemplateDocument): JsonValue =>
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a template file is JSON
	JSON.parse(JSON.stringify(templateFile(template))) as JsonValue;

const named = (uids: readonly string[]): string =>
	uids.length <= MAX_NAMED
		? uids.join(', ')
		: `${uids.slice(0, MAX_NAMED).join(', ')} and ${uids.length - MAX_NAMED} more`;

/** Device templates of the box: shown, uploaded, deleted. A device whose template changes is read by it at once; the others go on undisturbed. */
export function createTemplateService({ library, shelf, devices, learnt, rearranged }: TemplateServiceDeps) {
	const gate = createGate({ what: 'changes of templates', parallel: 1, waiting: MAX_WAITING });
	/** Of templates that are not of the site: their text is made when somebody asks. */
	const sums = new WeakMap<TemplateDocument, string>();

	const originOf = (key: string): TemplateOrigin => {
		if (shelf.isInstalled(key)) return 'hub';
		return library.site.has(key) ? 'site' : 'product';
	};

	const usersOf = (key: string): readonly string[] =>
		devices.all().flatMap(({ uid, connection, deletedAt }) => {
			if (deletedAt !== null || connection === null || connection.driver === 'mqtt') return [];
			return connection.template === key ? [uid] : [];
		});

	function checksumOfFile(template: TemplateDocument): string {
		const known = sums.get(template) ?? checksumOf(fileOf(template));
		sums.set(template, known);
		return known;
	}

	/** @throws Fault `not-found` */
	function templateOf(key: string): TemplateDocument {
		const template = shelf.templates.get(key);
		if (template === undefined) throw notFound('template', key);
		return template;
	}

	function resolvedFor(key: string, device: Device | null): JsonValue {
		const template = templateOf(key);
		if (device === null) return fileOf(template);
		const known = learnt(device.id);
		if (known === null || !usersOf(key).includes(device.uid))
			throw new Fault('rule-violation', `device ${device.uid} is not read by template ${key}`);
		return fileOf(withLearnt(template, known));
	}

	/** @throws Fault `not-found`; `rule-violation` when nothing was learnt by the device with this template */
	function shown(key: string, { isResolved, learntOf }: TemplateView): ShownTemplate {
		const origin = originOf(key);
		const own = origin === 'site' ? library.site.get(key) : undefined;
		const about = { key, origin, usedBy: usersOf(key), mistakes: own?.mistakes ?? [] };
		if (own !== undefined && own.mistakes.length > 0)
			return { ...about, extends: null, checksum: own.checksum, document: own.raw };
		const template = templateOf(key);
		const isWhole = own === undefined || isResolved || learntOf !== null;
		return {
			...about,
			extends: template.extends ?? null,
			checksum: own?.checksum ?? checksumOfFile(template),
			document: isWhole ? resolvedFor(key, learntOf) : own.raw,
		};
	}

	/** `null`: the site has none of this key. */
	const siteChecksum = (key: string): string | null => library.site.get(key)?.checksum ?? null;

	function assertOwn(key: string): void {
		if (shelf.isInstalled(key))
			throw new Fault('state-conflict', `template ${key} is part of the configuration of the hub: change it there`);
	}

	return {
		shown,
		/** The template in force. @throws Fault `not-found` */
		template: templateOf,
		/** One line for each, the ones of the site that cannot be used too. */
		all: () => {
			const keys = new Set([...shelf.templates.keys(), ...library.site.keys()]);
			return Array.from(keys, (key) => {
				const origin = originOf(key);
				const mistakes = origin === 'site' ? (library.site.get(key)?.mistakes ?? []) : [];
				const template = mistakes.length === 0 ? shelf.templates.get(key) : undefined;
				return { key, origin, template, mistakes };
			});
		},
		/** What a document would be as a template of the site. @throws FieldsFault with every mistake and its place */
		parse(key: string, raw: unknown): TemplateDocument {
			try {
				return library.parse(key, raw);
			} catch (error) {
				if (error instanceof SettingsFault) throw new FieldsFault(error.mistakes);
				throw error;
			}
		},
		/**
		 * Keeps an uploaded template and reads its devices by it.
		 * @param check asked with the checksum of what it replaces, in the turn that writes; `null`: the site has none of this key
		 * @throws FieldsFault with every mistake; Fault `state-conflict` when the hub has put it here, `unavailable` when the disk is full
		 */
		put(key: string, raw: JsonValue, check: (checksum: string | null) => void): Promise<ShownTemplate> {
			return gate.run(async () => {
				assertOwn(key);
				check(siteChecksum(key));
				try {
					await library.put(key, raw);
				} catch (error) {
					if (error instanceof SettingsFault) throw new FieldsFault(error.mistakes);
					throw error;
				}
				shelf.refresh(key);
				await rearranged();
				return shown(key, { isResolved: false, learntOf: null });
			});
		},
		/** @throws Fault `not-found`; `state-conflict` naming the devices that use it, or when it is not of the site */
		remove(key: string, check: (checksum: string | null) => void): Promise<void> {
			return gate.run(async () => {
				if (!library.site.has(key)) {
					if (shelf.templates.has(key))
						throw new Fault('state-conflict', `template ${key} was not uploaded here: it cannot be deleted`);
					throw notFound('template', key);
				}
				assertOwn(key);
				const users = usersOf(key);
				if (users.length > 0)
					throw new Fault('state-conflict', `template ${key} is used by ${named(users)}: give them another one first`);
				check(siteChecksum(key));
				await library.remove(key);
				shelf.refresh(key);
				await rearranged();
			});
		},
	};
}

export type TemplateService = ReturnType<typeof createTemplateService>;
