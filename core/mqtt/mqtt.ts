import type { Socket } from 'node:net';

import type { Clock, EpochMs } from '../kernel/clock.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import type { MqttLimits } from './mqtt-limits.ts';

/** Who a connection belongs to once it has authenticated. */
export interface MqttAccount {
	/** Name in logs and for `disconnect`. */
	readonly name: string;
}

export interface MqttCredentials {
	readonly username: string;
	readonly password: Buffer;
	readonly clientId: string;
	readonly remoteAddress: string;
	readonly encrypted: boolean;
	/**
	 * SHA-256 of the client certificate that the TLS layer has verified, e.g. `AB:CD:…`; `null` without one. It may have expired: the rule that
	 * knows certificates knows their ends too.
	 */
	readonly certificate: string | null;
}

export interface MqttMessage {
	readonly topic: string;
	readonly payload: Buffer;
	readonly qos: 0 | 1 | 2;
	readonly retain: boolean;
	/** The sender says that it may have sent this before (QoS 1 and 2 only). */
	readonly dup: boolean;
	/** Packet identifier; `null` with QoS 0. */
	readonly messageId: number | null;
}

/** `deliver` passes a message on to subscribers; `discard` acknowledges it and drops it. */
export type PublishVerdict = 'deliver' | 'discard';

export interface BrokerDeps<A extends MqttAccount> {
	readonly log: Logger;
	readonly clock: Clock;
	readonly limits: MqttLimits;
	/** `null` refuses the connection. Connections without a username, or with neither password nor certificate, never get here. */
	readonly authenticate: (credentials: MqttCredentials) => Promise<A | null>;
	/** `false` closes the connection: MQTT 3.1.1 has no answer for a forbidden topic (3.3.5). Also asked for the will's topic. */
	readonly authorizePublish: (account: A, topic: string) => boolean;
	/** `false` answers SUBACK 0x80 (3.9.3). */
	readonly authorizeSubscribe: (account: A, filter: string) => boolean;
	/** Awaited before the acknowledgement. A rejection closes the connection unacknowledged, so that the sender tries again. */
	readonly onPublish: (account: A, message: MqttMessage) => Promise<PublishVerdict>;
}

/** One authenticated connection. */
export interface MqttClientInfo {
	readonly account: string;
	readonly clientId: string;
	readonly remoteAddress: string;
	readonly connectedAt: EpochMs;
	readonly subscriptions: number;
	/** Bytes waiting to be sent. */
	readonly backlogBytes: number;
}

/** Counters since the start. */
export interface BrokerStats {
	readonly connections: number;
	readonly received: number;
	readonly refusedConnections: number;
	readonly deniedPublishes: number;
	readonly deniedSubscriptions: number;
	readonly discarded: number;
	readonly droppedForSlowClients: number;
	readonly cutConnections: number;
}

export interface Broker extends Stoppable {
	/** Takes over a connection. */
	handle(socket: Socket): void;
	/** Hands a message to the subscribers; never waits for them. */
	publish(topic: string, payload: string | Buffer, options?: { readonly qos?: 0 | 1; readonly retain?: boolean }): void;
	clients(): readonly MqttClientInfo[];
	/** Closes all connections of an account; answers how many there were. */
	disconnect(account: string, why: string): number;
	stats(): BrokerStats;
}
