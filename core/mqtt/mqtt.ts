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
	/** As the client gave it; empty when it leaves the choice to the broker. */
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

/** What a client was refused, and why. */
export interface MqttRefusal {
	readonly what: 'connect' | 'publish' | 'subscribe';
	/** As the client has given it; `null` when it gave none. */
	readonly username: string | null;
	/** Network address; '' when it is gone already. */
	readonly address: string;
	/** Topic or filter; `null` for a connection. */
	readonly topic: string | null;
	/** A sentence. */
	readonly reason: string;
}

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
	/** A connection of the account is through its handshake. */
	readonly onConnected?: (account: A) => void;
	/** A connection that was told of is gone; `last`: the account has no other. */
	readonly onDisconnected?: (account: A, last: boolean) => void;
	/** Something was refused; must not throw or wait. */
	readonly onRefused?: (refusal: MqttRefusal) => void;
	/** A filter was granted, or restored with its session: messages can be delivered from here on. */
	readonly onSubscribed?: (account: A, filter: string) => void;
}

/**
 * What became of a message to one account. `not-subscribed`: none of its connections has a filter that matches. `timeout`: it was
 * sent, and no acknowledgement came in time, or the connections ended before it came: the device may or may not have it.
 */
export type DeliveryResult = 'acknowledged' | 'not-subscribed' | 'timeout';

/** One authenticated connection. */
export interface MqttClientInfo {
	readonly account: string;
	readonly clientId: string;
	readonly remoteAddress: string;
	readonly connectedAt: EpochMs;
	readonly subscriptions: number;
	/** Bytes waiting to be sent. */
	readonly backlogBytes: number;
	/** Its session outlives it. */
	readonly isPersistent: boolean;
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
	/** Sessions now, those whose client is away included. */
	readonly sessions: number;
	readonly expiredSessions: number;
	/** Messages that gave way in a full session before they were ever sent. */
	readonly droppedFromSessions: number;
}

export interface Broker extends Stoppable {
	/**
	 * Counts a connection that was just opened, before TLS and before anything is read. `false`: its address or the broker has too many,
	 * and it was closed.
	 */
	admit(socket: Socket): boolean;
	/** Takes over a connection that was admitted. */
	handle(socket: Socket): void;
	/** Hands a message to the subscribers; never waits for them. */
	publish(topic: string, payload: string | Buffer, options?: { readonly qos?: 0 | 1; readonly retain?: boolean }): void;
	/**
	 * Sends a message at QoS 1 to the connections of one account that are subscribed to the topic, and to nobody else. Resolves with the
	 * first PUBACK; where only QoS 0 was asked for, when it was written. It is not kept for a later connection.
	 */
	deliver(
		account: string,
		topic: string,
		payload: string | Buffer,
		options: { readonly timeoutMs: number },
	): Promise<DeliveryResult>;
	/** Resolves when a message to nobody has passed through the broker; rejects when it does not take any. */
	probe(): Promise<void>;
	/** Whether an account has a connection that is through its handshake. */
	isConnected(account: string): boolean;
	clients(): readonly MqttClientInfo[];
	/** Closes all connections of an account and ends its sessions with what they kept; answers how many connections there were. */
	disconnect(account: string, why: string): number;
	stats(): BrokerStats;
}
