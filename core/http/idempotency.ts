import { createHmac } from 'node:crypto';

import { isBoom } from '@hapi/boom';
import type {
	Lifecycle,
	Plugin,
	Request,
	RequestRoute,
	ResponseObject,
	ResponseToolkit,
	ResponseValue,
} from '@hapi/hapi';

import { Fault, messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';
import { actorOf } from './access.ts';
import { type AnswerStore, answerId, type KeptAnswer } from './answer-store.ts';
import { errorBody } from './dialect.ts';
import { failureOf } from './fault-responses.ts';

/** A route's own work: what it answers is an object, a text or nothing. */
type Handler = (request: Request, h: ResponseToolkit) => Promise<ResponseValue | undefined> | ResponseValue | undefined;

/** Header by which a client marks its retries as one request. */
export const IDEMPOTENCY_KEY = 'idempotency-key';

const KEY = /^[\x21-\x7e]{1,255}$/;

const TOO_MANY_REQUESTS = 429;

/** Headers of a handler's answer that are repeated with it. */
const KEPT_HEADERS = ['content-type', 'location', 'etag', 'link'];

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

/** @throws Fault `malformed`; `null` when there is none */
function keyOf({ headers }: Request): string | null {
	const key: unknown = headers[IDEMPOTENCY_KEY];
	if (key === undefined) return null;
	if (typeof key !== 'string' || !KEY.test(key))
		throw new Fault('malformed', 'the Idempotency-Key header takes 1 to 255 visible characters');
	return key;
}

/** Keyed with what is not kept: a body may hold a password, which must not be guessed from a file. */
const fingerprintOf = ({ path, query, payload }: Request, key: string): string =>
	createHmac('sha256', key)
		.update(JSON.stringify([path, query, payload]))
		.digest('hex');

/** The answer of a handler as it can be kept; `null` for files and streams. */
function keptOf({ source, statusCode, headers }: ResponseObject): KeptAnswer | null {
	if (typeof source === 'object' && source !== null && (Buffer.isBuffer(source) || 'pipe' in source)) return null;
	const named = KEPT_HEADERS.flatMap((name) => {
		const value: unknown = headers[name];
		return typeof value === 'string' ? [[name, value] as const] : [];
	});
	const isNone = source === null || source === undefined;
	return {
		status: isNone && statusCode === 200 ? 204 : statusCode,
		headers: { ...(isNone ? {} : JSON_TYPE), ...Object.fromEntries(named) },
		body: isNone ? null : typeof source === 'string' ? source : JSON.stringify(source),
	};
}

/** A refusal is an answer too; what may go better next time is not kept. */
function keptOfError(path: string, error: unknown): KeptAnswer | null {
	if (!(error instanceof Error)) return null;
	const failure = failureOf(error, isBoom(error) ? error.output.statusCode : 500);
	if (failure.status >= 500 || failure.status === TOO_MANY_REQUESTS) return null;
	return { status: failure.status, headers: JSON_TYPE, body: JSON.stringify(errorBody(path, failure)) };
}

function repeat(h: ResponseToolkit, { status, headers, body }: KeptAnswer): ResponseObject {
	const answer = h.response(body ?? undefined).code(status);
	for (const [name, value] of Object.entries(headers)) answer.header(name, value);
	return answer.header('Idempotency-Replayed', 'true');
}

const isKeyed = ({ method, settings: { auth } }: RequestRoute): boolean =>
	method === 'post' && typeof auth === 'object' && auth.mode === 'required';

/**
 * `Idempotency-Key` on every POST that needs a token: the first answer is kept for this user and operation, and repeated to
 * retries with `Idempotency-Replayed: true`. Works around the handler, so that a client that hangs up loses nothing: the handler
 * ends, and its answer is there for the retry. What the schema refuses was never begun and holds no key.
 */
export const idempotency: Plugin<{ readonly answers: AnswerStore; readonly log: Logger }> = {
	name: 'idempotency',
	register(server, { answers, log }) {
		async function known(id: string, fingerprint: string, key: string): Promise<KeptAnswer | null> {
			const found = answers.find(id);
			if (found === null) return null;
			if (found.fingerprint !== fingerprint)
				throw new Fault('rule-violation', 'this Idempotency-Key was used for another request');
			if (found.state === 'running')
				throw new Fault('state-conflict', 'the first request with this Idempotency-Key is still running');
			const answer = found.state === 'answered' ? await answers.read(id, key) : null;
			if (answer === null)
				throw new Fault(
					'state-conflict',
					'the first request with this Idempotency-Key was begun, but its answer is not known: look whether it was done',
				);
			return answer;
		}

		async function keep(id: string, key: string, answer: KeptAnswer | null): Promise<void> {
			try {
				if (answer === null) await answers.forget(id);
				else await answers.finish(id, answer, key);
			} catch (error) {
				// The request is done; only its repetition is not.
				log.warn('answer-not-kept', { reason: messageOf(error) });
			}
		}

		async function begin(id: string, fingerprint: string): Promise<void> {
			try {
				await answers.begin(id, fingerprint);
			} catch (error) {
				throw new Fault('unavailable', 'the Idempotency-Key cannot be stored', { cause: error });
			}
		}

		const once =
			(handler: Handler, operation: string): Lifecycle.Method =>
			async (request, h) => {
				const key = keyOf(request);
				if (key === null) return handler(request, h);
				const id = answerId(actorOf(request).userId, operation, key);
				const fingerprint = fingerprintOf(request, key);
				const before = await known(id, fingerprint, key);
				if (before !== null) return repeat(h, before);
				await begin(id, fingerprint);
				try {
					const response = h.response(await handler(request, h));
					await keep(id, key, keptOf(response));
					return response;
				} catch (error) {
					await keep(id, key, keptOfError(request.path, error));
					throw error;
				}
			};

		server.ext('onPreStart', () => {
			for (const route of server.table().filter(isKeyed)) {
				const { handler } = route.settings;
				if (typeof handler !== 'function') continue;
				// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the framework's type is a bare `Function`
				route.settings.handler = once(handler as Handler, `${route.method} ${route.path}`);
			}
		});
	},
};
