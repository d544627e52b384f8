import { checksumOf } from '../../core/configuration/canonical-json.ts';
import { applyPatch, type Patch } from '../../core/configuration/json-patch.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import {
	type ConfigDown,
	type ConfigOutcome,
	type ConfigState,
	type ConfigWant,
	parseConfigUp,
} from '../../core/link/config-messages.ts';
import type { HubLinkFeature } from '../../core/link/link-feature.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';
import type { GatewayConfigurations } from './gateway-configurations.ts';
import { type ConfigurationHead, neededBy, type NotedOutcome, type ReportedState } from './revision.ts';
import type { Content, RevisionRepository } from './revision-repository.ts';

export interface ConfigurationLinkDeps {
	readonly configurations: Pick<GatewayConfigurations, 'head' | 'inTurn'>;
	readonly repository: RevisionRepository;
	readonly send: (gateway: GatewayId, message: ConfigDown) => boolean;
	readonly clock: Pick<Clock, 'now'>;
	readonly log: Logger;
}

/** Outcomes of one gateway that are kept. */
const KEPT_OUTCOMES = 100;

/** Lists of an outcome as one content; `null`: all are empty. */
function detailsOf({ mistakes, conflicts, overwritten }: ConfigOutcome): Content | null {
	if (mistakes.length + conflicts.length + overwritten.length === 0) return null;
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- interfaces have no index signature; these are JSON all the same
	const value = { mistakes, conflicts, overwritten } as unknown as JsonValue;
	return { checksum: checksumOf(value), value };
}

const isNoted = ({ outcomes }: ConfigurationHead, { attempt, outcome, at }: ConfigOutcome): boolean =>
	outcomes.some((one) => one.attempt === attempt && one.outcome === outcome && one.at === at);

function noted(head: ConfigurationHead, last: ConfigOutcome, details: Content | null): NotedOutcome {
	const { attempt, revision, outcome, at, reason } = last;
	const author = head.order?.attempt === attempt ? head.order.author : '';
	return { attempt, revision, outcome, at, reason, author, details: details?.checksum ?? null };
}

/** The configuration's part of the talk with gateways. */
export function createConfigurationLink(deps: ConfigurationLinkDeps): HubLinkFeature {
	const { configurations, repository, send, clock, log } = deps;

	/** What the gateway really runs; `null` when the hub lacks what its drift is measured against. @throws Fault when it contradicts itself */
	async function currentOf(gateway: GatewayId, state: ConfigState, drift: Patch): Promise<JsonValue | null> {
		const base = state.base === 0 ? {} : await repository.content(gateway, state.checksum ?? '');
		if (base === null) return null;
		const current = applyPatch(base, drift);
		if (checksumOf(current) === state.current) return current;
		if (state.base !== 0) return null;
		throw new Fault('rule-violation', 'the configuration is not what its checksum says');
	}

	const reportOf = (state: ConfigState): ReportedState => ({
		at: clock.now(),
		revision: state.revision,
		checksum: state.checksum,
		current: state.current,
		driftOperations:
			state.base === 0 || state.drift === null ? Number(state.current !== state.checksum) : state.drift.length,
		previous: state.previous,
		trial: state.trial,
		last:
			state.last === null
				? null
				: { attempt: state.last.attempt, outcome: state.last.outcome, reason: state.last.reason },
		restartNeeded: state.restartNeeded,
	});

	async function heardState(gateway: GatewayId, state: ConfigState): Promise<void> {
		const contents: Content[] = [];
		if (state.drift !== null) {
			const value = await currentOf(gateway, state, state.drift);
			if (value === null) {
				send(gateway, { type: 'ask' });
				return;
			}
			contents.push({ checksum: state.current, value });
		}
		const head = configurations.head(gateway);
		const { last } = state;
		const isNew = last !== null && !isNoted(head, last);
		const details = isNew ? detailsOf(last) : null;
		if (details !== null) contents.push(details);
		const outcomes = isNew ? [noted(head, last, details), ...head.outcomes].slice(0, KEPT_OUTCOMES) : head.outcomes;
		const next: ConfigurationHead = { ...head, state: reportOf(state), outcomes };
		await repository.save({
			head: next,
			contents,
			needed: neededBy(next, repository.revisions(gateway)),
		});
		if (isNew)
			log.info('configuration-outcome', {
				gateway,
				revision: last.revision,
				outcome: last.outcome,
				reason: last.reason,
			});
	}

	async function heardWant(gateway: GatewayId, { revision, templates }: ConfigWant): Promise<void> {
		const { order } = configurations.head(gateway);
		if (revision !== null && order?.revision === revision) {
			const document = await repository.content(gateway, order.checksum);
			if (document === null) throw new Fault('not-found', `the content of revision ${revision} is not kept any more`);
			send(gateway, { type: 'revision', revision, document });
		}
		for (const sha256 of templates) {
			const content = await repository.content(gateway, sha256);
			if (content === null) log.error('configuration-template-missing', { gateway, sha256 });
			else send(gateway, { type: 'template', sha256, content });
		}
	}

	return {
		hears: {
			config: (gateway, payload) => {
				const message = parseConfigUp(payload);
				return configurations.inTurn(gateway, () =>
					message.type === 'state' ? heardState(gateway, message) : heardWant(gateway, message),
				);
			},
		},
		begin(gateway) {
			const { order } = configurations.head(gateway);
			if (order !== null) send(gateway, order);
		},
	};
}
