import { createServer } from 'node:http';

import Hapi, { type Plugin, type Server } from '@hapi/hapi';

import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { accessGuard } from './access-guard.ts';
import { answerHeaders } from './answer-headers.ts';
import { faultResponses, schemaViolation, validationOptions } from './fault-responses.ts';
import { type Listening, listenWithRetry } from './listen.ts';
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

export interface HttpServerDeps {
	readonly log: Logger;
	readonly tokens: TokenVerifier;
	readonly parts: readonly HttpPart[];
	/** The built web page; `null`: REST only. */
	readonly web: WebFolder | null;
}

const BODY_LIMIT_BYTES = 1_048_576;
/** Time for the body to arrive, and for a handler to answer. */
const BODY_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 30_000;
/** Limits of the parser, against slow and endless requests. */
export const LISTENER_LIMITS = { maxHeaderSize: 16_384, headersTimeout: 10_000, requestTimeout: 60_000 };

/**
 * Builds the server and checks its routes; it does not listen. Tests inject requests; `startHttp` opens it to the network.
 * @throws TypeError when a route does not state its access.
 */
export async function createHttpServer({ log, tokens, parts, web }: HttpServerDeps): Promise<Server> {
	const server = Hapi.server({
		listener: createServer(LISTENER_LIMITS),
		autoListen: false,
		debug: false,
		compression: { minBytes: 1_024 },
		routes: {
			payload: { maxBytes: BODY_LIMIT_BYTES, timeout: BODY_TIMEOUT_MS, allow: 'application/json' },
			timeout: { server: ANSWER_TIMEOUT_MS },
			state: { parse: true, failAction: 'ignore' },
			validate: { options: validationOptions, failAction: schemaViolation },
		},
	});
	await server.register({ plugin: faultResponses, options: { log } });
	await server.register(answerHeaders);
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
