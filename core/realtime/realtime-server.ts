import type { Server as HttpServer } from 'node:http';
import { callbackify } from 'node:util';

import { type Namespace, Server, type Socket } from 'socket.io';

import { isAllowedOrigin } from '../http/origin.ts';
import type { Actor } from '../identity/role.ts';
import { Fault, messageOf } from '../kernel/fault.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { toRealtimeError } from './realtime-error.ts';

export interface RealtimeLimits {
	/** Connections at once, with and without a valid token. */
	readonly connections: number;
	/** Longest message of a client, bytes. */
	readonly messageBytes: number;
	/** Packets that may wait for one client before it is disconnected. */
	readonly waitingPackets: number;
	/** Time between two checks that the tokens of all connections are still valid, ms. */
	readonly tokenCheckMs: number;
}

export const DEFAULT_REALTIME_LIMITS: RealtimeLimits = {
	connections: 1_000,
	messageBytes: 16 * 1024,
	waitingPackets: 1_000,
	tokenCheckMs: 15_000,
};

export interface RealtimeServerDeps {
	/** The HTTP server of the REST API; it stays its owner's. */
	readonly listener: HttpServer;
	/** @throws Fault when the token is not valid (any more) */
	readonly verify: (token: string) => Actor | Promise<Actor>;
	readonly log: Logger;
	readonly limits: RealtimeLimits;
	/** Origins of other hosts' pages that may connect; the same list as for REST. */
	readonly origins?: readonly string[];
}

export interface RealtimeServer extends Stoppable {
	/** A namespace that only lets valid tokens in. */
	namespace(name: `/${string}`): Namespace;
	/** The caller behind a connection of such a namespace. */
	actorOf(socket: Socket): Actor;
	/** Disconnects those of a room that take in less than they are sent; to be called where a room is written to. */
	cutSlow(namespace: Namespace, room: string): void;
	connections(): number;
}

interface Admission {
	readonly token: string;
	actor: Actor;
}

const BEARER = /^Bearer +(\S+)$/i;
const CONNECT_TIMEOUT_MS = 10_000;

/** The token of a handshake: `auth.token`, or the Authorization header (contract rule R7). */
function tokenOf({ handshake }: Socket): string {
	const token: unknown = handshake.auth['token'];
	const given = typeof token === 'string' ? token : BEARER.exec(handshake.headers.authorization ?? '')?.[1];
	if (given === undefined || given === '') throw new Fault('not-authenticated', 'a valid access token is required');
	return given;
}

/** Packets that the transport has not taken yet. */
function waitingPackets({ conn }: Socket): number {
	const waiting: unknown = Reflect.get(conn, 'writeBuffer');
	return Array.isArray(waiting) ? waiting.length : 0;
}

/** What the client's `connect_error` carries: the error object as `data`. */
function refusal(error: unknown): Error {
	const body = toRealtimeError(error);
	return Object.assign(new Error(body.detail), { data: body });
}

/** Socket.IO beside the REST API: path `/socket.io/`, websocket and long polling, a valid token for every namespace. */
export function createRealtimeServer({
	listener,
	verify,
	log,
	limits,
	origins = [],
}: RealtimeServerDeps): RealtimeServer {
	const admissions = new Map<Socket, Admission>();
	const io = new Server({
		path: '/socket.io/',
		serveClient: false,
		transports: ['polling', 'websocket'],
		maxHttpBufferSize: limits.messageBytes,
		connectTimeout: CONNECT_TIMEOUT_MS,
		perMessageDeflate: false,
		...(origins.length > 0 && { cors: { origin: [...origins] } }),
		allowRequest(request, decide) {
			const isNew = !request.url?.includes('sid=');
			// Browsers let any page open a websocket; who may is for the server to say.
			const { origin, host } = request.headers;
			if (!isAllowedOrigin(origin, host, origins)) decide('this origin is not allowed', false);
			else if (isNew && io.engine.clientsCount >= limits.connections) {
				log.warn('realtime-connections-full', { limit: limits.connections });
				decide('too many connections', false);
			} else decide(null, true);
		},
	});
	io.attach(listener);
	// Nothing happens in the default namespace, so nobody has business there.
	io.use((_socket, next) => next(new Error('there is nothing in this namespace')));

	async function admit(socket: Socket): Promise<void> {
		const token = tokenOf(socket);
		const actor = await verify(token);
		admissions.set(socket, { token, actor });
		socket.once('disconnect', () => admissions.delete(socket));
	}

	async function checkTokens(): Promise<void> {
		for (const [socket, admission] of admissions) {
			try {
				admission.actor = await verify(admission.token);
			} catch (error) {
				log.debug('realtime-token-ended', { user: admission.actor.userId, reason: messageOf(error) });
				admissions.delete(socket);
				socket.disconnect(true);
			}
		}
	}

	const admitThen = callbackify(admit);
	let checking: Promise<void> = Promise.resolve();
	const timer = setInterval(() => {
		checking = checking.then(checkTokens);
	}, limits.tokenCheckMs).unref();

	return {
		namespace(name) {
			const namespace = io.of(name);
			namespace.use((socket, next) =>
				admitThen(socket, (error: unknown) => (error === null ? next() : next(refusal(error)))),
			);
			return namespace;
		},
		actorOf(socket) {
			const admission = admissions.get(socket);
			if (admission === undefined) throw new Fault('not-authenticated', 'a valid access token is required');
			return admission.actor;
		},
		cutSlow(namespace, room) {
			for (const id of namespace.adapter.rooms.get(room) ?? []) {
				const socket = namespace.sockets.get(id);
				if (socket === undefined || waitingPackets(socket) <= limits.waitingPackets) continue;
				log.warn('realtime-client-slow', { address: socket.handshake.address, limit: limits.waitingPackets });
				socket.conn.close(true);
			}
		},
		connections: () => io.engine.clientsCount,
		async stop() {
			clearInterval(timer);
			await checking;
			io.disconnectSockets(true);
			io.engine.close();
		},
	};
}
