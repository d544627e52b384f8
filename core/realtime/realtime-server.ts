import type { Server as HttpServer } from 'node:http';

import Joi from 'joi';
import { type Namespace, Server, type Socket } from 'socket.io';

import { createAddressShare } from '../http/address-share.ts';
import { isAllowedOrigin } from '../http/origin.ts';
import { FAULT_ANSWERS } from '../http/fault-answers.ts';
import type { AuditLog } from '../audit/audit.ts';
import type { AccessTokens } from '../identity/access-token.ts';
import type { Actor } from '../identity/role.ts';
import type { SetTimer } from '../journal/set-timer.ts';
import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import type { TokenRate } from '../kernel/token-bucket.ts';
import { createAdmissions } from './admissions.ts';
import { createEventBudget, type EventBudget } from './event-budget.ts';
import { type RealtimeError, toRealtimeError } from './realtime-error.ts';
import { acknowledgementOf, answerEvent, type EventWork } from './realtime-event.ts';

export interface RealtimeLimits {
	/** Connections at once, with and without a valid token. */
	readonly connections: number;
	/** Those of one address. */
	readonly connectionsPerAddress: number;
	/** Longest message of a client, bytes. */
	readonly messageBytes: number;
	/** Packets that may wait for one client for `slowAfterMs` before it is disconnected; ten times as many may never wait. */
	readonly waitingPackets: number;
	/** What is sent within a moment waits, however fast the client is. */
	readonly slowAfterMs: number;
	/** Time between two checks that the tokens of all connections are still valid, ms. */
	readonly tokenCheckMs: number;
	/** Events of one connection; more are refused. The burst lets a page subscribe to all it shows. */
	readonly events: TokenRate;
	/** Messages of one connection, whatever they are; more end it. */
	readonly messages: TokenRate;
}

export const DEFAULT_REALTIME_LIMITS: RealtimeLimits = {
	connections: 1_000,
	connectionsPerAddress: 250,
	messageBytes: 16 * 1024,
	waitingPackets: 1_000,
	slowAfterMs: 1_000,
	tokenCheckMs: 15_000,
	events: { perSecond: 50, burst: 1_000 },
	messages: { perSecond: 200, burst: 3_000 },
};

export interface RealtimeServerDeps {
	/** The HTTP server of the REST API; it stays its owner's. */
	readonly listener: HttpServer;
	readonly tokens: Pick<AccessTokens, 'verify' | 'expiresAt'>;
	/** Hears of refused handshakes and events. */
	readonly audit: Pick<AuditLog, 'refused'>;
	readonly clock: Clock;
	readonly setTimer: SetTimer;
	readonly log: Logger;
	readonly limits: RealtimeLimits;
	/** Origins of other hosts' pages that may connect; the same list as for REST. */
	readonly origins?: readonly string[];
}

