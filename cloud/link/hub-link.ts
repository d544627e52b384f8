import type { Device, DeviceHealth } from '../../core/device/device.ts';
import type { Clock, EpochMs } from '../../core/kernel/clock.ts';
import { Fault, messageOf } from '../../core/kernel/fault.ts';
import { type DeviceId, type GatewayId, gatewayId, isUuid } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { EpochRanges } from '../../core/ledger/range-set.ts';
import type { Ack } from '../../core/link/link-messages.ts';
import {
	linkMessage,
	MAX_BLOCK_BYTES,
	MAX_RANGES,
	parseDocuments,
	parseLinkMessage,
} from '../../core/link/link-messages.ts';
import type { HubLinkFeature } from '../../core/link/link-feature.ts';
import {
	type DownKind,
	downFilter,
	downTopic,
	LINK_ROOT,
	parseUpTopic,
	type UpKind,
} from '../../core/link/link-topics.ts';
import type { Broker, BrokerDeps, MqttAccount, MqttMessage, PublishVerdict } from '../../core/mqtt/mqtt.ts';
import { DEFAULT_MQTT_LIMITS, type MqttLimits } from '../../core/mqtt/mqtt-limits.ts';
import type { GatewayCertificates, Standing } from '../enrolment/gateway-certificates.ts';
import { joinedLosses } from './joined-losses.ts';
import { createLossTurns } from './loss-turns.ts';
import type { GatewayPresence } from '../fleet/gateway-record.ts';
import type { Boots } from '../ingest/boots.ts';
import type { HubIngest } from '../ingest/hub-ingest.ts';
import type { Ledger } from '../../core/ledger/ledger.ts';

/** A gateway on the link; its name is its id. */
export interface LinkAccount extends MqttAccount {
	readonly gateway: GatewayId;
	/** SHA-256 of the certificate it has come with. */
	readonly certificate: string;
}

export interface HubLinkDeps {
	readonly certificates: Pick<GatewayCertificates, 'standing' | 'used' | 'expiring' | 'renew'>;
	readonly ingest: Pick<HubIngest, 'receive'>;
	/** Takes a block of history over; resolves when its gateway may bring more. */
	readonly takeHistory: (gateway: GatewayId, block: Buffer) => Promise<void>;
	/** Hears in which boot a gateway is. */
	readonly boots: Pick<Boots, 'hello' | 'isPossible'>;
	readonly ledger: Ledger;
	/** Writes the ledger down; awaited before a loss is acknowledged. */
	readonly saveLedger: () => Promise<void>;
	/** @throws Fault for a device that cannot be taken; anything else: it could not be stored */
	readonly adopt: (device: Device) => Promise<void>;
	/** Gateway of a device; `null` when the hub does not know the device or it is the hub's own. */
	readonly ownerOf: (device: DeviceId) => GatewayId | null;
	readonly setHealth: (device: DeviceId, health: DeviceHealth) => void;
	readonly lossNoted: (range: {
		readonly origin: GatewayId;
		readonly epoch: number;
		readonly first: number;
		readonly last: number;
	}) => void;
	/** What else talks to gateways. */
	readonly features: readonly HubLinkFeature[];
	readonly clock: Clock;
	readonly log: Logger;
}

/** What the link's broker takes: a block of history is larger than a device's message. */
export const LINK_LIMITS: MqttLimits = {
	...DEFAULT_MQTT_LIMITS,
	connections: 5_000,
	// A fleet behind one address comes back together; who it is, its certificates say.
	connectionsPerAddress: 5_000,
	connectRate: { burst: 1_000, perSecond: 100 },
	connectionsPerAccount: 2,
	subscriptions: 4,
	// A gateway says hello on each connection, and is told anew what it needs.
	sessions: 0,
	packetBytes: 2 * MAX_BLOCK_BYTES,
	retainedMessages: 0,
	retainedBytes: 0,
};

/** Live blocks of one gateway that wait for the disk; a gateway sends ten in a second. With more, its connection waits too. */
const LIVE_BLOCKS = 32;

/** Refusals that another try would not change. */
const isFinal = (error: unknown): boolean =>
	error instanceof Fault && error.reason !== 'unavailable' && error.reason !== 'timeout';

/** As much as one message takes; the oldest is left for the next connection. */
const newest = (list: readonly EpochRanges[]): readonly EpochRanges[] =>
	list.slice(-MAX_RANGES).map(({ epoch, ranges }) => ({ epoch, ranges: ranges.slice(-MAX_RANGES) }));

/** What a gateway may say whose certificate has expired: who it is, and that it wants another. */
const RENEWAL_KINDS: ReadonlySet<UpKind> = new Set(['hello', 'renew']);

/** What the ledger, or the next hello, asks for again when it was not stored. */
const LEDGER_KINDS: ReadonlySet<UpKind> = new Set(['hello', 'live', 'backfill', 'losses', 'renew']);

