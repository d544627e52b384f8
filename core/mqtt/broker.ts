import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { callbackify } from 'node:util';

import { Aedes, type Client, type ConnectPacket, type PublishPacket, type Subscription } from 'aedes';

import { messageOf } from '../kernel/fault.ts';
import type { LogFields } from '../kernel/log.ts';
import { createTokenBuckets } from '../kernel/token-buckets.ts';
import { type Applicant, createAdmission, Refusal, SERVER_UNAVAILABLE } from './admission.ts';
import { endsWithConnection, keepOvertaken } from './aedes-client.ts';
import { createConnectionGate } from './connection-gate.ts';
import { type Connection, createConnectionRegistry, grantedQos } from './connection.ts';
import { deliverToAny } from './delivery.ts';
import { createForwarding } from './forwarding.ts';
import { type CutReason, guardSocket } from './guarded-socket.ts';
import type { Broker, BrokerDeps, MqttAccount } from './mqtt.ts';
import { createRetainedStore } from './retained-store.ts';
import { createBrokerPersistence, SESSION_MARK } from './session/broker-persistence.ts';
import { createSessionStore } from './session/session-store.ts';
import { isFilter, isTopic } from './topic.ts';

/** Nobody may subscribe to it; where a message goes that is acknowledged but not passed on. */
const NOWHERE = '$SYS/discarded';

/** Longest wait at the stop for messages that are on their way to the disk; and for their acknowledgements to leave. */
const FINISH_TIMEOUT_MS = 500;
const FLUSH_MS = 10;

/** Longest wait for aedes to end its connections; then they are cut. */
const CLOSE_TIMEOUT_MS = 2_000;

const SWEEP_MS = 60_000;

/** aedes picks its own way of sending by the QoS of a subscription; this one leaves the choice to `forwarding.ts`. */
const ANY_QOS = 2;

/** Lines of the log that one address, or one account, may cause by what it is refused. */
const REFUSAL_LINES = { burst: 20, perSecond: 0.1 };
const REMEMBERED = 1_000;
/** As much of a name or topic as a line shows. */
const MAX_SHOWN = 256;

const nothing = (): void => undefined;

const bytesOf = (payload: string | Buffer): Buffer => (typeof payload === 'string' ? Buffer.from(payload) : payload);

/** The name of an account in a key; a slash in it must not reach into the client identifier behind it. */
const keyPart = (username: string): string => username.replaceAll('%', '%25').replaceAll('/', '%2F');

/**
 * The MQTT 3.1.1 broker of the box. Everything of aedes stays in this folder.
 *
 * Client identifiers count per account, so that nobody ends another account's connection by borrowing its identifier. Sessions that
 * outlive their connection are bounded (`session/`), and live in memory.
 */
