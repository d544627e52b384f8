import { tmpdir } from 'node:os';

import test from 'ava';
import Joi from 'joi';

import type { FaultReason } from '../../core/kernel/fault.ts';
import { type LogFields, silentLog } from '../../core/kernel/log.ts';
import { assertHeaders, bearer, sampleServer } from './sample-server.ts';

const reasons: readonly (readonly [FaultReason, number, string])[] = [
	['not-found', 404, 'RESOURCE_NOT_FOUND'],
	['duplicate', 409, 'DUPLICATE_ENTRY'],
	['state-conflict', 409, 'STATE_CONFLICT'],
	['rule-violation', 422, 'BUSINESS_RULE_VIOLATION'],
	['not-authenticated', 401, 'NOT_AUTHENTICATED'],
	['token-expired', 401, 'TOKEN_EXPIRED'],
	['bad-credentials', 401, 'INVALID_CREDENTIALS'],
	['forbidden', 403, 'PERMISSION_DENIED'],
	['rate-limited', 429, 'RATE_LIMITED'],
	['unreachable', 502, 'UPSTREAM_ERROR'],
	['unavailable', 503, 'SERVICE_UNAVAILABLE'],
	['timeout', 504, 'UPSTREAM_ERROR'],
];

const v1Error = Joi.object({
	success: Joi.valid(false).required(),
	detail: Joi.string().required(),
	error_code: Joi.string()
		.pattern(/^[A-Z][A-Z0-9_]*$/)
		.required(),
	error: Joi.object({ code: Joi.ref('...error_code'), message: Joi.ref('...detail') })
		.options({ presence: 'required' })
		.required(),
	errors: Joi.array().items(fieldError()),
});

function fieldError() {
	return Joi.object({
		loc: Joi.array().items(Joi.string(), Joi.number()).min(1),
		msg: Joi.string(),
		type: Joi.string(),
	}).options({ presence: 'required' });
}

const platformError = Joi.object({
	success: Joi.valid(false),
	detail: Joi.alternatives(Joi.string(), Joi.array().items(fieldError()).min(1)),
	error_code: Joi.string().pattern(/^[A-Z][A-Z0-9_]*$/),
	error: Joi.string(),
	details: Joi.object(),
}).options({ presence: 'required' });

const families = [
	{ prefix: '/api/v1', schema: v1Error },
	{ prefix: '/api/p', schema: platformError },
] as const;

const codeOf = (body: string): unknown => {
	const parsed: unknown = JSON.parse(body);
	return typeof parsed === 'object' && parsed !== null && 'error_code' in parsed ? parsed.error_code : null;
};

interface Refusal {
	readonly name: string;
	readonly request: {
		readonly method: string;
		readonly url: string;
		readonly payload?: string;
		readonly headers?: Readonly<Record<string, string>>;
	};
	readonly status: number;
	readonly code: string;
}

const json = { 'content-type': 'application/json' };

const refusals: readonly Refusal[] = [
	...reasons.map(([reason, status, code]) => ({
		name: `fault ${reason}`,
		request: { method: 'GET', url: `/fault/${reason}` },
		status,
		code,
	})),
	{ name: 'a programmer mistake', request: { method: 'GET', url: '/broken' }, status: 500, code: 'INTERNAL_ERROR' },
	{
		name: 'unparseable JSON',
		request: { method: 'POST', url: '/things', payload: '{"name":', headers: json },
		status: 400,
		code: 'VALIDATION_ERROR',
	},
	{
		name: 'a body against the schema',
		request: { method: 'POST', url: '/things', payload: '{"tags":[1]}', headers: json },
		status: 422,
		code: 'VALIDATION_ERROR',
	},
	{
		name: 'no body where one is due',
		request: { method: 'POST', url: '/things' },
		status: 422,
		code: 'VALIDATION_ERROR',
	},
	{
		name: 'a query against the schema',
		request: { method: 'GET', url: '/things?page=0' },
		status: 422,
		code: 'VALIDATION_ERROR',
	},
	{
		name: 'a malformed path parameter',
		request: { method: 'GET', url: '/things/7' },
		status: 400,
		code: 'VALIDATION_ERROR',
	},
	{
		name: 'a path that cannot be decoded',
		request: { method: 'GET', url: '/things/%zz' },
		status: 400,
		code: 'VALIDATION_ERROR',
	},
	{ name: 'an unknown route', request: { method: 'GET', url: '/nothing' }, status: 404, code: 'RESOURCE_NOT_FOUND' },
	{ name: 'a wrong method', request: { method: 'DELETE', url: '/things' }, status: 405, code: 'METHOD_NOT_ALLOWED' },
	{
		name: 'GET where only POST is',
		request: { method: 'GET', url: '/managers' },
		status: 405,
		code: 'METHOD_NOT_ALLOWED',
	},
	{
		name: 'a content type that is not JSON',
		request: {
			method: 'POST',
			url: '/things',
			payload: 'name=x',
			headers: { 'content-type': 'application/x-www-form-urlencoded' },
		},
		status: 415,
		code: 'UNSUPPORTED_MEDIA_TYPE',
	},
	{
		name: 'a body over 1 MiB',
		request: {
			method: 'POST',
			url: '/things',
			payload: JSON.stringify({ name: 'x'.repeat(1_048_576) }),
			headers: json,
		},
		status: 413,
		code: 'PAYLOAD_TOO_LARGE',
	},
	{ name: 'no token', request: { method: 'GET', url: '/any' }, status: 401, code: 'NOT_AUTHENTICATED' },
	{
		name: 'a header that is no bearer token',
		request: { method: 'GET', url: '/any', headers: { authorization: 'Basic dTpw' } },
		status: 401,
		code: 'INVALID_CREDENTIALS',
	},
	{
		name: 'a token nobody issued',
		request: { method: 'GET', url: '/any', headers: { authorization: 'Bearer a.b.c' } },
		status: 401,
		code: 'INVALID_CREDENTIALS',
	},
	{
		name: 'a role below the one that is asked for',
		request: { method: 'POST', url: '/managers', headers: { ...bearer('editor'), ...json }, payload: '{}' },
		status: 403,
		code: 'PERMISSION_DENIED',
	},
];

