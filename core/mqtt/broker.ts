import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { callbackify } from 'node:util';

import { Aedes, type Client, type ConnectPacket, type PublishPacket } from 'aedes';

import type { EpochMs } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import { clientCertificateOf } from './client-certificate.ts';
import { guardSocket } from './guarded-socket.ts';
import type { Broker, BrokerDeps, MqttAccount, MqttCredentials } from './mqtt.ts';
import { createRetainedQuota } from './retained-quota.ts';
import { topicLevels } from './topic.ts';

interface Session<A extends MqttAccount> {
	readonly account: A;
	readonly socket: Socket;
	readonly clientId: string;
	readonly connectedAt: EpochMs;
	readonly filters: Set<string>;
}

/** Nobody may subscribe to it; where a message goes that is acknowledged but not passed on. */
const NOWHERE = '$SYS/discarded';

/** Longest wait at the stop for messages that are on their way to the disk; and for their acknowledgements to leave. */
const FINISH_TIMEOUT_MS = 500;
const FLUSH_MS = 10;

/** Longest wait for aedes to end its connections; then they are cut. */
const CLOSE_TIMEOUT_MS = 2_000;

/** A refused CONNECT with its CONNACK return code (3.1.1 section 3.2.2.3). */
class Refusal extends Error {
	override readonly name = 'Refusal';
	readonly returnCode: 2 | 3 | 4 | 5;

	constructor(returnCode: 2 | 3 | 4 | 5, reason: string) {
		super(reason);
		this.returnCode = returnCode;
	}
}

const IDENTIFIER_REJECTED = 2;
const SERVER_UNAVAILABLE = 3;
const BAD_CREDENTIALS = 4;
const NOT_AUTHORIZED = 5;

const nothing = (): void => undefined;

/** What the TLS layer knows of the peer. */
const encryptionOf = (socket: Socket): Pick<MqttCredentials, 'encrypted' | 'certificate'> =>
	socket instanceof TLSSocket
		? { encrypted: true, certificate: clientCertificateOf(socket) }
		: { encrypted: false, certificate: null };

const bytesOf = (payload: string | Buffer): Buffer => (typeof payload === 'string' ? Buffer.from(payload) : payload);

/**
 * The MQTT 3.1.1 broker of the box. The only file that imports aedes.
 *
 * Sessions end with their connection, also when the client asks for a persistent one (CONNACK says "no session present"):
 * aedes keeps queues of offline sessions without any bound. Client identifiers count per account, so that nobody
 * ends another account's connection by borrowing its identifier.
 */