export async function createBroker<A extends MqttAccount>(deps: BrokerDeps<A>): Promise<Broker> {
	const { log, clock, limits, onPublish } = deps;
	const sockets = new Set<Socket>();
	const applicants = new WeakMap<Client, { readonly socket: Socket; applicant: Applicant | null }>();
	const registry = createConnectionRegistry<A>();
	const gate = createConnectionGate(limits, clock);
	const sessions = createSessionStore({ limits, clock, log });
	const lines = createTokenBuckets(REFUSAL_LINES, REMEMBERED, clock);
	const count = {
		received: 0,
		refusedConnections: 0,
		deniedPublishes: 0,
		deniedSubscriptions: 0,
		discarded: 0,
		droppedForSlowClients: 0,
		cutConnections: 0,
	};
	/** Messages that are being taken in, and who waits for the last of them. */
	let taking = 0;
	let allTaken: (() => void) | null = null;
	let stopping: Promise<void> | null = null;

	const forwarding = createForwarding({
		dropAboveBytes: limits.dropAboveBytes,
		droppedForSlowClient: () => void (count.droppedForSlowClients += 1),
		cutOff({ client, socket }) {
			if (socket.destroyed) return;
			noteCut('acknowledgements-missing', socket, client);
			socket.destroy();
		},
	});

	/** Counted and audited all the same; the log is no place for a flood. */
	function logRefusal(event: string, cause: string, fields: LogFields): void {
		if (lines.take(cause)) log.warn(event, fields);
	}

	function noteCut(reason: CutReason, socket: Socket, client: Client): void {
		count.cutConnections += 1;
		log.warn('mqtt-connection-cut', { reason, address: socket.remoteAddress, client: client.id });
	}

	function noteRefused(socket: Socket | undefined, reason: string, username?: string): void {
		count.refusedConnections += 1;
		const address = socket?.remoteAddress;
		const shown = username?.slice(0, MAX_SHOWN);
		logRefusal('mqtt-connection-refused', `from ${address}`, { username: shown, address, reason });
		deps.onRefused?.({ what: 'connect', username: username ?? null, address: address ?? '', topic: null, reason });
	}

	function noteDenied(what: 'publish' | 'subscribe', { account, socket }: Connection<A>, topic: string): void {
		const address = socket.remoteAddress ?? '';
		deps.onRefused?.({ what, username: account.name, address, topic, reason: `not allowed to ${what} here` });
	}

	const mayPublish = (account: A, topic: string): boolean =>
		isTopic(topic, limits) && deps.authorizePublish(account, topic);

	const admit = createAdmission<A>({
		limits,
		clock,
		registry,
		sessions,
		authenticate: deps.authenticate,
		mayPublish,
		failed: (address) => gate.failed(address),
		sessionRefused(client, account) {
			endsWithConnection(client);
			log.warn('mqtt-session-refused', { account: account.name, client: client.id, limit: limits.sessionsPerAccount });
		},
	});

	async function connect(client: Client, username: string | undefined, password: Buffer | undefined): Promise<void> {
		const applicant = applicants.get(client)?.applicant;
		if (stopping !== null || !applicant) throw new Refusal(SERVER_UNAVAILABLE, 'stopping');
		const connection = await admit(applicant, username, password);
		if (connection.session === null) applicant.connect.clean = true;
		registry.add(connection);
	}

	/** Reads what a client asks for before aedes does, and takes back what it cannot have. */
	function prepare(client: Client, packet: ConnectPacket): void {
		const known = applicants.get(client);
		if (known === undefined) return;
		const givenId = packet.clientId;
		const wantsSession = packet.clean === false && limits.sessions > 0;
		packet.clean = !wantsSession;
		packet.clientId = `${keyPart(packet.username ?? '')}/${givenId === '' ? randomUUID() : givenId}`;
		packet.keepalive = Math.min(packet.keepalive || limits.keepaliveS, limits.keepaliveS);
		known.applicant = { client, socket: known.socket, connect: packet, givenId, wantsSession };
	}

	function deny(connection: Connection<A>, topic: string): Error {
		count.deniedPublishes += 1;
		const { name } = connection.account;
		logRefusal('mqtt-publish-denied', name, { account: name, topic: topic.slice(0, MAX_SHOWN) });
		noteDenied('publish', connection, topic);
		return new Error(`publishing on ${topic} is not allowed`);
	}

	function discard(packet: PublishPacket): void {
		count.discarded += 1;
		packet.topic = NOWHERE;
		packet.payload = '';
		packet.retain = false;
	}

	/** Runs before the acknowledgement; aedes acknowledges when it is called back without an error. HOT: one promise of its own for a message. */
	function accept(client: Client | null, packet: PublishPacket, done: (error?: Error | null) => void): void {
		const connection = client === null ? undefined : registry.of(client);
		// Wills of a broker that stops are not the devices' last words.
		if (connection === undefined || stopping !== null) return done(new Error('no session'));
		const { account } = connection;
		if (!mayPublish(account, packet.topic)) return done(deny(connection, packet.topic));
		count.received += 1;
		taking += 1;
		const finish = (error: Error | null): void => {
			taking -= 1;
			if (taking === 0) allTaken?.();
			done(error);
		};
		void onPublish(account, {
			topic: packet.topic,
			payload: bytesOf(packet.payload),
			qos: packet.qos,
			retain: packet.retain,
			dup: packet.qos > 0 && packet.dup,
			messageId: packet.messageId ?? null,
		}).then(
			(verdict) => {
				if (verdict === 'discard') discard(packet);
				return finish(null);
			},
			(error: unknown) => finish(error instanceof Error ? error : new Error(messageOf(error))),
		);
	}

	/** What aedes is to subscribe; `null` refuses. */
	function grant(client: Client, { topic: filter, qos }: Subscription): Subscription | null {
		const connection = registry.of(client);
		if (connection === undefined || filter === SESSION_MARK) return null;
		const { account, filters, session } = connection;
		const isRoomLeft = filters.has(filter) || filters.size < limits.subscriptions;
		if (isRoomLeft && isFilter(filter, limits) && deps.authorizeSubscribe(account, filter)) {
			filters.set(filter, qos);
			if (session !== null) sessions.subscribe(session, filter, qos);
			return { topic: filter, qos: ANY_QOS };
		}
		count.deniedSubscriptions += 1;
		if (session !== null) sessions.unsubscribe(session, filter);
		logRefusal('mqtt-subscribe-denied', account.name, {
			account: account.name,
			filter: filter.slice(0, MAX_SHOWN),
			full: !isRoomLeft,
		});
		noteDenied('subscribe', connection, filter);
		return null;
	}

	const connectThen = callbackify(connect);
	const aedes = await Aedes.createBroker({
		// Deliveries never wait (guardSocket), so there is nothing to ration; a bound would only make publishers wait.
		concurrency: 0,
		drainTimeout: 0,
		connectTimeout: limits.connectTimeoutMs,
		maxInflightInbound: limits.inboundQos2,
		maxClientsIdLength: 65_535,
		// Deeper topics and filters are judged here, where the refusal can be logged with its account.
		maxTopicLevels: 100,
		persistence: createBrokerPersistence({
			sessions,
			retained: createRetainedStore(limits.retainedMessages, limits.retainedBytes),
			connectionOf: registry.of,
			onAcknowledged: (client, messageId) => void registry.of(client)?.window.acknowledge(messageId),
			onRetainedFull: (topic) => log.warn('mqtt-retained-full', { topic }),
			inboundQos2: limits.inboundQos2,
		}),
		preConnect(client, packet, callback) {
			prepare(client, packet);
			callback(null, true);
		},
		authenticate(client, username, password, done) {
			connectThen(client, username, password, (error: unknown) => {
				if (error === null) return done(null, true);
				noteRefused(applicants.get(client)?.socket, messageOf(error), username);
				done(error instanceof Refusal ? error : new Refusal(SERVER_UNAVAILABLE, messageOf(error)), false);
			});
		},
		authorizePublish: accept,
		authorizeSubscribe: (client, subscription, callback) => callback(null, grant(client, subscription)),
		authorizeForward(client, packet) {
			const connection = registry.of(client);
			return connection === undefined ? null : forwarding.forward(connection, packet);
		},
	});
	const sweeper = setInterval(() => sessions.sweep(), SWEEP_MS).unref();

	function ready(client: Client): void {
		const connection = registry.of(client);
		if (connection === undefined || connection.socket.destroyed) return;
		connection.isReady = true;
		forwarding.sendKept(connection);
		deps.onConnected?.(connection.account);
		for (const filter of connection.filters.keys()) deps.onSubscribed?.(connection.account, filter);
	}

	function gone(client: Client): void {
		const connection = registry.of(client);
		if (connection === undefined) return;
		const left = registry.remove(connection);
		if (connection.session !== null) sessions.leave(connection.session, client);
		if (connection.isReady) deps.onDisconnected?.(connection.account, left === 0);
	}

	aedes.on('clientReady', ready);
	aedes.on('subscribe', (subscriptions, client) => {
		const connection = registry.of(client);
		if (connection?.isReady !== true) return;
		for (const { topic } of subscriptions)
			if (connection.filters.has(topic)) deps.onSubscribed?.(connection.account, topic);
	});
	aedes.on('unsubscribe', (filters, client) => {
		for (const filter of filters) registry.of(client)?.filters.delete(filter);
	});
	aedes.on('clientError', (client, error) =>
		log.debug('mqtt-client-error', { client: client.id, reason: messageOf(error) }),
	);
	aedes.on('connectionError', (_client, error) => log.debug('mqtt-connection-error', { reason: messageOf(error) }));
	const events: EventEmitter = aedes;
	events.on('error', (error: unknown) => log.error('mqtt-broker-error', { reason: messageOf(error) }));

	function turnAway(socket: Socket, reason: string | null): void {
		if (reason !== null) noteRefused(socket, reason);
		socket.on('error', nothing);
		socket.destroy();
	}

	function handle(socket: Socket): void {
		if (stopping !== null || socket.destroyed) return turnAway(socket, null);
		sockets.add(socket);
		guardSocket(socket, limits, (reason) => noteCut(reason, socket, client));
		const client = aedes.handle(socket);
		keepOvertaken(client);
		applicants.set(client, { socket, applicant: null });
		socket.once('close', () => {
			sockets.delete(socket);
			gone(client);
		});
	}

	/** What is stored and not acknowledged would be sent, and stored, again: so what has begun is finished. */
	async function finishTaking(): Promise<void> {
		if (taking === 0) return;
		const isDone = new Promise<void>((resolve) => (allTaken = resolve));
		await Promise.race([isDone, sleep(FINISH_TIMEOUT_MS, undefined, { ref: false })]);
		await sleep(FLUSH_MS);
	}

	async function stop(): Promise<void> {
		clearInterval(sweeper);
		await finishTaking();
		await new Promise<void>((resolve) => {
			setTimeout(resolve, CLOSE_TIMEOUT_MS).unref();
			aedes.close(resolve);
		});
		const closed = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
		for (const socket of sockets) socket.destroy();
		await Promise.all(closed);
	}

	const infoOf = ({ account, socket, clientId, connectedAt, filters, session }: Connection<A>) => ({
		account: account.name,
		clientId,
		remoteAddress: socket.remoteAddress ?? '',
		connectedAt,
		subscriptions: filters.size,
		backlogBytes: socket.writableLength,
		isPersistent: session !== null,
	});

	return {
		admit(socket) {
			const refusal = stopping === null ? gate.enter(socket) : null;
			if (stopping === null && refusal === null) return true;
			turnAway(socket, refusal);
			return false;
		},
		handle,
		publish(topic, payload, { qos = 0, retain = false } = {}) {
			if (stopping === null) aedes.publish({ cmd: 'publish', topic, payload, qos, retain, dup: false }, nothing);
		},
		deliver(name, topic, payload, { timeoutMs }) {
			const theirs = stopping === null ? registry.ofAccount(name) : [];
			const targets = theirs.flatMap((connection) => {
				const qos = connection.isReady ? grantedQos(connection, topic) : null;
				return qos === null ? [] : [{ connection, qos }];
			});
			return deliverToAny(targets, topic, bytesOf(payload), timeoutMs);
		},
		probe: () =>
			new Promise((resolve, reject) => {
				if (stopping !== null) return reject(new Error('the broker is stopped'));
				aedes.publish({ cmd: 'publish', topic: NOWHERE, payload: '', qos: 0, retain: false, dup: false }, (error) => {
					if (error) reject(error);
					else resolve();
				});
			}),
		isConnected: (name) => registry.isLive(name),
		clients: () => [...registry.all()].map(infoOf),
		disconnect(name, why) {
			const theirs = registry.ofAccount(name);
			for (const { client } of theirs) client.close();
			const ended = sessions.endOf(name);
			if (theirs.length + ended > 0)
				log.info('mqtt-disconnected', { account: name, why, connections: theirs.length, sessions: ended });
			return theirs.length;
		},
		stats: () => ({ ...count, ...sessions.stats(), connections: sockets.size }),
		stop: () => (stopping ??= stop()),
	};
}