test('every refusal has its status, its code and the error body of its family, with and without a page', async (t) => {
	const web = { folder: tmpdir(), index: 'none.html' };
	for (const server of [await sampleServer(), await sampleServer(silentLog, web)]) {
		for (const { prefix, schema } of families) {
			for (const { name, request, status, code } of refusals) {
				const answer = await server.inject({ ...request, url: prefix + request.url });
				t.is(answer.statusCode, status, `${prefix} ${name}: ${answer.payload}`);
				t.is(codeOf(answer.payload), code, `${prefix} ${name}`);
				t.is(schema.validate(JSON.parse(answer.payload)).error, undefined, `${prefix} ${name}: ${answer.payload}`);
				assertHeaders(t, answer.headers, name);
			}
		}
		await server.stop();
	}
});

test('successful answers carry the security headers and an id of their own', async (t) => {
	const server = await sampleServer();
	const ids = new Set<unknown>();
	for (let count = 0; count < 3; count += 1) {
		const answer = await server.inject('/api/v1/things');
		t.is(answer.statusCode, 200);
		assertHeaders(t, answer.headers, 'things');
		t.is(answer.headers['cache-control'], 'no-store');
		ids.add(answer.headers['x-request-id']);
	}
	t.is(ids.size, 3);
});

test('a violation names each place, its rule and its kind, and never repeats a value', async (t) => {
	const server = await sampleServer();
	const payload = { tags: ['a', 7], password: 'hunter2' };
	const v1 = await server.inject({ method: 'POST', url: '/api/v1/things', payload });
	const violations = [
		{ loc: ['body', 'name'], msg: 'is required', type: 'missing' },
		{ loc: ['body', 'tags', 1], msg: 'must be a string', type: 'string.base' },
		{ loc: ['body', 'password'], msg: 'has the wrong form', type: 'string.pattern.base' },
	];
	t.like(JSON.parse(v1.payload), {
		detail: 'body.name: is required; body.tags.1: must be a string; body.password: has the wrong form',
		errors: violations,
	});
	const platform = await server.inject({ method: 'POST', url: '/api/p/things', payload });
	t.like(JSON.parse(platform.payload), { detail: violations });
	t.notRegex(v1.payload + platform.payload, /hunter2/);
});

test('an unexpected error is logged with its cause under the id that the client was given, and tells the client nothing', async (t) => {
	const events: [string, LogFields | undefined][] = [];
	const server = await sampleServer({ ...silentLog, error: (event, fields) => void events.push([event, fields]) });
	const answer = await server.inject('/api/v1/broken?token=secret');
	t.notRegex(answer.payload, /inner|fire|TypeError/);
	t.is(events.length, 1);
	t.is(events[0]?.[0], 'request-failed');
	t.like(events[0]?.[1], { reason: 'inner detail', cause: 'disk on fire', route: '/api/v1/broken', method: 'get' });
	t.is(events[0]?.[1]?.['requestId'], String(answer.headers['x-request-id']));
	t.notRegex(JSON.stringify(events), /secret/);
});

test('401 says which scheme, 405 which methods, 429 how long to wait', async (t) => {
	const server = await sampleServer();
	t.is((await server.inject('/api/v1/any')).headers['www-authenticate'], 'Bearer');
	t.is((await server.inject({ method: 'PUT', url: '/api/v1/things' })).headers['allow'], 'GET, POST');
	t.is((await server.inject('/api/v1/limited')).headers['retry-after'], '17');
});
