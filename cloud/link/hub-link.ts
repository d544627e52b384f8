import type { Device, DeviceHealth } from '../../core/device/device.ts';
import type { Clock, EpochMs } from '../../core/kernel/clock.ts';
import { Fault, messageOf } from '../../core/kernel/fault.ts';
import { type DeviceId, type GatewayId, gatewayId, isUuid } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { Ack } from '../../core/link/link-messages.ts';
import { linkMessage, MAX_RANGES, parseLinkMessage } from '../../core/link/link-messages.ts';
import { downFilter, downTopic, LINK_ROOT, parseUpTopic, type UpKind } from '../../core/link/link-topics.ts';
import type { Broker, BrokerDeps, MqttAccount, MqttMessage, PublishVerdict } from '../../core/mqtt/mqtt.ts';
import { DEFAULT_MQTT_LIMITS, type MqttLimits } from '../../core/mqtt/mqtt-limits.ts';
import { secretHash } from '../../core/identity/secret-text.ts';
import type { GatewayPresence } from '../fleet/gateway-record.ts';
import type { HubIngest } from '../ingest/hub-ingest.ts';
import type { Ledger } from '../ingest/ledger.ts';

/** A gateway on the link; its name is its id. */
export interface LinkAccount extends MqttAccount {
	readonly gateway: GatewayId;
}

export interface HubLinkDeps {
	readonly authenticate: (gateway: GatewayId, hashOfSecret: string) => GatewayId | null;
	readonly ingest: Pick<HubIngest, 'receive'>;
	readonly ledger: Ledger;
	/** Writes the ledger down; awaited before a loss is acknowledged. */
	readonly saveLedger: () => Promise<void>;
	readonly adopt: (device: Device) => Promise<void>;
	readonly setHealth: (device: DeviceId, health: DeviceHealth) => void;
	readonly lossNoted: (range: {
		readonly origin: GatewayId;
		readonly epoch: number;
		readonly first: number;
		readonly last: number;
	}) => void;
	readonly clock: Clock;
	readonly log: Logger;
}

/** What the link's broker takes: a block of history is larger than a device's message. */
export const LINK_LIMITS: MqttLimits = {
	...DEFAULT_MQTT_LIMITS,
	connections: 5_000,
	connectionsPerAccount: 2,
	subscriptions: 4,
	packetBytes: 4 * 1024 * 1024,
	retainedMessages: 0,
	retainedBytes: 0,
};

interface Presence {
	lastSeenAt: EpochMs;
	version: string | null;
}

/** The hub's end of the link: what each message of a gateway means. The broker calls these; nothing here knows MQTT's library. */
export function createHubLink(deps: HubLinkDeps) {
	const { ingest, ledger, adopt, setHealth, clock, log } = deps;
	const presence = new Map<GatewayId, Presence>();
	let broker: Broker | null = null;

	async function onHello(gateway: GatewayId, message: MqttMessage): Promise<void> {
		const hello = parseLinkMessage('hello', message.payload);
		presence.set(gateway, { lastSeenAt: clock.now(), version: hello.version });
		const received = ledger
			.receivedFrom(gateway, hello.oldestEpoch)
			.map(({ epoch, ranges }) => ({ epoch, ranges: ranges.slice(-MAX_RANGES) }));
		log.info('gateway-hello', { gateway, version: hello.version, epoch: hello.epoch });
		broker?.publish(downTopic(gateway, 'welcome'), linkMessage('welcome', { received: received.slice(-MAX_RANGES) }), {
			qos: 1,
		});
	}

	async function onDocuments(gateway: GatewayId, message: MqttMessage): Promise<void> {
		const { devices, health } = parseLinkMessage('documents', message.payload);
		for (const device of devices) {
			if (device.gatewayId !== gateway)
				throw new Fault('forbidden', `device ${device.id} is not of gateway ${gateway}`);
			await adopt(device);
		}
		for (const { device, state, since, reason } of health) setHealth(device, { state, since, reason });
	}

	async function onLosses(gateway: GatewayId, message: MqttMessage): Promise<void> {
		const { losses } = parseLinkMessage('losses', message.payload);
		for (const loss of losses) ledger.declare({ ...loss, origin: gateway });
		await deps.saveLedger();
		for (const loss of losses)
			deps.lossNoted({ origin: gateway, epoch: loss.epoch, first: loss.first, last: loss.last });
	}

	async function onBlock(gateway: GatewayId, lane: 'live' | 'backfill', message: MqttMessage): Promise<void> {
		const receiving = ingest.receive(gateway, lane, message.payload);
		// The live lane does not wait for the disk: the gateway learns of it by the acknowledgement.
		if (lane === 'backfill') await receiving;
	}

	const handlers: Readonly<Record<UpKind, (gateway: GatewayId, message: MqttMessage) => Promise<void>>> = {
		hello: onHello,
		documents: onDocuments,
		losses: onLosses,
		live: (gateway, message) => onBlock(gateway, 'live', message),
		backfill: (gateway, message) => onBlock(gateway, 'backfill', message),
	};

	async function onPublish(account: LinkAccount, message: MqttMessage): Promise<PublishVerdict> {
		const parsed = parseUpTopic(message.topic);
		if (parsed === null) return 'discard';
		const seen = presence.get(account.gateway);
		if (seen !== undefined) seen.lastSeenAt = clock.now();
		try {
			await handlers[parsed.kind](account.gateway, message);
		} catch (error) {
			// Sent again it would be as wrong; what could be missing stays unacknowledged and is asked for by the ledger.
			log.warn('link-message-refused', { gateway: account.gateway, kind: parsed.kind, reason: messageOf(error) });
		}
		// Nobody subscribes to what gateways send; the broker need not look for anybody.
		return 'discard';
	}

	const policy: Pick<
		BrokerDeps<LinkAccount>,
		'authenticate' | 'authorizePublish' | 'authorizeSubscribe' | 'onPublish'
	> = {
		async authenticate({ username, password }) {
			if (!isUuid(username)) return null;
			const gateway = deps.authenticate(gatewayId(username), secretHash(password.toString('utf8')));
			return gateway === null ? null : { name: gateway, gateway };
		},
		authorizePublish: ({ gateway }, topic) =>
			topic.startsWith(`${LINK_ROOT}/${gateway}/up/`) && parseUpTopic(topic) !== null,
		authorizeSubscribe: ({ gateway }, filter) => filter === downFilter(gateway),
		onPublish,
	};

	return {
		policy,
		/** Hands over the broker that was made with `policy`. */
		attach(made: Broker): void {
			broker = made;
		},
		acknowledge(gateway: GatewayId, ack: Ack): void {
			broker?.publish(downTopic(gateway, 'ack'), linkMessage('ack', ack), { qos: 1 });
		},
		disconnect(gateway: GatewayId, why: string): void {
			broker?.disconnect(gateway, why);
		},
		presence(gateway: GatewayId): GatewayPresence {
			const seen = presence.get(gateway);
			const online = broker?.clients().some(({ account }) => account === gateway) ?? false;
			return { online, lastSeenAt: seen?.lastSeenAt ?? null, version: seen?.version ?? null };
		},
	};
}

export type HubLink = ReturnType<typeof createHubLink>;
