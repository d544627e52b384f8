import { checksumOf, isJsonObject } from '../../core/configuration/canonical-json.ts';
import {
	type ConfigurationDocument,
	type ConfigurationMistake,
	jsonOf,
	mergeConfigurations,
} from '../../core/configuration/configuration.ts';
import { checkDocument } from '../../core/configuration/configuration-schema.ts';
import { diff, type Patch } from '../../core/configuration/json-patch.ts';
import type { Conflict } from '../../core/configuration/merge.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import type { Logger } from '../../core/kernel/log.ts';
import {
	type ConfigOrder,
	type ConfigOutcome,
	type ConfigState,
	MAX_ENTRIES,
	type Overwritten,
} from '../../core/link/config-messages.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';
import type { ConfigurationChanger } from './configuration-changer.ts';
import type { ConfigurationStore, HeldRevision } from './configuration-store.ts';
import type { DocumentCheck } from './document-check.ts';
import type { OwnConfiguration } from './own-configuration.ts';
import type { TemplateShelf } from './template-shelf.ts';

export interface ConfigurationServiceDeps {
	readonly store: ConfigurationStore;
	readonly own: OwnConfiguration;
	readonly changer: ConfigurationChanger;
	readonly shelf: Pick<TemplateShelf, 'has' | 'keep' | 'prune'>;
	readonly mistakesOf: DocumentCheck;
	/** Settings that the next start brings into force. */
	readonly restartNeeded: () => readonly string[];
	readonly clock: Pick<Clock, 'now'>;
	readonly log: Logger;
}

/** What the gateway lacks before it can judge an order. */
export interface Lacking {
	readonly revision: number | null;
	readonly templates: readonly string[];
}

/** What a document would change here; nothing is changed. */
export interface ConfigurationPreview {
	readonly mistakes: readonly ConfigurationMistake[];
	readonly conflicts: readonly Conflict[];
	/** From what runs to what would run. */
	readonly patch: Patch;
}

interface Verdict {
	readonly outcome: ConfigOutcome['outcome'];
	readonly reason: string | null;
	readonly mistakes?: readonly ConfigurationMistake[];
	readonly conflicts?: readonly Conflict[];
}

const NOTHING: JsonValue = {};