const isOpenTo = (standing: Standing | null, kind: UpKind): boolean =>
	standing === 'valid' || (standing === 'expired' && RENEWAL_KINDS.has(kind));

interface Presence {
	lastSeenAt: EpochMs;
	version: string | null;
}

/** The hub's end of the link: what each message of a gateway means. The broker calls these; nothing here knows MQTT's library. */
export function createHubLink(deps: HubLinkDeps) {
	const { certificates, ingest, ledger, adopt, ownerOf, setHealth, clock, log } = deps;
	const presence = new Map<GatewayId, Presence>();
	/** The certificate of each gateway's newest connection. */
	const cameWith = new Map<GatewayId, string>();
	const liveBlocks = new Map<GatewayId, number>();
	const lossTurns = createLossTurns(clock);
	let broker: Broker | null = null;

	const logRefused = (gateway: GatewayId, kind: UpKind, reason: string): void =>
		log.warn('link-message-refused', { gateway, kind, reason });

	/** Tells a gateway to renew its certificate; it may not know what day it is. */
	function sayExpiring({ gateway, certificate }: LinkAccount): void {
		const expiresAt = certificates.expiring(gateway, certificate);
		if (expiresAt === null) return;
		broker?.publish(downTopic(gateway, 'expiring'), linkMessage('expiring', { expiresAt }), { qos: 1 });
	}

	async function onHello(account: LinkAccount, message: MqttMessage): Promise<void> {
		const { gateway } = account;
		const hello = parseLinkMessage('hello', message.payload);
		sayExpiring(account);
		// Without a welcome it sends nothing but its request for another certificate.
		if (certificates.standing(gateway, account.certificate) !== 'valid') {
			log.warn('gateway-certificate-expired', { gateway, version: hello.version });
			return;
		}
		presence.set(gateway, { lastSeenAt: clock.now(), version: hello.version });
		deps.boots.hello(gateway, hello.epoch);
		for (const { epoch, last } of hello.boots)
			if (epoch < hello.epoch && deps.boots.isPossible(gateway, epoch)) ledger.expect(gateway, epoch, last);
		const received = newest(ledger.settledFrom(gateway, hello.oldestEpoch));
		const owed = newest(ledger.owedBefore(gateway, hello.epoch));
		log.info('gateway-hello', { gateway, version: hello.version, epoch: hello.epoch });
		broker?.publish(downTopic(gateway, 'welcome'), linkMessage('welcome', { received, owed }), {
			qos: 1,
		});
		for (const feature of deps.features) feature.begin(gateway);
	}

	/** A device that cannot be taken does not hide the others. @throws when storing fails */
	async function adoptOf(gateway: GatewayId, device: Device): Promise<void> {
		try {
			if (device.gatewayId !== gateway)
				throw new Fault('forbidden', `device ${device.id} is not of gateway ${gateway}`);
			await adopt(device);
		} catch (error) {
			if (!isFinal(error)) throw error;
			logRefused(gateway, 'documents', messageOf(error));
		}
	}

	async function onDocuments({ gateway }: LinkAccount, message: MqttMessage): Promise<void> {
		const { devices, health, mistakes } = parseDocuments(message.payload);
		for (const mistake of mistakes) logRefused(gateway, 'documents', mistake);
		for (const device of devices) await adoptOf(gateway, device);
		for (const { device, state, since, reason } of health) {
			if (ownerOf(device) === gateway) setHealth(device, { state, since, reason });
			else logRefused(gateway, 'documents', `health of ${device}, which is not of this gateway`);
		}
	}

	async function onLosses({ gateway }: LinkAccount, message: MqttMessage): Promise<void> {
		const { losses } = parseLinkMessage('losses', message.payload);
		await lossTurns.wait(gateway);
		const possible = losses.filter(({ epoch }) => deps.boots.isPossible(gateway, epoch));
		if (possible.length < losses.length)
			logRefused(gateway, 'losses', `${losses.length - possible.length} ranges of boots that it cannot have had`);
		for (const loss of joinedLosses(possible)) ledger.declare({ ...loss, origin: gateway });
		await deps.saveLedger();
		for (const loss of losses)
			deps.lossNoted({ origin: gateway, epoch: loss.epoch, first: loss.first, last: loss.last });
	}

	/** The live lane does not wait for the disk - the gateway learns of it by the acknowledgement - unless it floods. */
	async function onLive({ gateway }: LinkAccount, { payload }: MqttMessage): Promise<void> {
		const waiting = (liveBlocks.get(gateway) ?? 0) + 1;
		liveBlocks.set(gateway, waiting);
		const receiving = ingest.receive(gateway, 'live', payload).finally(() => {
			const left = (liveBlocks.get(gateway) ?? 1) - 1;
			if (left === 0) liveBlocks.delete(gateway);
			else liveBlocks.set(gateway, left);
		});
		if (waiting >= LIVE_BLOCKS) await receiving;
	}

	async function onBackfill({ gateway }: LinkAccount, { payload }: MqttMessage): Promise<void> {
		await deps.takeHistory(gateway, payload);
	}

	async function onRenew({ gateway, certificate }: LinkAccount, { payload }: MqttMessage): Promise<void> {
		const { csrPem } = parseLinkMessage('renew', payload);
		const certPem = await certificates.renew(gateway, certificate, csrPem);
		broker?.publish(downTopic(gateway, 'certificate'), linkMessage('certificate', { certPem }), { qos: 1 });
	}

	const handlers: Readonly<Partial<Record<UpKind, (account: LinkAccount, message: MqttMessage) => Promise<void>>>> = {
		hello: onHello,
		documents: onDocuments,
		losses: onLosses,
		live: onLive,
		backfill: onBackfill,
		renew: onRenew,
	};

	async function onPublish(account: LinkAccount, message: MqttMessage): Promise<PublishVerdict> {
		const parsed = parseUpTopic(message.topic);
		if (parsed === null) return 'discard';
		const seen = presence.get(account.gateway);
		if (seen !== undefined) seen.lastSeenAt = clock.now();
		try {
			await handlers[parsed.kind]?.(account, message);
			for (const { hears } of deps.features) await hears[parsed.kind]?.(account.gateway, message.payload);
		} catch (error) {
			// Nobody asks for them again: without an acknowledgement the gateway comes back and sends them.
			if (!LEDGER_KINDS.has(parsed.kind) && !isFinal(error)) throw error;
			// Sent again it would be as wrong; what could be missing stays unacknowledged and is asked for by the ledger.
			logRefused(account.gateway, parsed.kind, messageOf(error));
		}
		// Nobody subscribes to what gateways send; the broker need not look for anybody.
		return 'discard';
	}

	/** The gateway whose certificate this is. */
	async function admit(gateway: GatewayId, certificate: string): Promise<LinkAccount | null> {
		if (certificates.standing(gateway, certificate) === null) return null;
		// The older certificate is over as soon as the newer one was used: that has to be on disk before the gateway forgets the older key.
		await certificates.used(gateway, certificate);
		if (certificates.standing(gateway, certificate) === null) return null;
		cameWith.set(gateway, certificate);
		return { name: gateway, gateway, certificate };
	}

	const policy: Pick<
		BrokerDeps<LinkAccount>,
		'authenticate' | 'authorizePublish' | 'authorizeSubscribe' | 'onPublish'
	> = {
		authenticate: async ({ username, certificate }) =>
			certificate !== null && isUuid(username) ? admit(gatewayId(username), certificate) : null,
		authorizePublish({ gateway, certificate }, topic) {
			const kind = topic.startsWith(`${LINK_ROOT}/${gateway}/up/`) ? parseUpTopic(topic)?.kind : undefined;
			return kind !== undefined && isOpenTo(certificates.standing(gateway, certificate), kind);
		},
		authorizeSubscribe: ({ gateway, certificate }, filter) =>
			filter === downFilter(gateway) && certificates.standing(gateway, certificate) !== null,
		onPublish,
	};

	/** Connected, and not only to be renewed. */
	function isOnline(gateway: GatewayId): boolean {
		const certificate = cameWith.get(gateway);
		if (certificate === undefined || certificates.standing(gateway, certificate) !== 'valid') return false;
		return broker?.isConnected(gateway) ?? false;
	}

	function send(gateway: GatewayId, kind: DownKind, payload: Uint8Array): boolean {
		if (broker === null || !isOnline(gateway)) return false;
		broker.publish(downTopic(gateway, kind), Buffer.from(payload), { qos: 1 });
		return true;
	}

	return {
		policy,
		/** Hands over the broker that was made with `policy`. */
		attach(made: Broker): void {
			broker = made;
		},
		acknowledge(gateway: GatewayId, ack: Ack): void {
			broker?.publish(downTopic(gateway, 'ack'), linkMessage('ack', ack), { qos: 1 });
		},
		/**
		 * Takes what a gateway says by another way than the link. Readings go to the ingest itself.
		 * @throws Fault when it is wrong; anything else: it could not be stored
		 */
		async take(gateway: GatewayId, kind: UpKind, payload: Uint8Array): Promise<void> {
			const message = {
				topic: '',
				payload: Buffer.from(payload),
				qos: 1,
				retain: false,
				dup: false,
				messageId: 0,
			} as const;
			await handlers[kind]?.({ name: gateway, gateway, certificate: '' }, message);
			for (const { hears } of deps.features) await hears[kind]?.(gateway, payload);
		},
		send,
		disconnect(gateway: GatewayId, why: string): void {
			broker?.disconnect(gateway, why);
		},
		presence(gateway: GatewayId): GatewayPresence {
			const seen = presence.get(gateway);
			return { online: isOnline(gateway), lastSeenAt: seen?.lastSeenAt ?? null, version: seen?.version ?? null };
		},
	};
}

export type HubLink = ReturnType<typeof createHubLink>;
