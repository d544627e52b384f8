import { createServer, type Server as HttpListener } from 'node:http';
import type { Server as TcpListener, Socket } from 'node:net';

import Hapi, { type Plugin, type Server } from '@hapi/hapi';

import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { createAddressShare } from './address-share.ts';
import { accessGuard } from './access-guard.ts';
import type { AnswerStore } from './answer-store.ts';
import { answerHeaders } from './answer-headers.ts';
import { faultResponses, schemaViolation, validationOptions } from './fault-responses.ts';
import { idempotency } from './idempotency.ts';
import { type Listening, listenWithRetry } from './listen.ts';
import { preparedValidation } from './prepared-validation.ts';
import { answerRaw } from './raw-answers.ts';
import { requestGuard } from './request-guard.ts';
import { requestLimit, type RequestLimitOptions } from './request-limit.ts';
import { staticWeb, type WebFolder } from './static-web.ts';
import { tokenStrategy, type TokenVerifier } from './token-strategy.ts';

/** One feature's routes, ready to be mounted. Made by `part`. */
export interface HttpPart {
	mount(server: Server): Promise<void>;
}

/** A hapi plugin with its options, and the prefix of its paths, e.g. `/api/v1`; '' mounts at the root. */
export const part = <T>(plugin: Plugin<T>, options: T, prefix = ''): HttpPart => ({
	async mount(server) {
		await server.register({ plugin, options }, prefix === '' ? {} : { routes: { prefix } });
	},
});

/** Sizes and times of a request; what exceeds them is refused. */
export interface HttpLimits {
	readonly headerBytes: number;
	/** After decompression too. */
	readonly bodyBytes: number;
	/** From the first byte to the end of the headers. */
	readonly headersWithinMs: number;
	/** For the body to arrive. */
	readonly bodyWithinMs: number;
	/** From the first byte to the end of the body, whatever reads it. */
	readonly requestWithinMs: number;
	/** For a handler to answer. */
	readonly answerWithinMs: number;
	/** Time between two looks at slow connections. */
	readonly checkEveryMs: number;
	/** Connections at once, those of Socket.IO included. */
	readonly connections: number;
	/** Those of one address; more are closed at once. */
	readonly connectionsPerAddress: number;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
	headerBytes: 16_384,
	bodyBytes: 1_048_576,
	headersWithinMs: 10_000,
	bodyWithinMs: 10_000,
	requestWithinMs: 60_000,
	answerWithinMs: 30_000,
	checkEveryMs: 2_000,
	connections: 4_000,
	connectionsPerAddress: 1_000,
};

export interface HttpServerDeps {
	readonly log: Logger;
	readonly tokens: TokenVerifier;
	readonly parts: readonly HttpPart[];
	/** The built web page; `null`: REST only. */
	readonly web: WebFolder | null;
	readonly limits?: HttpLimits;
	/** The general limit of requests; none unless given. */
	readonly requestLimit?: RequestLimitOptions;
	/** Where first answers of requests with an `Idempotency-Key` are kept; without it the header is ignored. */
	readonly answers?: AnswerStore;
	/** Origins of other hosts' pages that may use the API, exactly as browsers send them. */
	readonly corsOrigins?: readonly string[];
}

/** Pages of other hosts use bearer tokens: cookies stay with the pages of this one. */
const corsOf = (origins: readonly string[]) =>
	origins.length > 0 && {
		origin: [...origins],
		credentials: false,
		maxAge: 600,
		additionalHeaders: ['Idempotency-Key', 'If-Match', 'X-Request-Id'],
		additionalExposedHeaders: [
			'ETag',
			'Link',
			'X-Next-Cursor',
			'X-Limit',
			'X-Request-Id',
			'Retry-After',
			'Idempotency-Replayed',
		],
	};

/** The limits as a listener of the platform knows them, with TLS or without. */
export const listenerOptions = (limits: HttpLimits) => ({
	maxHeaderSize: limits.headerBytes,
	headersTimeout: limits.headersWithinMs,
	requestTimeout: limits.requestWithinMs,
	connectionsCheckingInterval: limits.checkEveryMs,
	// Refused by `requestGuard`, with a body.
	requireHostHeader: false,
});

/** Bounds the connections of a listener, all of them and those of one address. */
export function boundConnections(listener: TcpListener, { connections, connectionsPerAddress }: HttpLimits): void {
	const shares = createAddressShare(connectionsPerAddress);
	listener.maxConnections = connections;
	listener.on('connection', (socket: Socket) => {
		const address = socket.remoteAddress ?? '';
		if (shares.isFull(address)) socket.destroy();
		else socket.once('close', shares.enter(address));
	});
}

function createListener(limits: HttpLimits): HttpListener {
	const listener = createServer(listenerOptions(limits));
	boundConnections(listener, limits);
	return listener;
}

/**
 * Builds the server and checks its routes; it does not listen. Tests inject requests; `startHttp` opens it to the network.
 * @throws TypeError when a route does not state its access.
 */
export async function createHttpServer(deps: HttpServerDeps): Promise<Server> {
	const { log, tokens, parts, web, limits = DEFAULT_HTTP_LIMITS, corsOrigins = [] } = deps;
	const listener = createListener(limits);
	const server = Hapi.server({
		listener,
		autoListen: false,
		debug: false,
		compression: { minBytes: 1_024 },
		routes: {
			cors: corsOf(corsOrigins),
			payload: { maxBytes: limits.bodyBytes, timeout: limits.bodyWithinMs, allow: 'application/json' },
			timeout: { server: limits.answerWithinMs },
			// A part of a JSON document is of no use; routes that send files may allow it.
			response: { ranges: false },
			state: { parse: true, failAction: 'ignore' },
			validate: { options: validationOptions, failAction: schemaViolation },
		},
	});
	answerRaw(listener);
	await server.register(preparedValidation);
	await server.register({ plugin: faultResponses, options: { log } });
	await server.register(answerHeaders);
	if (deps.requestLimit !== undefined) await server.register({ plugin: requestLimit, options: deps.requestLimit });
	await server.register(requestGuard);
	if (deps.answers !== undefined)
		await server.register({ plugin: idempotency, options: { answers: deps.answers, log } });
	await server.register({ plugin: tokenStrategy, options: { tokens } });
	await server.register(accessGuard);
	for (const one of parts) await one.mount(server);
	if (web !== null) await part(staticWeb, web).mount(server);
	await server.initialize();
	return server;
}

export interface RunningHttp extends Stoppable {
	readonly listening: Listening;
}

/** Opens the server to the network, as soon as its port is free. */
export async function startHttp({
	server,
	host,
	port,
	log,
	retryMs,
}: {
	readonly server: Server;
	readonly host: string;
	readonly port: number;
	readonly log: Logger;
	readonly retryMs?: number;
}): Promise<RunningHttp> {
	await server.start();
	const listening = await listenWithRetry({
		name: 'http',
		listener: server.listener,
		host,
		port,
		log,
		...(retryMs !== undefined && { retryMs }),
	});
	return {
		listening,
		async stop() {
			await listening.stop();
			await server.stop({ timeout: 1_000 });
		},
	};
}
