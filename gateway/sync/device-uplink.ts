import { randomUUID } from 'node:crypto';

import type { DeviceListener } from '../../core/device/device-events.ts';
import type { Device, DeviceHealth } from '../../core/device/device.ts';
import { Fault, messageOf } from '../../core/kernel/fault.ts';
import type { DeviceId } from '../../core/kernel/id.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { createTurns } from '../../core/kernel/turns.ts';
import { type DevicesDown, type DevicesUp, devicesMessage, parseDevicesDown } from '../../core/link/device-messages.ts';
import type { UplinkFeature, UplinkSend } from '../../core/link/link-feature.ts';
import { linkMessage } from '../../core/link/link-messages.ts';
import { type DeviceDigest, documentDigest, healthDigest, partDigests, partOf } from '../../core/sync/device-digest.ts';
import { documentMessages, healthMessages } from '../uplink/document-messages.ts';

export interface DeviceUplinkDeps {
	/** All devices of this gateway, deleted ones too. */
	readonly devices: () => readonly Device[];
	readonly healthOf: (device: DeviceId) => DeviceHealth | null;
	readonly log: Logger;
	readonly answerWithinMs?: number;
	readonly gatherMs?: number;
	readonly retryMs?: number;
}

export type DeviceUplink = UplinkFeature &
	Stoppable & {
		/** To be added to the listeners of the device service. */
		readonly device: DeviceListener;
	};

/** A hub that is connected and does not say what it lacks: the line is made anew. */
const ANSWER_WITHIN_MS = 15_000;
/** Changes gather for this long before they are sent. */
const GATHER_MS = 200;
const RETRY_MS = 1_000;

interface Session {
	readonly id: string;
	readonly send: UplinkSend;
	readonly signal: AbortSignal;
}

/** What the hub is to be told of devices. */
interface Told {
	readonly documents: Iterable<DeviceId>;
	/** Of these only the health. */
	readonly health: Iterable<DeviceId>;
}

/** The devices of this gateway at its hub: with each session what the hub lacks, found by digests, and then what changes. */
export function createDeviceUplink(deps: DeviceUplinkDeps): DeviceUplink {
	const { devices, healthOf, log } = deps;
	const { answerWithinMs = ANSWER_WITHIN_MS, gatherMs = GATHER_MS, retryMs = RETRY_MS } = deps;
	let session: Session | null = null;
	let awaited: ((said: DevicesDown) => void) | null = null;
	const changed = { documents: new Set<DeviceId>(), health: new Set<DeviceId>() };
	let timer: NodeJS.Timeout | null = null;
	const { run: inTurn, settled } = createTurns();

	const digests = (): readonly DeviceDigest[] =>
		devices().map((device) => ({
			id: device.id,
			document: documentDigest(device),
			health: healthDigest(healthOf(device.id)),
		}));

	/** Says something and resolves with the hub's answer. */
	async function ask<T extends DevicesDown['type']>({ send, signal }: Session, question: DevicesUp, type: T) {
		const isOver = AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]);
		const answer = new Promise<Extract<DevicesDown, { type: T }>>((resolve, reject) => {
			const late = (): void =>
				reject(new Fault('timeout', `the hub has not said what it lacks of devices for ${answerWithinMs} ms`));
			isOver.addEventListener('abort', late, { once: true });
			awaited = (said) => {
				if (said.type !== type) return;
				isOver.removeEventListener('abort', late);
				// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its type was just compared
				resolve(said as Extract<DevicesDown, { type: T }>);
			};
		});
		// Awaited below; it may fail while the question is still on its way.
		answer.catch(() => undefined);
		await send('devices', devicesMessage(question));
		return answer;
	}

	async function tellNow({ send, signal }: Session, { documents, health }: Told): Promise<void> {
		const wanted = new Set(documents);
		const whole = devices().filter(({ id }) => wanted.has(id));
		const left = [...health].filter((id) => !wanted.has(id));
		for (const messages of [documentMessages(whole, healthOf), healthMessages(left, healthOf)])
			for (const message of messages) {
				signal.throwIfAborted();
				await send('documents', linkMessage('documents', message));
			}
	}

	/** As they are when their turn comes, so that no older word comes after a newer one. */
	const tell = (current: Session, what: Told): Promise<void> => inTurn(() => tellNow(current, what));

	async function tellPart(current: Session, all: readonly DeviceDigest[], part: number): Promise<void> {
		const own = all.filter(({ id }) => partOf(id) === part);
		await tell(current, await ask(current, { type: 'list', session: current.id, part, devices: own }, 'wanted'));
	}

	function sendSoon(delayMs: number): void {
		timer ??= setTimeout(() => {
			timer = null;
			sendChanged();
		}, delayMs).unref();
	}

	function sendChanged(): void {
		const current = session;
		const told = { documents: [...changed.documents], health: [...changed.health] };
		changed.documents.clear();
		changed.health.clear();
		// Without a session nothing is lost: the next one begins with a comparison.
		if (current === null || current.signal.aborted) return;
		tell(current, told).catch((error: unknown) => {
			if (current.signal.aborted) return;
			log.debug('devices-not-told', { reason: messageOf(error) });
			for (const id of told.documents) changed.documents.add(id);
			for (const id of told.health) changed.health.add(id);
			sendSoon(retryMs);
		});
	}

	function hear(payload: Uint8Array): void {
		const said = parseDevicesDown(payload);
		if (said.session === session?.id) awaited?.(said);
	}

	const noteChange = ({ id }: Device): void => {
		changed.documents.add(id);
		sendSoon(gatherMs);
	};

	return {
		hears: { devices: hear },
		async begin(send, signal) {
			// What changes from now on is told beside it.
			const current = (session = { id: randomUUID(), send, signal });
			const all = digests();
			const summary = { type: 'summary', session: current.id, digests: partDigests(all) } as const;
			const { parts } = await ask(current, summary, 'differ');
			for (const part of parts) await tellPart(current, all, part);
		},
		device: {
			changed: noteChange,
			status: noteChange,
			health({ id }) {
				changed.health.add(id);
				sendSoon(gatherMs);
			},
		},
		async stop() {
			if (timer !== null) clearTimeout(timer);
			session = null;
			await settled();
		},
	};
}
