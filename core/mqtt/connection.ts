import type { Socket } from 'node:net';

import type { Client } from 'aedes';

import type { EpochMs } from '../kernel/clock.ts';
import type { MqttAccount } from './mqtt.ts';
import type { OutboundWindow } from './outbound-window.ts';
import type { StoredSession } from './session/session-store.ts';
import { matchesFilter } from './topic.ts';

export type Qos = 0 | 1 | 2;

/** An authenticated connection. */
export interface Connection<A extends MqttAccount> {
	readonly client: Client;
	readonly account: A;
	readonly socket: Socket;
	readonly clientId: string;
	readonly connectedAt: EpochMs;
	/** Filters of this connection and the QoS granted for each. */
	readonly filters: Map<string, Qos>;
	readonly window: OutboundWindow;
	/** `null`: what belongs to it ends with it. */
	readonly session: StoredSession | null;
	/** QoS 2 messages that wait for PUBREL. */
	readonly incoming: Set<number>;
	/** Of the last message that was forwarded to it. */
	lastCounter: number;
	/** It is through its handshake, and what its session kept was sent. */
	isReady: boolean;
}

const higher = (a: Qos | null, b: Qos): Qos => (a === null || b > a ? b : a);

/** The QoS granted for a topic, the highest of the filters that match; `null`: none does. */
export function grantedQos({ filters }: Pick<Connection<MqttAccount>, 'filters'>, topic: string): Qos | null {
	let granted: Qos | null = null;
	for (const [filter, qos] of filters) if (matchesFilter(filter, topic)) granted = higher(granted, qos);
	return granted;
}

/** The QoS granted for a topic that is known to match: without matching once more where all filters have the same. */
export function forwardQos(connection: Pick<Connection<MqttAccount>, 'filters'>, topic: string): Qos {
	let common: Qos | null = null;
	for (const qos of connection.filters.values()) {
		if (common !== null && common !== qos) return grantedQos(connection, topic) ?? 0;
		common = qos;
	}
	return common ?? 0;
}

/** The connections that are alive, by client and by account. */
export function createConnectionRegistry<A extends MqttAccount>() {
	/** Outlives the connection: the will is judged by it after the close. */
	const known = new WeakMap<Client, Connection<A>>();
	const live = new Set<Connection<A>>();
	const byAccount = new Map<string, Set<Connection<A>>>();

	return {
		of: (client: Client): Connection<A> | undefined => known.get(client),
		add(connection: Connection<A>): void {
			known.set(connection.client, connection);
			if (connection.socket.destroyed) return;
			live.add(connection);
			const theirs = byAccount.get(connection.account.name) ?? new Set();
			byAccount.set(connection.account.name, theirs.add(connection));
		},
		/** Answers how many the account still has. */
		remove(connection: Connection<A>): number {
			live.delete(connection);
			const theirs = byAccount.get(connection.account.name);
			theirs?.delete(connection);
			if (theirs?.size === 0) byAccount.delete(connection.account.name);
			return theirs?.size ?? 0;
		},
		all: (): ReadonlySet<Connection<A>> => live,
		isLive: (name: string): boolean => byAccount.has(name),
		ofAccount: (name: string): readonly Connection<A>[] => [...(byAccount.get(name) ?? [])],
	};
}

export type ConnectionRegistry<A extends MqttAccount> = ReturnType<typeof createConnectionRegistry<A>>;