export async function createBroker<A extends MqttAccount>(deps: BrokerDeps<A>): Promise<Broker> {
	const { log, clock, limits, authenticate, authorizePublish, authorizeSubscribe, onPublish } = deps;
	const sockets = new Set<Socket>();
	const connecting = new WeakMap<Client, { readonly socket: Socket; connect: ConnectPacket | null }>();
	/** Outlives the connection: the will is judged by it after the close. */
	const sessions = new WeakMap<Client, Session<A>>();
	const live = new Set<Client>();
	const retained = createRetainedQuota(limits.retainedMessages, limits.retainedBytes);
	const count = {
		received: 0,
		refusedConnections: 0,
		deniedPublishes: 0,
		deniedSubscriptions: 0,
		discarded: 0,
		droppedForSlowClients: 0,
		cutConnections: 0,
	};
	/** Messages that are being taken in. */
	const taking = new Set<Promise<void>>();
	let stopping: Promise<void> | null = null;

	const liveSessions = (): [Client, Session<A>][] =>
		[...live].flatMap((client) => {
			const session = sessions.get(client);
			return session === undefined ? [] : [[client, session]];
		});

	const connectionsOf = (name: string): number =>
		liveSessions().filter(([, { account }]) => account.name === name).length;

	/** Decides on a CONNECT. @throws Refusal */
	async function admit(client: Client, username: string | undefined, password: Buffer | undefined): Promise<void> {
		const { socket, connect } = connecting.get(client) ?? {};
		if (stopping !== null || socket === undefined || !connect) throw new Refusal(SERVER_UNAVAILABLE, 'stopping');
		const encryption = encryptionOf(socket);
		// A certificate proves more than a password does.
		if (!username || (password === undefined && encryption.certificate === null))
			throw new Refusal(NOT_AUTHORIZED, 'no username and password were given');
		if (client.id.length > limits.clientIdLength)
			throw new Refusal(IDENTIFIER_REJECTED, 'the client identifier is too long');
		const remoteAddress = socket.remoteAddress ?? '';
		const account = await authenticate({
			username,
			password: password ?? Buffer.alloc(0),
			clientId: client.id,
			remoteAddress,
			...encryption,
		});
		if (account === null) throw new Refusal(BAD_CREDENTIALS, 'username or password is wrong');
		register(client, { account, socket, clientId: client.id, connectedAt: clock.now(), filters: new Set() }, connect);
	}

	function register(client: Client, session: Session<A>, { will }: ConnectPacket): void {
		const { account, socket } = session;
		if (will !== undefined && !isPublishAllowed(account, will.topic))
			throw new Refusal(NOT_AUTHORIZED, `the account may not publish its will on ${will.topic}`);
		if (connectionsOf(account.name) >= limits.connectionsPerAccount)
			throw new Refusal(SERVER_UNAVAILABLE, `the account has ${limits.connectionsPerAccount} connections already`);
		sessions.set(client, session);
		if (!socket.destroyed) live.add(client);
	}

	const isPublishAllowed = (account: A, topic: string): boolean =>
		!topic.startsWith('$') && topicLevels(topic) <= limits.topicLevels && authorizePublish(account, topic);

	/** Runs before the acknowledgement; aedes acknowledges when it returns. */
	async function accept(client: Client | null, packet: PublishPacket): Promise<void> {
		const session = client === null ? undefined : sessions.get(client);
		// Wills of a broker that stops are not the devices' last words.
		if (session === undefined || stopping !== null) throw new Error('no session');
		if (!isPublishAllowed(session.account, packet.topic)) {
			count.deniedPublishes += 1;
			log.warn('mqtt-publish-denied', { account: session.account.name, topic: packet.topic });
			throw new Error(`publishing on ${packet.topic} is not allowed`);
		}
		count.received += 1;
		const payload = bytesOf(packet.payload);
		const verdict = await onPublish(session.account, {
			topic: packet.topic,
			payload,
			qos: packet.qos,
			retain: packet.retain,
			dup: packet.qos > 0 && packet.dup,
			messageId: packet.messageId ?? null,
		});
		if (verdict === 'discard') {
			count.discarded += 1;
			packet.topic = NOWHERE;
			packet.payload = '';
			packet.retain = false;
		} else if (packet.retain && !retained.book(packet.topic, payload.length)) {
			packet.retain = false;
			log.warn('mqtt-retained-full', { account: session.account.name, topic: packet.topic });
		}
	}

	async function acceptTracked(client: Client | null, packet: PublishPacket): Promise<void> {
		const task = accept(client, packet);
		taking.add(task);
		try {
			await task;
		} finally {
			taking.delete(task);
		}
	}

	function isSubscribeAllowed(client: Client, filter: string): boolean {
		const session = sessions.get(client);
		if (session === undefined) return false;
		const isRoomLeft = session.filters.has(filter) || session.filters.size < limits.subscriptions;
		if (
			isRoomLeft &&
			!filter.startsWith('$') &&
			topicLevels(filter) <= limits.topicLevels &&
			authorizeSubscribe(session.account, filter)
		) {
			session.filters.add(filter);
			return true;
		}
		count.deniedSubscriptions += 1;
		log.warn('mqtt-subscribe-denied', { account: session.account.name, filter, full: !isRoomLeft });
		return false;
	}

	const admitThen = callbackify(admit);
	const aedes = await Aedes.createBroker({
		// Deliveries never wait (guardSocket), so there is nothing to ration; a bound would only make publishers wait.
		concurrency: 0,
		drainTimeout: 0,
		connectTimeout: limits.connectTimeoutMs,
		maxClientsIdLength: 65_535,
		// Deeper topics and filters are judged here, where the refusal can be logged with its account.
		maxTopicLevels: 100,
		preConnect(client, packet, callback) {
			packet.clean = true;
			packet.clientId = `${packet.username ?? ''}/${packet.clientId === '' ? randomUUID() : packet.clientId}`;
			const waiting = connecting.get(client);
			if (waiting !== undefined) waiting.connect = packet;
			callback(null, true);
		},
		authenticate(client, username, password, done) {
			admitThen(client, username, password, (error: unknown) => {
				if (error === null) return done(null, true);
				count.refusedConnections += 1;
				const address = connecting.get(client)?.socket.remoteAddress;
				log.warn('mqtt-connection-refused', { username, address, reason: messageOf(error) });
				done(error instanceof Refusal ? error : new Refusal(SERVER_UNAVAILABLE, messageOf(error)), false);
			});
		},
		authorizePublish: callbackify(acceptTracked),
		authorizeSubscribe(client, subscription, callback) {
			callback(null, isSubscribeAllowed(client, subscription.topic) ? subscription : null);
		},
		authorizeForward(client, packet) {
			if (packet.qos > 0 || client.conn.writableLength <= limits.dropAboveBytes) return packet;
			count.droppedForSlowClients += 1;
			return null;
		},
	});

	aedes.on('unsubscribe', (filters, client) => {
		for (const filter of filters) sessions.get(client)?.filters.delete(filter);
	});
	aedes.on('clientError', (client, error) =>
		log.debug('mqtt-client-error', { client: client.id, reason: messageOf(error) }),
	);
	aedes.on('connectionError', (_client, error) => log.debug('mqtt-connection-error', { reason: messageOf(error) }));
	const events: EventEmitter = aedes;
	events.on('error', (error: unknown) => log.error('mqtt-broker-error', { reason: messageOf(error) }));

	function handle(socket: Socket): void {
		if (stopping !== null || sockets.size >= limits.connections) {
			count.refusedConnections += 1;
			if (stopping === null) log.warn('mqtt-connections-full', { limit: limits.connections });
			socket.on('error', nothing);
			socket.destroy();
			return;
		}
		sockets.add(socket);
		guardSocket(socket, limits, (reason) => {
			count.cutConnections += 1;
			log.warn('mqtt-connection-cut', { reason, address: socket.remoteAddress, client: client.id });
		});
		const client = aedes.handle(socket);
		connecting.set(client, { socket, connect: null });
		socket.once('close', () => {
			sockets.delete(socket);
			live.delete(client);
		});
	}

	/** What is stored and not acknowledged would be sent, and stored, again: so what has begun is finished. */
	async function finishTaking(): Promise<void> {
		if (taking.size === 0) return;
		await Promise.race([Promise.allSettled(taking), sleep(FINISH_TIMEOUT_MS, undefined, { ref: false })]);
		await sleep(FLUSH_MS);
	}

	async function stop(): Promise<void> {
		await finishTaking();
		await new Promise<void>((resolve) => {
			setTimeout(resolve, CLOSE_TIMEOUT_MS).unref();
			aedes.close(resolve);
		});
		const closed = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
		for (const socket of sockets) socket.destroy();
		await Promise.all(closed);
	}

	return {
		handle,
		publish(topic, payload, { qos = 0, retain = false } = {}) {
			if (stopping === null) aedes.publish({ cmd: 'publish', topic, payload, qos, retain, dup: false }, nothing);
		},
		clients: () =>
			liveSessions().map(([, { account, socket, clientId, connectedAt, filters }]) => ({
				account: account.name,
				clientId,
				remoteAddress: socket.remoteAddress ?? '',
				connectedAt,
				subscriptions: filters.size,
				backlogBytes: socket.writableLength,
			})),
		disconnect(name, why) {
			const theirs = liveSessions().filter(([, { account }]) => account.name === name);
			for (const [client] of theirs) client.close();
			if (theirs.length > 0) log.info('mqtt-disconnected', { account: name, why, connections: theirs.length });
			return theirs.length;
		},
		stats: () => ({ ...count, connections: sockets.size }),
		stop: () => (stopping ??= stop()),
	};
}
