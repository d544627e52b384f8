import type { SetTimer } from '../../core/journal/set-timer.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import { boundedState, type ConfigDown, configMessage, parseConfigDown } from '../../core/link/config-messages.ts';
import type { UplinkFeature, UplinkSend } from '../../core/link/link-feature.ts';
import type { ConfigurationService, Lacking } from './configuration-service.ts';
import type { Trial } from './trial.ts';

export interface ConfigurationUplinkDeps {
	readonly configuration: ConfigurationService;
	readonly trial: Pick<Trial, 'reached'>;
	/** Fingerprint of the hub's authority; `null` without a hub. */
	readonly hub: () => string | null;
	/** Runs one after the other with everything else that changes the configuration; a throw is logged there. */
	readonly inTurn: (work: () => Promise<void>) => Promise<void>;
	readonly setTimer: SetTimer;
	readonly log: Logger;
}

/** Changes gather for so long before the hub is told. */
const GATHER_MS = 500;

/** The configuration's part of the talk with the hub. */
export function createConfigurationUplink(deps: ConfigurationUplinkDeps): UplinkFeature & {
	/** Something has changed that the hub wants to know; told soon, and once. */
	readonly changed: () => void;
	/** A change is over; the hub is told at once. */
	readonly settled: () => void;
} {
	const { configuration, log } = deps;
	let session: { readonly send: UplinkSend; readonly signal: AbortSignal } | null = null;
	let isWaiting = false;
	let lastSaid = '';
	/** Asked for in this session: what comes in pieces is asked for once. */
	const asked = new Set<string>();

	const isOpen = (): boolean => session !== null && !session.signal.aborted;

	/** @param isNeeded also when there is nothing new in it */
	async function report(isNeeded: boolean, isWhole = false): Promise<void> {
		const now = session;
		if (now === null || now.signal.aborted) return;
		const state = boundedState(configuration.state(isWhole));
		const message = configMessage(state);
		const said = message.toString();
		if (!isNeeded && said === lastSaid) return;
		await now.send('config', message);
		lastSaid = said;
		if (state.trial !== null && !now.signal.aborted) deps.trial.reached(state.trial.attempt);
	}

	/** Goes on with what was ordered, and asks for what is lacking. */
	async function goOn(): Promise<void> {
		const lacking = await configuration.advance();
		if (lacking !== null) await ask(lacking);
		await report(false);
	}

	async function ask({ revision, templates }: Lacking): Promise<void> {
		const open = templates.filter((sha256) => !asked.has(sha256));
		const isNew = open.length > 0 || (revision !== null && !asked.has(`revision ${revision}`));
		if (session === null || !isOpen() || !isNew) return;
		for (const name of [...open, ...(revision === null ? [] : [`revision ${revision}`])]) asked.add(name);
		await session.send('config', configMessage({ type: 'want', revision, templates: open }));
	}

	async function hear(message: ConfigDown): Promise<void> {
		const hub = deps.hub();
		if (hub !== null) await configuration.ofHub(hub);
		switch (message.type) {
			case 'order':
				if (configuration.order(message)) asked.clear();
				return goOn();
			case 'revision':
				configuration.revision(message.document);
				return goOn();
			case 'template':
				await configuration.template(message.sha256, message.content);
				return goOn();
			case 'ask':
				return report(true, true);
		}
	}

	function inTurn(work: () => Promise<void>): void {
		deps.inTurn(work).catch((error: unknown) => log.warn('configuration-not-told', { reason: messageOf(error) }));
	}

	return {
		hears: {
			config: (payload) => {
				const message = parseConfigDown(payload);
				inTurn(() => hear(message));
			},
		},
		begin(send, signal) {
			session = { send, signal };
			asked.clear();
			return deps.inTurn(async () => {
				const hub = deps.hub();
				if (hub !== null) await configuration.ofHub(hub);
				await report(true);
				if (isOpen()) await goOn();
			});
		},
		settled: () => inTurn(() => report(false)),
		changed() {
			if (isWaiting) return;
			isWaiting = true;
			deps.setTimer(() => {
				isWaiting = false;
				inTurn(() => report(false));
			}, GATHER_MS);
		},
	};
}
