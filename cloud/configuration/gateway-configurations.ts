import { canonicalJson, checksumOf } from '../../core/configuration/canonical-json.ts';
import {
	type ConfigurationDocument,
	type ConfigurationMistake,
	documentOf,
	jsonOf,
	MAX_TEMPLATE_BYTES,
	mergeConfigurations,
} from '../../core/configuration/configuration.ts';
import { checkDocument } from '../../core/configuration/configuration-schema.ts';
import { applyPatch, diff, type Patch } from '../../core/configuration/json-patch.ts';
import type { Conflict, Side } from '../../core/configuration/merge.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { Fault, fieldFault, messageOf, notFound } from '../../core/kernel/fault.ts';
import { createGate, type Gate } from '../../core/kernel/gate.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { RevisionCheck } from '../../core/kernel/revision.ts';
import type { ConfigDown, ConfigOrder } from '../../core/link/config-messages.ts';
import { isWithinBounds } from '../../core/telemetry/json-bounds.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';
import { type ConfigurationHead, emptyHead, neededBy, outdatedOf, type Revision } from './revision.ts';
import type { Content, RevisionRepository } from './revision-repository.ts';

export interface GatewayConfigurationsDeps {
	readonly repository: RevisionRepository;
	/** `false` when the gateway is not there to hear it; it is told with its next session. */
	readonly send: (gateway: GatewayId, message: ConfigDown) => boolean;
	/** @throws an error that names every mistake of a device template */
	readonly parseTemplate: (key: string, raw: unknown) => unknown;
	readonly clock: Pick<Clock, 'now'>;
}

/** What somebody wants to become a revision. */
export interface NewRevision {
	/** A whole document, or a patch to an existing one. */
	readonly document: unknown;
	readonly patch: Patch | null;
	/** What the patch is for; `null`: the newest revision, or else what the gateway runs. */
	readonly base: DocumentName | null;
	/** Contents of device templates by key. */
	readonly templates: Readonly<Record<string, JsonValue>>;
	readonly comment: string;
}

export interface ApplyOptions {
	readonly prefer: Side | null;
	readonly decisions: Readonly<Record<string, Side>>;
	readonly discardDrift: boolean;
	readonly trialMs: number;
	readonly requireDevices: boolean;
}

/** A revision by its number; `running`: the one that the gateway says it runs; `current`: with its local changes. */
export type DocumentName = number | 'running' | 'current';

export interface HubPreview {
	readonly mistakes: readonly ConfigurationMistake[];
	readonly conflicts: readonly Conflict[];
	readonly patch: Patch;
}

/** Changes of one gateway's configuration that may wait for each other. */
const MAX_WAITING = 100;

/** Deeper and larger than any template of `MAX_TEMPLATE_BYTES`. */
const TEMPLATE_BOUNDS = { depth: 32, nodes: 200_000 };

const NO_OPTIONS: ApplyOptions = {
	prefer: null,
	decisions: {},
	discardDrift: false,
	trialMs: 600_000,
	requireDevices: true,
};