/** What a gateway does with what its hub wants it to run. To be called one after the other. */
export function createConfigurationService(deps: ConfigurationServiceDeps) {
	const { store, own, changer, shelf, clock, log } = deps;
	/** What was ordered and could not be judged yet. */
	let pending: ConfigOrder | null = null;
	const contents = new Map<string, JsonValue>();

	async function conclude(order: ConfigOrder, verdict: Verdict): Promise<void> {
		pending = null;
		contents.clear();
		const { outcome, reason, mistakes = [], conflicts = [] } = verdict;
		const last: ConfigOutcome = {
			attempt: order.attempt,
			revision: order.revision,
			outcome,
			at: clock.now(),
			reason,
			mistakes: mistakes.slice(0, MAX_ENTRIES),
			conflicts: conflicts.slice(0, MAX_ENTRIES),
			overwritten: [],
		};
		await store.update((saved) => ({ ...saved, last }));
		log.info('configuration-order', { revision: order.revision, outcome, reason });
	}

	/** The content of a revision, as far as this gateway has it. */
	function contentOf(checksum: string): JsonValue | null {
		const { running, previous, change } = store.get();
		const held = [running, previous?.before.running, change?.before.running];
		const found = held.find((one) => one?.checksum === checksum);
		return found ? jsonOf(found.document) : (contents.get(checksum) ?? null);
	}

	function overwrittenBy(order: ConfigOrder, conflicts: readonly Conflict[]): readonly Overwritten[] {
		if (!order.discardDrift)
			return conflicts.flatMap(({ path, gateway, taken }) => (taken === 'hub' ? [{ path, value: gateway }] : []));
		const { running } = store.get();
		const drift = diff(running === null ? NOTHING : jsonOf(running.document), jsonOf(own.whole()));
		return drift.map((operation) => ({
			path: operation.path,
			value: 'value' in operation ? operation.value : null,
		}));
	}

	function joined(order: ConfigOrder, document: ConfigurationDocument, current: ConfigurationDocument) {
		if (order.discardDrift) return { document, conflicts: [] };
		return mergeConfigurations({
			base: store.get().running?.document ?? null,
			gateway: current,
			hub: document,
			decide: (pointer) => order.decisions[pointer] ?? order.prefer,
		});
	}

	async function apply(order: ConfigOrder, document: ConfigurationDocument): Promise<void> {
		if (changer.change() !== null) await changer.undo(`revision ${order.revision} has taken its place`);
		const since = own.whole();
		const { document: target, conflicts } = joined(order, document, since);
		const open = conflicts.filter(({ taken }) => taken === null);
		if (open.length > 0) {
			const reason = `what was changed at the gateway and in revision ${order.revision} needs a decision (places: ${open.length})`;
			return conclude(order, { outcome: 'conflict', reason, conflicts: open });
		}
		const mistakes = await deps.mistakesOf(target, since);
		if (mistakes.length > 0)
			return conclude(order, {
				outcome: 'refused',
				reason: `nothing was changed (mistakes: ${mistakes.length})`,
				mistakes,
			});
		pending = null;
		contents.clear();
		const { revision, checksum, author } = order;
		const next: HeldRevision = { revision, checksum, document, author };
		return changer.begin({
			order,
			next,
			target,
			since,
			overwritten: overwrittenBy(order, conflicts).slice(0, MAX_ENTRIES),
		});
	}

	const isRunning = ({ revision, checksum }: ConfigOrder): boolean => {
		const { running, change } = store.get();
		return change === null && running?.revision === revision && running.checksum === checksum;
	};

	async function goBack(order: ConfigOrder): Promise<void> {
		const { running } = store.get();
		if (running?.revision !== order.revision)
			return conclude(order, { outcome: 'refused', reason: `revision ${order.revision} does not run here` });
		try {
			await changer.goBack(order, `rolled back at the hub by ${order.author}`);
			pending = null;
		} catch (error) {
			if (!(error instanceof Fault) || error.reason !== 'state-conflict') throw error;
			await conclude(order, { outcome: 'refused', reason: error.message });
		}
	}

	/** Goes on with what was ordered. @returns what is lacking; `null` when the order is dealt with, or there is none */
	async function advance(): Promise<Lacking | null> {
		const order = pending;
		if (order === null) return null;
		if (order.kind === 'roll-back') {
			await goBack(order);
			return null;
		}
		if (isRunning(order) && !order.discardDrift) {
			await conclude(order, { outcome: 'applied', reason: null });
			return null;
		}
		const content = contentOf(order.checksum);
		if (content === null) return { revision: order.revision, templates: [] };
		const { document, mistakes } = checkDocument(content);
		if (document === null) {
			await conclude(order, {
				outcome: 'refused',
				reason: `nothing was changed (mistakes: ${mistakes.length})`,
				mistakes,
			});
			return null;
		}
		const templates = [...new Set(Object.values(document.templates).map(({ sha256 }) => sha256))];
		const missing = templates.filter((sha256) => !shelf.has(sha256));
		if (missing.length > 0) return { revision: null, templates: missing };
		await apply(order, document);
		return null;
	}

	function state(isWhole: boolean): ConfigState {
		const { running, previous, last } = store.get();
		const current = jsonOf(own.whole());
		const base = isWhole ? null : running;
		return {
			type: 'state',
			revision: running?.revision ?? 0,
			checksum: running?.checksum ?? null,
			current: checksumOf(current),
			base: base?.revision ?? 0,
			drift: base === null ? [{ op: 'replace', path: '', value: current }] : diff(jsonOf(base.document), current),
			previous: previous === null ? null : (previous.before.running?.revision ?? 0),
			trial: changer.onTrial(),
			last,
			restartNeeded: deps.restartNeeded(),
		};
	}

	/** SHA-256 of the templates of what was ordered and is not dealt with, as far as its content has come. */
	function orderedTemplates(): readonly string[] {
		const content = pending === null ? null : contentOf(pending.checksum);
		const templates = content !== null && isJsonObject(content) ? content['templates'] : undefined;
		if (!isJsonObject(templates)) return [];
		const names = Object.values(templates).map((one) => (isJsonObject(one) ? one['sha256'] : null));
		return names.filter((name) => typeof name === 'string');
	}

	/** Lets go of template contents that nothing needs. */
	async function tidy(): Promise<void> {
		const { running, previous, change } = store.get();
		const footings = [previous, change].flatMap((one) => [one?.before.whole, one?.target]);
		const documents = [own.whole(), running?.document, ...footings];
		const needed = documents.flatMap((one) => Object.values(one?.templates ?? {}).map(({ sha256 }) => sha256));
		await shelf.prune(new Set([...needed, ...orderedTemplates()]));
	}

	return {
		/** Where this gateway stands. @param isWhole with its whole configuration instead of the drift */
		state,
		/** What was changed here since the revision that runs. */
		drift(): Patch {
			const { running } = store.get();
			return running === null ? [] : diff(jsonOf(running.document), jsonOf(own.whole()));
		},
		/** What is ordered is remembered until it is dealt with. @returns whether it is new; one that was dealt with is not */
		order(order: ConfigOrder): boolean {
			const { last, change } = store.get();
			// Numbers only count up: a lower one is an order that came again after a later one.
			const newest = Math.max(last?.attempt ?? -1, change?.order.attempt ?? -1, pending?.attempt ?? -1);
			if (order.attempt <= newest) return false;
			pending = order;
			contents.clear();
			return true;
		},
		advance,
		/** @throws Fault `rule-violation` when it is not what was ordered */
		revision(document: JsonValue): void {
			const checksum = checksumOf(document);
			if (checksum !== pending?.checksum)
				throw new Fault('rule-violation', 'a revision came that is not the one that was ordered');
			contents.set(checksum, document);
		},
		/** @throws Fault `rule-violation` when what was ordered does not name it, or it is not what its name says */
		async template(sha256: string, content: JsonValue): Promise<void> {
			if (!orderedTemplates().includes(sha256))
				throw new Fault('rule-violation', `template ${sha256.slice(0, 12)} came, which nothing that was ordered names`);
			await shelf.keep(sha256, content);
			await tidy();
		},
		/** What a document would change, and why it could not. */
		async preview(raw: unknown): Promise<ConfigurationPreview> {
			const { document, mistakes } = checkDocument(raw);
			if (document === null) return { mistakes, conflicts: [], patch: [] };
			const current = own.whole();
			const merged = mergeConfigurations({
				base: store.get().running?.document ?? null,
				gateway: current,
				hub: document,
				decide: () => null,
			});
			return {
				mistakes: await deps.mistakesOf(merged.document, current),
				conflicts: merged.conflicts,
				patch: diff(jsonOf(current), jsonOf(merged.document)),
			};
		},
		/** By hand, at the gateway. @throws Fault `state-conflict` when there is nothing to go back to */
		rollBack: (by: string): Promise<void> => changer.goBack(null, `rolled back at the gateway by ${by}`),
		/** Another hub's revisions say nothing here; what they have made stays. */
		async ofHub(hub: string): Promise<void> {
			const saved = store.get();
			if (saved.hub === hub) return;
			if (saved.change !== null) await changer.undo('the gateway was enrolled at another hub');
			pending = null;
			await store.update((now) => ({ ...now, hub, running: null, previous: null, last: null }));
		},
		tidy,
	};
}

export type ConfigurationService = ReturnType<typeof createConfigurationService>;
