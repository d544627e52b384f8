import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/log.ts';
import type { ForwardPacket } from '../aedes-client.ts';
import { createTopicTree } from '../topic-tree.ts';
import { createByteBudget, createMessageQueue, type MessageQueue } from './message-queue.ts';

export interface SessionLimits {
	/** Sessions that outlive their connection, connected ones included; 0: every session ends with its connection. */
	readonly sessions: number;
	readonly sessionsPerAccount: number;
	/** Messages of QoS 1 and 2 kept for one session. */
	readonly sessionMessages: number;
	/** Bytes kept for one session. */
	readonly sessionBytes: number;
	/** Bytes kept for all sessions together. */
	readonly allSessionsBytes: number;
	/** How long a session waits for its client, ms. */
	readonly sessionExpiryMs: number;
	/** Messages of QoS 2 of one session that wait for PUBREL. */
	readonly inboundQos2: number;
}

/** What outlives a connection (3.1.1 section 3.1.2.4): subscriptions, what was not acknowledged, what waits for PUBREL. */
export interface StoredSession {
	readonly key: string;
	readonly account: string;
	readonly filters: Map<string, 0 | 1 | 2>;
	readonly queue: MessageQueue;
	readonly incoming: Set<number>;
	/** The connection it belongs to now; `null`: its client is away. */
	holder: object | null;
	/** Monotonic instant from which on nobody waits for the client any more; counts while there is no holder. */
	expiresAtMs: number;
	/** It was there before its present connection. */
	isResumed: boolean;
}

export interface SessionStoreDeps {
	readonly limits: SessionLimits;
	readonly clock: Clock;
	readonly log: Logger;
}

/** Sessions that clients ask for with `clean: false`; in memory, so that a restart of the box ends them. */
export function createSessionStore({ limits, clock, log }: SessionStoreDeps) {
	const byKey = new Map<string, StoredSession>();
	/** Sessions at each filter. */
	const tree = createTopicTree<Map<StoredSession, 0 | 1 | 2>>();
	const budget = createByteBudget(limits.allSessionsBytes);
	const count = { expiredSessions: 0, droppedFromSessions: 0 };

	const isExpired = ({ holder, expiresAtMs }: StoredSession): boolean =>
		holder === null && expiresAtMs <= clock.monotonicMs();

	function unsubscribe(session: StoredSession, filter: string): void {
		if (!session.filters.delete(filter)) return;
		const holders = tree.get(filter);
		holders?.delete(session);
		if (holders?.size === 0) tree.delete(filter);
	}

	function end(session: StoredSession): void {
		for (const filter of session.filters.keys()) unsubscribe(session, filter);
		session.queue.clear();
		if (byKey.get(session.key) === session) byKey.delete(session.key);
	}

	function sweep(): void {
		for (const session of [...byKey.values()].filter(isExpired)) {
			count.expiredSessions += 1;
			log.info('mqtt-session-expired', {
				account: session.account,
				session: session.key,
				messages: session.queue.size,
			});
			end(session);
		}
	}

	const sessionsOf = (account: string): StoredSession[] =>
		[...byKey.values()].filter((session) => session.account === account);

	/** Lets the account's own session that has been away longest give way. `false`: there is no room. */
	function makeRoom(account: string): boolean {
		const own = sessionsOf(account);
		if (own.length < limits.sessionsPerAccount && byKey.size < limits.sessions) return true;
		const [away] = own.filter(({ holder }) => holder === null).toSorted((a, b) => a.expiresAtMs - b.expiresAtMs);
		if (away === undefined) return false;
		log.warn('mqtt-session-displaced', { account, session: away.key, messages: away.queue.size });
		end(away);
		return true;
	}

	return {
		/** The session of a client, a new one or the one it left; `null` when there is no room for another. */
		open(key: string, account: string, holder: object): StoredSession | null {
			sweep();
			const known = byKey.get(key);
			if (known !== undefined) {
				known.holder = holder;
				known.isResumed = true;
				return known;
			}
			if (limits.sessions === 0 || !makeRoom(account)) return null;
			const session: StoredSession = {
				key,
				account,
				filters: new Map(),
				queue: createMessageQueue({ messages: limits.sessionMessages, bytes: limits.sessionBytes }, budget, () => {
					// To a client that is there the message goes out all the same; it only would not come again.
					if (session.holder === null) count.droppedFromSessions += 1;
				}),
				incoming: new Set(),
				holder,
				expiresAtMs: 0,
				isResumed: false,
			};
			byKey.set(key, session);
			return session;
		},
		find: (key: string): StoredSession | undefined => byKey.get(key),
		/** A connection is gone; its session waits from here on, unless another connection has taken it over. */
		leave(session: StoredSession, holder: object): void {
			if (session.holder !== holder) return;
			session.holder = null;
			session.expiresAtMs = clock.monotonicMs() + limits.sessionExpiryMs;
		},
		endAt(key: string): void {
			const session = byKey.get(key);
			if (session !== undefined) end(session);
		},
		/** Ends all sessions of an account; answers how many there were. */
		endOf(account: string): number {
			const theirs = sessionsOf(account);
			for (const session of theirs) end(session);
			return theirs.length;
		},
		subscribe(session: StoredSession, filter: string, qos: 0 | 1 | 2): void {
			if (byKey.get(session.key) !== session) return;
			session.filters.set(filter, qos);
			const holders = tree.get(filter) ?? new Map<StoredSession, 0 | 1 | 2>();
			holders.set(session, qos);
			tree.set(filter, holders);
		},
		unsubscribe,
		/** Keeps a message for every session that is subscribed to its topic. */
		keep(packet: ForwardPacket): void {
			if (byKey.size === 0) return;
			const best = new Map<StoredSession, number>();
			for (const holders of tree.matching(packet.topic))
				for (const [session, qos] of holders) best.set(session, Math.max(best.get(session) ?? 0, qos));
			for (const [session, granted] of best) {
				const qos = Math.min(granted, packet.qos);
				if ((qos === 1 || qos === 2) && !isExpired(session)) session.queue.push(packet, qos);
			}
		},
		sweep,
		stats: () => ({ ...count, sessions: byKey.size }),
	};
}

export type SessionStore = ReturnType<typeof createSessionStore>;