/** The configurations of a fleet: revisions, what is wanted of each gateway, and what it said to that. */
export function createGatewayConfigurations(deps: GatewayConfigurationsDeps) {
	const { repository, send, clock } = deps;
	const gates = new Map<GatewayId, Gate>();

	function headOf(gateway: GatewayId): ConfigurationHead {
		const head = repository.head(gateway) ?? emptyHead(gateway);
		const newest = repository.revisions(gateway)[0]?.revision ?? 0;
		return { ...head, lastRevision: Math.max(head.lastRevision, newest) };
	}

	function inTurn<T>(gateway: GatewayId, work: () => Promise<T>): Promise<T> {
		const gate = gates.get(gateway) ?? createGate({ what: 'configuration changes', parallel: 1, waiting: MAX_WAITING });
		gates.set(gateway, gate);
		return gate.run(work);
	}

	function find(gateway: GatewayId, number: number): Revision {
		const revision = repository.revisions(gateway).find((one) => one.revision === number);
		if (revision === undefined) throw notFound('revision', String(number));
		return revision;
	}

	async function contentOf(gateway: GatewayId, checksum: string): Promise<JsonValue> {
		const content = await repository.content(gateway, checksum);
		if (content === null) throw new Fault('unavailable', `the content ${checksum.slice(0, 12)} is not kept any more`);
		return content;
	}

	/** @throws Fault `state-conflict` before the gateway has said what it runs */
	function stateOf(gateway: GatewayId) {
		const { state } = headOf(gateway);
		if (state === null) throw new Fault('state-conflict', 'the gateway has not told its configuration yet');
		return state;
	}

	async function read(gateway: GatewayId, name: DocumentName): Promise<JsonValue> {
		if (typeof name === 'number') return contentOf(gateway, find(gateway, name).checksum);
		const { current, revision } = stateOf(gateway);
		return name === 'current' ? contentOf(gateway, current) : contentOf(gateway, find(gateway, revision).checksum);
	}

	function assertTemplate(key: string, content: JsonValue): void {
		const field = `templates.${key}`;
		if (!isWithinBounds(content, TEMPLATE_BOUNDS))
			throw fieldFault(
				'rule-violation',
				field,
				`a template has at most ${TEMPLATE_BOUNDS.depth} levels and ${TEMPLATE_BOUNDS.nodes} values`,
			);
		const bytes = Buffer.byteLength(canonicalJson(content));
		if (bytes > MAX_TEMPLATE_BYTES)
			throw fieldFault('rule-violation', field, `a template has at most ${MAX_TEMPLATE_BYTES} bytes; found ${bytes}`);
		try {
			deps.parseTemplate(key, content);
		} catch (error) {
			throw fieldFault('rule-violation', field, messageOf(error).replaceAll('\n', '; '), { cause: error });
		}
	}

	/** The wanted document with its templates named by content; not checked yet. */
	async function draftOf(gateway: GatewayId, wanted: NewRevision): Promise<unknown> {
		const newest = repository.revisions(gateway)[0]?.revision;
		const base = wanted.base ?? newest ?? 'current';
		const document = wanted.patch === null ? wanted.document : applyPatch(await read(gateway, base), wanted.patch);
		const keys = Object.keys(wanted.templates);
		if (keys.length === 0 || typeof document !== 'object' || document === null) return document;
		const references = keys.map((key) => [key, { sha256: checksumOf(wanted.templates[key] ?? null) }]);
		const named = 'templates' in document && typeof document.templates === 'object' ? document.templates : {};
		return { ...document, templates: { ...named, ...Object.fromEntries(references) } };
	}

	async function templateMistakes(
		gateway: GatewayId,
		document: ConfigurationDocument,
		given: readonly Content[],
	): Promise<readonly ConfigurationMistake[]> {
		const mistakes: ConfigurationMistake[] = [];
		for (const [key, { sha256 }] of Object.entries(document.templates)) {
			const isHere =
				given.some(({ checksum }) => checksum === sha256) || (await repository.content(gateway, sha256)) !== null;
			if (!isHere) mistakes.push({ path: `/templates/${key}`, message: `the content ${sha256} is not here; send it` });
		}
		return mistakes;
	}

	const contentsOf = (templates: NewRevision['templates']): readonly Content[] =>
		Object.entries(templates).map(([key, value]) => {
			assertTemplate(key, value);
			return { checksum: checksumOf(value), value };
		});

	/** Checks a wanted document whole. */
	async function checked(gateway: GatewayId, wanted: NewRevision) {
		const contents = contentsOf(wanted.templates);
		const { document, mistakes } = checkDocument(await draftOf(gateway, wanted));
		if (document === null) return { document, mistakes, contents };
		return { document, mistakes: await templateMistakes(gateway, document, contents), contents };
	}

	interface Addition {
		readonly document: ConfigurationDocument;
		readonly contents: readonly Content[];
		readonly author: string;
		readonly comment: string;
		readonly origin: Revision['origin'];
	}

	async function add(gateway: GatewayId, { document, contents, author, comment, origin }: Addition): Promise<Revision> {
		const head = headOf(gateway);
		const text = canonicalJson(jsonOf(document));
		const added: Revision = {
			gateway,
			revision: Math.max(head.lastRevision, head.state?.revision ?? 0) + 1,
			checksum: checksumOf(jsonOf(document)),
			author,
			comment,
			origin,
			createdAt: clock.now(),
			bytes: Buffer.byteLength(text),
			devices: Object.keys(document.devices).length,
			templates: [...new Set(Object.values(document.templates).map(({ sha256 }) => sha256))],
		};
		const next = { ...head, lastRevision: added.revision };
		const removed = outdatedOf(next, [added, ...repository.revisions(gateway)]);
		const kept = [added, ...repository.revisions(gateway)].filter((one) => !removed.includes(one));
		await repository.save({
			head: next,
			contents: [...contents, { checksum: added.checksum, value: jsonOf(document) }],
			added,
			removed,
			...(removed.length > 0 && { needed: neededBy(next, kept) }),
		});
		return added;
	}

	/** Notes what is wanted of a gateway and tells it, now or with its next session. */
	async function order(
		gateway: GatewayId,
		wanted: Pick<ConfigOrder, 'kind' | 'revision' | 'checksum' | 'author'>,
		options: ApplyOptions,
	): Promise<void> {
		const head = headOf(gateway);
		const now = clock.now();
		const next: ConfigOrder = {
			type: 'order',
			// Also above all of a hub that was restored from an older state.
			attempt: Math.max((head.order?.attempt ?? 0) + 1, (head.state?.last?.attempt ?? 0) + 1, now),
			...wanted,
			...options,
		};
		await repository.save({ head: { ...head, order: next, orderedAt: now } });
		send(gateway, next);
	}

	async function create(gateway: GatewayId, wanted: NewRevision, author: string, expected?: RevisionCheck) {
		expected?.(headOf(gateway).lastRevision);
		const { document, mistakes, contents } = await checked(gateway, wanted);
		const [first] = mistakes;
		if (document === null || first !== undefined)
			throw fieldFault(
				'rule-violation',
				'document',
				mistakes.map(({ path, message }) => `${path === '' ? '/' : path} ${message}`).join('; '),
			);
		const newest = repository.revisions(gateway)[0];
		if (newest?.checksum === checksumOf(jsonOf(document))) return { revision: newest, isNew: false };
		const { comment } = wanted;
		return { revision: await add(gateway, { document, contents, author, comment, origin: 'hub' }), isNew: true };
	}

	async function driftOf(gateway: GatewayId): Promise<Patch> {
		const state = stateOf(gateway);
		if (state.driftOperations === 0 || state.revision === 0) return [];
		return diff(await read(gateway, 'running'), await read(gateway, 'current'));
	}

	return {
		head: headOf,
		revisions: (gateway: GatewayId): readonly Revision[] => repository.revisions(gateway),
		find,
		/** A revision's document, or what the gateway runs. @throws Fault `not-found`, `state-conflict` */
		read,
		/** A device template that a revision names. @throws Fault `not-found` */
		async template(gateway: GatewayId, sha256: string): Promise<JsonValue> {
			const content = await repository.content(gateway, sha256);
			if (content === null) throw notFound('template', sha256);
			return content;
		},
		/** Lists of an outcome. */
		details: (gateway: GatewayId, checksum: string | null): Promise<JsonValue | null> =>
			checksum === null ? Promise.resolve(null) : repository.content(gateway, checksum),
		/**
		 * Makes a revision; nothing is sent. One that equals the newest is that one. @throws Fault `rule-violation` naming every mistake
		 */
		create: (gateway: GatewayId, wanted: NewRevision, author: string, expected?: RevisionCheck) =>
			inTurn(gateway, () => create(gateway, wanted, author, expected)),
		async diffOf(gateway: GatewayId, from: DocumentName, to: DocumentName): Promise<Patch> {
			return diff(await read(gateway, from), await read(gateway, to));
		},
		/** What a document would make of what the gateway runs, as far as the hub can tell; the gateway knows its own templates. */
		async preview(gateway: GatewayId, wanted: NewRevision): Promise<HubPreview> {
			const { document, mistakes } = await checked(gateway, wanted);
			if (document === null) return { mistakes, conflicts: [], patch: [] };
			const state = stateOf(gateway);
			const current = documentOf(await read(gateway, 'current'));
			const base = state.revision === 0 ? null : documentOf(await read(gateway, 'running'));
			const merged = mergeConfigurations({ base, gateway: current, hub: document, decide: () => null });
			return { mistakes, conflicts: merged.conflicts, patch: diff(jsonOf(current), jsonOf(merged.document)) };
		},
		/** Wants a gateway to run a revision. @throws Fault `not-found` */
		apply: (gateway: GatewayId, number: number, options: ApplyOptions, author: string): Promise<void> =>
			inTurn(gateway, () => {
				const { revision, checksum } = find(gateway, number);
				return order(gateway, { kind: 'apply', revision, checksum, author }, options);
			}),
		/** Wants a gateway to leave its present revision for what was before. @throws Fault `state-conflict` */
		rollBack: (gateway: GatewayId, author: string): Promise<void> =>
			inTurn(gateway, () => {
				const { revision, checksum, previous, trial } = stateOf(gateway);
				if (checksum === null || (previous === null && trial === null))
					throw new Fault('state-conflict', 'there is nothing to go back to: the present configuration replaced none');
				return order(gateway, { kind: 'roll-back', revision, checksum, author }, NO_OPTIONS);
			}),
		drift: driftOf,
		/** Makes a revision of what the gateway runs, and wants it to run that. @throws Fault `state-conflict`, `rule-violation` */
		adopt: (gateway: GatewayId, comment: string, author: string): Promise<Revision> =>
			inTurn(gateway, async () => {
				const { revision: running, driftOperations } = stateOf(gateway);
				if (running !== 0 && driftOperations === 0)
					throw new Fault('state-conflict', `the gateway runs revision ${running} as it is; there is nothing to adopt`);
				const { document, mistakes } = checkDocument(await read(gateway, 'current'));
				if (document === null)
					throw new Fault(
						'rule-violation',
						`what the gateway runs is no sound configuration: ${mistakes.map(({ path, message }) => `${path} ${message}`).join('; ')}`,
					);
				const added = await add(gateway, { document, contents: [], author, comment, origin: 'gateway' });
				const { revision, checksum } = added;
				await order(gateway, { kind: 'apply', revision, checksum, author }, NO_OPTIONS);
				return added;
			}),
		inTurn,
	};
}

export type GatewayConfigurations = ReturnType<typeof createGatewayConfigurations>;
