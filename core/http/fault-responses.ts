import { isBoom } from '@hapi/boom';
import type { Lifecycle, Plugin, Request, Server } from '@hapi/hapi';
import Joi from 'joi';

import { Fault, FieldsFault, messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';
import { errorBody, type Failure, type FieldError } from './dialect.ts';
import { FAULT_ANSWERS } from './fault-answers.ts';
import { RateLimitFault } from './rate-limit.ts';
import { isAnswer, stepsOf } from './steps.ts';
import { Refusal } from './refuse.ts';

/** What is refused before a route is asked. Every other status below 500 is answered as a bad request. */
export const ofStatus: Readonly<Record<number, { readonly code: string; readonly detail: string }>> = {
	401: { code: 'NOT_AUTHENTICATED', detail: 'a valid access token is required' },
	403: { code: 'PERMISSION_DENIED', detail: 'this is not allowed' },
	404: { code: 'RESOURCE_NOT_FOUND', detail: 'there is nothing under this path' },
	405: { code: 'METHOD_NOT_ALLOWED', detail: 'this path does not take this method' },
	408: { code: 'VALIDATION_ERROR', detail: 'the request did not arrive in time' },
	413: { code: 'PAYLOAD_TOO_LARGE', detail: 'the request body is too large' },
	414: { code: 'VALIDATION_ERROR', detail: 'the address is too long' },
	415: { code: 'UNSUPPORTED_MEDIA_TYPE', detail: 'the request body must be application/json' },
	417: { code: 'VALIDATION_ERROR', detail: 'this expectation cannot be met' },
	431: { code: 'VALIDATION_ERROR', detail: 'the headers of the request are too long' },
	503: { code: 'SERVICE_UNAVAILABLE', detail: 'the answer took too long' },
};

const INTERNAL: Failure = {
	status: 500,
	code: 'INTERNAL_ERROR',
	detail: 'an unexpected error occurred; the log has it under the X-Request-Id of this answer',
	errors: [],
};

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Where a value came from, in the words of the contract. */
const locations: Readonly<Record<string, string>> = {
	payload: 'body',
	query: 'query',
	params: 'path',
	headers: 'header',
	state: 'cookie',
};

/** joi's words without the label: `loc` says where; and never the value: it may be a password. */
export const validationOptions: Joi.ValidationOptions = {
	abortEarly: false,
	errors: { label: false },
	messages: { 'string.pattern.base': 'has the wrong form', 'any.required': 'is required' },
};

/** Marks a refusal by a schema until it becomes an answer. */
class SchemaViolation extends Error {
	override readonly name = 'SchemaViolation';
	readonly source: string;
	readonly errors: readonly FieldError[];

	constructor(source: string, errors: readonly FieldError[]) {
		super(errors.map(({ loc, msg }) => `${loc.join('.')}: ${msg}`).join('; '));
		this.source = source;
		this.errors = errors;
	}
}

/** `failAction` of every route's validation. */
export const schemaViolation: Lifecycle.Method = (_request, _h, error) => {
	if (!Joi.isError(error)) throw error ?? new TypeError('a validation failed without an error');
	const validation: unknown = isBoom(error) ? error.output.payload['validation'] : null;
	const source =
		typeof validation === 'object' && validation !== null && 'source' in validation ? String(validation.source) : '';
	const where = locations[source] ?? source;
	throw new SchemaViolation(
		source,
		error.details.map(({ path, message, type }) => ({
			loc: [where, ...path],
			msg: message,
			type: type === 'any.required' ? 'missing' : type,
		})),
	);
};

/** Methods that a path does take; the static catch-all takes none in this sense. */
function methodsOf(server: Server, path: string): readonly string[] {
	return METHODS.filter((method) => {
		const route = server.match(method, path);
		return route !== null && !route.path.startsWith('/{');
	}).map((method) => method.toUpperCase());
}

function ofViolation({ source, message, errors }: SchemaViolation): Failure {
	// A path parameter of the wrong form is 400, without the list; the rest is 422.
	if (source === 'params') return { status: 400, code: 'VALIDATION_ERROR', detail: message, errors: [] };
	return { status: 422, code: 'VALIDATION_ERROR', detail: message, errors };
}

/** The field is named once: by `loc`, or else at the beginning of the sentence. */
function ofFault({ reason, message, field }: Fault): Failure {
	if (field === null) return { ...FAULT_ANSWERS[reason], detail: message, errors: [] };
	const prefix = `${field}: `;
	const msg = message.startsWith(prefix) ? message.slice(prefix.length) : message;
	return {
		...FAULT_ANSWERS[reason],
		detail: message,
		errors: [{ loc: ['body', ...field.split('.')], msg, type: reason }],
	};
}

function ofFramework(status: number, message: string): Failure {
	const known = ofStatus[status];
	if (known !== undefined) return { status, ...known, errors: [] };
	if (status >= 500) return INTERNAL;
	const detail = message.includes('JSON')
		? 'the request body is not valid JSON, or holds a key that is not allowed'
		: 'the request is malformed';
	return { status: 400, code: 'VALIDATION_ERROR', detail, errors: [] };
}

/** Steps of a dotted path; numbers in brackets are places in lists. */
const stepsIn = (path: string): readonly (string | number)[] =>
	[...path.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([step, index]) => (index === undefined ? step : Number(index)));

function ofFields({ reason, message, mistakes }: FieldsFault): Failure {
	const errors = mistakes.map(({ path, message: msg }) => ({ loc: ['body', ...stepsIn(path)], msg, type: reason }));
	return { ...FAULT_ANSWERS[reason], detail: message, errors };
}

/** What was thrown, as a client may know it. @param status of the framework */
export function failureOf(thrown: Error, status: number): Failure {
	if (thrown instanceof FieldsFault) return ofFields(thrown);
	if (thrown instanceof Fault) return ofFault(thrown);
	if (thrown instanceof SchemaViolation) return ofViolation(thrown);
	if (thrown instanceof Refusal)
		return { status, code: ofStatus[status]?.code ?? 'VALIDATION_ERROR', detail: thrown.detail, errors: [] };
	return ofFramework(status, thrown.message);
}

function headersOf(thrown: Error, status: number, allowed: readonly string[]): Readonly<Record<string, string>> {
	if (status === 401) return { 'www-authenticate': 'Bearer' };
	if (status === 405) return { allow: allowed.join(', ') };
	if (status === 429)
		return { 'retry-after': String(thrown instanceof RateLimitFault ? thrown.retryAfterSeconds : 60) };
	return {};
}

/** Paths that take something else than JSON name it. */
function withContentType(failure: Failure, request: Request): Failure {
	const [allow] = [request.route.settings.payload?.allow].flat();
	return failure.status === 415 && allow !== undefined
		? { ...failure, detail: `the request body must be ${allow}` }
		: failure;
}

/** The path the client sees the error under, even before routing. */
const pathOf = (request: Request): string => request.path;

/** The one place where a Fault becomes an HTTP answer. Whatever is not expected is a 500 without details, logged with its cause. */
export const faultResponses: Plugin<{ readonly log: Logger }> = {
	name: 'fault-responses',
	register(server, { log }) {
		stepsOf(server).onPreResponse.push((response, request, h) => {
			if (isAnswer(response)) return response;
			const raw = response.output.statusCode;
			const expected = response instanceof Fault;
			const allowed = raw === 404 && !expected ? methodsOf(server, pathOf(request)) : [];
			const failure = withContentType(failureOf(response, allowed.length > 0 ? 405 : raw), request);
			if (failure.status === 500) {
				log.error('request-failed', {
					requestId: request.app.requestId,
					method: request.method,
					route: request.route.path,
					reason: messageOf(response),
					cause: response.cause === undefined ? undefined : messageOf(response.cause),
					stack: response.stack,
				});
			}
			const answer = h.response(errorBody(pathOf(request), failure)).code(failure.status);
			for (const [name, value] of Object.entries(headersOf(response, failure.status, allowed)))
				answer.header(name, value);
			return answer;
		});
	},
};
