import { Readable } from 'node:stream';

import type { Client } from 'aedes';

import type { ForwardPacket } from '../aedes-client.ts';
import type { RetainedStore } from '../retained-store.ts';
import type { SessionStore, StoredSession } from './session-store.ts';

/** What the persistence has to know of a connection. */
interface Holding {
	readonly session: StoredSession | null;
	/** QoS 2 messages that wait for PUBREL. */
	readonly incoming: Set<number>;
}

export interface PersistenceDeps {
	readonly sessions: SessionStore;
	readonly retained: RetainedStore;
	readonly connectionOf: (client: Client) => Holding | undefined;
	/** The client has sent PUBACK or PUBCOMP. */
	readonly onAcknowledged: (client: Client, messageId: number) => void;
	readonly onRetainedFull: (topic: string) => void;
	/** QoS 2 messages of one client that may wait for PUBREL. */
	readonly inboundQos2: number;
}

interface Named {
	readonly messageId?: number;
}

/**
 * A filter that nobody may have. A resumed session is restored with it, because aedes tells the client "session present" only when
 * there is something to restore.
 */
export const SESSION_MARK = '$SYS/session';

const noPacket = new Error('no such packet');

/** Answers that are there at once; aedes asks three times for each message. */
const done = Promise.resolve();
const nobody = Promise.resolve([]);
const nothing = (): Promise<void> => done;

/**
 * The persistence that aedes asks (its interface of version 10), in front of the bounded stores. The broker itself notes filters where
 * it grants them and sends what a session kept: aedes would store refused filters beside granted ones, and would send live messages
 * before older ones. Wills are kept with their connection.
 */
export function createBrokerPersistence(deps: PersistenceDeps) {
	const { sessions, retained, connectionOf } = deps;

	const isWaiting = (client: Client, { messageId }: Named): boolean =>
		messageId !== undefined && connectionOf(client)?.incoming.has(messageId) === true;

	function* retainedOf(filters: readonly string[]): IterableIterator<ForwardPacket> {
		for (const filter of filters) yield* retained.below(filter);
	}

	return {
		/** aedes looks at the kind of function. */
		async setup(): Promise<void> {
			await nothing();
		},
		async storeRetained(packet: ForwardPacket): Promise<void> {
			if (!retained.put(packet)) deps.onRetainedFull(packet.topic);
		},
		createRetainedStreamCombi: (filters: readonly string[]): Readable => Readable.from(retainedOf(filters)),

		addSubscriptions: nothing,
		async removeSubscriptions(client: Client, filters: readonly string[]): Promise<void> {
			const session = connectionOf(client)?.session;
			if (session) for (const filter of filters) sessions.unsubscribe(session, filter);
		},
		cleanSubscriptions: nothing,
		async subscriptionsByClient({ id }: { readonly id: string }) {
			const session = sessions.find(id);
			if (session?.isResumed !== true) return [];
			const filters = [...session.filters].map(([topic, qos]) => ({ topic, qos }));
			return [{ topic: SESSION_MARK, qos: 0 }, ...filters];
		},
		/** The stores find the sessions themselves, when the message is there. */
		subscriptionsByTopic: () => nobody,

		outgoingEnqueueCombi(_sessions: readonly unknown[], packet: ForwardPacket): Promise<void> {
			sessions.keep(packet);
			return done;
		},
		/** PUBREC answered with PUBREL: from here on PUBREL is what is sent again. */
		async outgoingUpdate(client: Client, packet: Named & { readonly cmd: string }): Promise<void> {
			if (packet.cmd === 'pubrel' && packet.messageId !== undefined)
				connectionOf(client)?.session?.queue.received(packet.messageId);
		},
		outgoingClearMessageId(client: Client, { messageId }: Named): Promise<void> {
			if (messageId !== undefined) {
				connectionOf(client)?.session?.queue.acknowledge(messageId);
				deps.onAcknowledged(client, messageId);
			}
			return done;
		},
		outgoingStream(client: Client): Readable {
			const received =
				connectionOf(client)
					?.session?.queue.all()
					.filter(({ isReceived }) => isReceived) ?? [];
			return Readable.from(received.map(({ messageId }) => ({ cmd: 'pubrel', messageId })));
		},

		async incomingStorePacket(client: Client, { messageId }: Named): Promise<void> {
			const incoming = connectionOf(client)?.incoming;
			if (incoming === undefined || messageId === undefined || incoming.size >= deps.inboundQos2)
				throw new Error(`more than ${deps.inboundQos2} messages wait for PUBREL`);
			incoming.add(messageId);
		},
		async incomingGetPacket(client: Client, packet: Named): Promise<Named> {
			if (!isWaiting(client, packet)) throw noPacket;
			return packet;
		},
		async incomingDelPacket(client: Client, packet: Named): Promise<void> {
			if (!isWaiting(client, packet)) throw noPacket;
			if (packet.messageId !== undefined) connectionOf(client)?.incoming.delete(packet.messageId);
		},

		putWill: nothing,
		delWill: nothing,
		streamWill: (): Readable => Readable.from([]),
	};
}