export interface RealtimeServer extends Stoppable {
	/**
	 * A namespace that only lets valid tokens in.
	 * @param rightsChanged told of a connection whose person may do something else than before, so that it leaves what it may no longer see
	 */
	namespace(name: `/${string}`, rightsChanged?: (socket: Socket) => void): Namespace;
	/** Answers an event of a connection: validates its payload, does the work and acknowledges, once, whatever comes. */
	on<T>(socket: Socket, event: string, schema: Joi.ObjectSchema<T>, work: EventWork<T>): void;
	/** The caller behind a connection of such a namespace, with the rights of this moment. @throws Fault when the token has ended */
	actorOf(socket: Socket): Actor;
	/** True while a client takes in less than it is sent; who has more for it waits for `drain` of its `conn`. */
	isBehind(socket: Socket): boolean;
	/** Disconnects those of a room that take in less than they are sent; to be called where a room is written to. */
	cutSlow(namespace: Namespace, room: string): void;
	/** Somebody's account has changed: connections that it does not carry any more end at once. */
	accountChanged(userId: string): void;
	connections(): number;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** However short the moment, a client that owes so many times `waitingPackets` is disconnected. */
const CEILING = 10;

/** A client is behind when so many of the packets it may owe wait. */
const BEHIND_SHARE = 0.25;

const freshToken = Joi.object<{ token: string }>({ token: Joi.string().max(4_096).required() }).options({
	stripUnknown: true,
});

/** Packets that the transport has not taken yet. */
function waitingPackets({ conn }: Socket): number {
	const waiting: unknown = Reflect.get(conn, 'writeBuffer');
	return Array.isArray(waiting) ? waiting.length : 0;
}

/** Ends a connection that takes nothing: a websocket would wait half a minute for the peer's farewell, with all that is unsent in memory. */
function cut({ conn }: Socket): void {
	const websocket: unknown = Reflect.get(conn.transport, 'socket');
	conn.close(true);
	if (typeof websocket !== 'object' || websocket === null) return;
	const terminate: unknown = Reflect.get(websocket, 'terminate');
	if (typeof terminate === 'function') Reflect.apply(terminate, websocket, []);
}

/** What the client's `connect_error` carries: the error object as `data`. */
const refusal = (body: RealtimeError): Error => Object.assign(new Error(body.detail), { data: body });

/** Codes that the audit log is told of, as it is of their statuses (401, 403, 429) in REST. */
const AUDITED: ReadonlySet<string> = new Set(
	(['not-authenticated', 'token-expired', 'bad-credentials', 'forbidden', 'rate-limited'] as const).map(
		(reason) => FAULT_ANSWERS[reason].code,
	),
);

/** Socket.IO beside the REST API: path `/socket.io/`, websocket and long polling, a valid token for every namespace. */
export function createRealtimeServer(deps: RealtimeServerDeps): RealtimeServer {
	const { listener, audit, clock, log, limits, origins = [] } = deps;
	const listeners = new Map<string, (socket: Socket) => void>();
	const budgets = new WeakMap<object, EventBudget>();
	const shares = createAddressShare(limits.connectionsPerAddress);
	/** Since when too much waits for a client. */
	const overloadedAtMs = new Map<Socket['conn'], number>();
	const admissions = createAdmissions({ ...deps, rightsChanged: (socket) => listeners.get(socket.nsp.name)?.(socket) });
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
			else if (isNew && shares.isFull(request.socket.remoteAddress ?? ''))
				decide('too many connections of this address', false);
			else if (isNew && io.engine.clientsCount >= limits.connections) {
				log.warn('realtime-connections-full', { limit: limits.connections });
				decide('too many connections', false);
			} else decide(null, true);
		},
	});
	io.attach(listener);
	// Nothing happens in the default namespace, so nobody has business there.
	io.use((_socket, next) => next(new Error('there is nothing in this namespace')));

	const monotonicMs = (): number => clock.monotonicMs();
	io.engine.on('connection', (connection: Socket['conn']) => {
		const mayHaveMore = createEventBudget(limits.messages, monotonicMs);
		const leave = shares.enter(connection.remoteAddress);
		connection.once('close', () => {
			overloadedAtMs.delete(connection);
			leave();
		});
		connection.on('packet', () => {
			if (mayHaveMore()) return;
			log.warn('realtime-client-floods', { address: connection.remoteAddress, perSecond: limits.messages.perSecond });
			connection.close(true);
		});
	});

	/** The budget is that of the connection, in whatever namespace it speaks. */
	function budgetOf({ conn }: Socket): EventBudget {
		const known = budgets.get(conn);
		if (known !== undefined) return known;
		const budget = createEventBudget(limits.events, monotonicMs);
		budgets.set(conn, budget);
		return budget;
	}

	function noteRefusal(socket: Socket, action: string, { error_code: code, detail }: RealtimeError): void {
		if (!AUDITED.has(code)) return;
		const person = admissions.personOf(socket);
		audit.refused({
			action,
			outcome: 'refused',
			actor: person && { userId: person.userId, email: person.email },
			tenantId: person?.tenantId ?? null,
			from: socket.handshake.address,
			target: socket.nsp.name,
			reason: `${code}: ${detail}`,
			before: null,
			after: null,
			requestId: null,
		});
	}

	function boundEvents(socket: Socket): void {
		const mayAsk = budgetOf(socket);
		socket.use((packet, next) => {
			if (mayAsk()) next();
			else {
				const sentence = `a connection takes ${limits.events.perSecond} events per second`;
				const error = toRealtimeError(new Fault('rate-limited', sentence));
				noteRefusal(socket, 'realtime-event', error);
				acknowledgementOf(packet)(error);
			}
		});
	}

	function isSlow(socket: Socket): boolean {
		const { conn } = socket;
		const waiting = waitingPackets(socket);
		if (waiting <= limits.waitingPackets) {
			overloadedAtMs.delete(conn);
			return false;
		}
		const sinceMs = overloadedAtMs.get(conn);
		if (sinceMs === undefined) overloadedAtMs.set(conn, monotonicMs());
		return (
			waiting > limits.waitingPackets * CEILING ||
			(sinceMs !== undefined && monotonicMs() - sinceMs >= limits.slowAfterMs)
		);
	}

	const timer = setInterval(() => admissions.checkAll(), limits.tokenCheckMs).unref();

	const server: RealtimeServer = {
		namespace(name, rightsChanged) {
			const namespace = io.of(name);
			if (rightsChanged !== undefined) listeners.set(name, rightsChanged);
			namespace.use((socket, next) => {
				try {
					admissions.admit(socket);
				} catch (thrown) {
					const error = toRealtimeError(thrown);
					noteRefusal(socket, 'realtime-connect', error);
					next(refusal(error));
					return;
				}
				boundEvents(socket);
				next();
			});
			namespace.on('connection', (socket) =>
				server.on(socket, 'authenticate', freshToken, ({ token }) => admissions.renew(socket, token)),
			);
			return namespace;
		},
		on(socket, event, schema, work) {
			const refused = (error: RealtimeError): void => noteRefusal(socket, event, error);
			socket.on(event, (...given: unknown[]) => {
				void answerEvent({ given, schema, log, event, refused }, (payload) =>
					work(payload, admissions.actorOf(socket)),
				);
			});
		},
		actorOf: (socket) => admissions.actorOf(socket),
		isBehind: (socket) => waitingPackets(socket) > limits.waitingPackets * BEHIND_SHARE,
		cutSlow(namespace, room) {
			for (const id of namespace.adapter.rooms.get(room) ?? []) {
				const socket = namespace.sockets.get(id);
				if (socket === undefined || !isSlow(socket)) continue;
				log.warn('realtime-client-slow', { address: socket.handshake.address, limit: limits.waitingPackets });
				cut(socket);
			}
		},
		accountChanged: (userId) => admissions.checkUser(userId),
		connections: () => io.engine.clientsCount,
		async stop() {
			clearInterval(timer);
			admissions.stop();
			io.disconnectSockets(true);
			io.engine.close();
		},
	};
	return server;
}
