import type { RequestRoute } from '@hapi/hapi';
import Joi, { type Schema } from 'joi';

import type { RouteDescription } from '../describe.ts';
import { DIALECTS, type Dialect, dialectOf } from '../dialect.ts';
import { type JsonSchema, labelOf, partsOf, toJsonSchema } from './json-schema.ts';

export interface OpenApiInfo {
	readonly title: string;
	readonly version: string;
}

type Tree = Readonly<Record<string, unknown>>;

const reference = (section: string, name: string): Tree => ({ $ref: `#/components/${section}/${name}` });

const text = (description: string): Tree => ({ description, schema: { type: 'string' } });

const HEADER_PARAMETERS: Readonly<Record<string, Tree>> = {
	IdempotencyKey: {
		name: 'Idempotency-Key',
		in: 'header',
		description: 'Marks retries as one request: the first answer is repeated for a day',
		schema: { type: 'string', pattern: '^[!-~]{1,255}$' },
	},
	IfMatch: { name: 'If-Match', in: 'header', ...text('ETag of the state that is to be changed; another one is 412') },
	IfNoneMatch: { name: 'If-None-Match', in: 'header', ...text('ETag of the state that is known; the same is 304') },
};

const ANSWER_HEADERS: Readonly<Record<string, Tree>> = {
	'X-Request-Id': text('Identity of the request in the log'),
};

const fieldError = {
	type: 'object',
	required: ['loc', 'msg', 'type'],
	properties: {
		loc: { type: 'array', items: { type: ['string', 'integer'] } },
		msg: { type: 'string' },
		type: { type: 'string' },
	},
};

/** The error bodies of the families; `dialect.ts` writes them. */
const ERROR_SCHEMAS: Readonly<Record<string, Tree>> = {
	[DIALECTS.v1.errorSchema]: {
		type: 'object',
		required: ['success', 'detail', 'error_code', 'error'],
		properties: {
			success: { const: false },
			detail: { type: 'string' },
			error_code: { type: 'string' },
			error: {
				type: 'object',
				required: ['code', 'message'],
				properties: { code: { type: 'string' }, message: { type: 'string' } },
			},
			errors: { type: 'array', items: fieldError },
		},
	},
	[DIALECTS.platform.errorSchema]: {
		type: 'object',
		required: ['success', 'detail', 'error_code', 'error', 'details'],
		properties: {
			success: { const: false },
			detail: { oneOf: [{ type: 'string' }, { type: 'array', items: fieldError }] },
			error_code: { type: 'string' },
			error: { type: 'string' },
			details: { type: 'object' },
		},
	},
};

const ERROR_TEXTS: Readonly<Record<number, string>> = {
	400: 'Malformed path, header or JSON',
	401: 'No access token, or one that is not valid (any more)',
	403: 'The caller lacks the permission',
	404: 'There is no such record, or none for the caller',
	409: 'The state or a uniqueness stands against it',
	412: 'If-Match names another state',
	413: 'The body is too large',
	415: 'The body is of another type, charset or encoding',
	422: 'Body or query break the schema, or a rule',
	429: 'Too many requests; Retry-After says when to come again',
	500: 'A defect; the log has it under the X-Request-Id of the answer',
};

const WITH_BODY: ReadonlySet<string> = new Set(['post', 'put', 'patch']);

const apiOf = ({ settings }: RequestRoute): RouteDescription | undefined => settings.app?.api;

/** The joi schema of a part of the request; `null` when any or nothing is taken. */
const schemaOf = (part: unknown): Schema | null => (Joi.isSchema(part) ? part : null);

function errorStatusesOf({ method, settings }: RequestRoute): readonly number[] {
	const { access, api, ownerOr } = settings.app ?? {};
	const { params, query, payload } = settings.validate ?? {};
	const hasBody = WITH_BODY.has(method);
	const applies: readonly (readonly [number, boolean])[] = [
		[400, true],
		[401, access !== 'public'],
		[403, access !== 'public' && (access !== 'authenticated' || ownerOr !== undefined)],
		[404, schemaOf(params) !== null],
		[409, method !== 'get'],
		[412, api?.etag === true && method !== 'get' && method !== 'post'],
		[413, hasBody],
		[415, hasBody],
		[422, hasBody || schemaOf(query) !== null || schemaOf(payload) !== null],
		[429, true],
		[500, true],
	];
	const refusals = api?.refusals ?? [];
	return applies.flatMap(([status, isPossible]) => (isPossible || refusals.includes(status) ? [status] : []));
}

function errorResponse(status: number, { errorSchema }: Dialect): Tree {
	const headers = {
		...ANSWER_HEADERS,
		...(status === 429 && { 'Retry-After': { schema: { type: 'integer', minimum: 1 } } }),
		...(status === 401 && { 'WWW-Authenticate': { schema: { type: 'string' } } }),
	};
	const content = { 'application/json': { schema: reference('schemas', errorSchema) } };
	return { description: ERROR_TEXTS[status] ?? 'An error', headers, content };
}

const errorName = (status: number, { errorSchema }: Dialect): string => `${errorSchema}${status}`;

/** Error responses of both families; the document names only those that its operations use. */
const errorResponses = (used: ReadonlySet<string>): Tree =>
	Object.fromEntries(
		Object.values(DIALECTS).flatMap((dialect) =>
			Object.keys(ERROR_TEXTS)
				.map(Number)
				.filter((status) => used.has(errorName(status, dialect)))
				.map((status) => [errorName(status, dialect), errorResponse(status, dialect)]),
		),
	);

function headerParametersOf(route: RequestRoute): readonly Tree[] {
	const { method, settings } = route;
	const named: readonly (readonly [string, boolean])[] = [
		['IdempotencyKey', method === 'post' && settings.app?.access !== 'public'],
		['IfMatch', apiOf(route)?.etag === true && method !== 'get' && method !== 'post'],
		['IfNoneMatch', apiOf(route)?.etag === true && method === 'get'],
	];
	return named.flatMap(([name, applies]) => (applies ? [reference('parameters', name)] : []));
}

function parametersIn(place: 'path' | 'query', schema: Schema | null): readonly Tree[] {
	if (schema === null) return [];
	const { properties, required }: { properties?: object; required?: readonly string[] } = toJsonSchema(schema);
	const values: readonly (readonly [string, unknown])[] = Object.entries(properties ?? {});
	return values.map(([name, value]) => ({
		name,
		in: place,
		required: place === 'path' || required?.includes(name) === true,
		schema: value,
	}));
}

/** Every parameter of a path has to be in the document, also one that no schema describes. */
function pathParametersOf({ path, settings }: RequestRoute): readonly Tree[] {
	const described = parametersIn('path', schemaOf(settings.validate?.params));
	const names = [...path.matchAll(/\{(\w+)/g)].map(([, name]) => name);
	const missing = names.filter((name) => !described.some((parameter) => parameter['name'] === name));
	return [
		...described.filter((parameter) => names.includes(String(parameter['name']))),
		...missing.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
	];
}

/** The tree with every schema that has a name replaced by a reference to it. */
function referring(tree: unknown, labels: ReadonlyMap<string, string>): unknown {
	if (typeof tree !== 'object' || tree === null) return tree;
	const label = labels.get(JSON.stringify(tree));
	if (label !== undefined) return reference('schemas', label);
	if (Array.isArray(tree)) return tree.map((each: unknown) => referring(each, labels));
	const entries: readonly (readonly [string, unknown])[] = Object.entries(tree);
	return Object.fromEntries(entries.map(([key, value]) => [key, referring(value, labels)]));
}

/** Writes schemas down once, under their labels. */
function createSchemaBook() {
	const named = new Map<string, JsonSchema>();

	function note(schema: Schema): void {
		const label = labelOf(schema);
		if (label !== null) {
			const written = toJsonSchema(schema);
			const known = named.get(label);
			if (known !== undefined && JSON.stringify(known) !== JSON.stringify(written))
				throw new TypeError(`two schemas have the label ${label}`);
			named.set(label, written);
		}
		for (const part of partsOf(schema)) note(part);
	}

	return {
		write(schema: Schema): JsonSchema {
			note(schema);
			return toJsonSchema(schema);
		},
		/** Paths and named schemas, each schema written out once. */
		bound(paths: Tree): { readonly paths: unknown; readonly schemas: Tree } {
			const labels = new Map([...named].map(([label, written]) => [JSON.stringify(written), label] as const));
			const schemas = [...named].map(([label, written]) => {
				const own = Object.entries(written).map(([key, value]) => [key, referring(value, labels)] as const);
				return [label, Object.fromEntries(own)] as const;
			});
			return { paths: referring(paths, labels), schemas: Object.fromEntries(schemas) };
		},
	};
}

type SchemaBook = ReturnType<typeof createSchemaBook>;

const json = (schema: JsonSchema): Tree => ({ 'application/json': { schema } });

function answersOf({ method }: RequestRoute, { answers, etag }: RouteDescription, book: SchemaBook): Tree {
	const headers = { ...ANSWER_HEADERS, ...(etag === true && { ETag: text('State of the document') }) };
	const good = Object.entries(answers).map(([status, schema]) => [
		status,
		{
			description: Number(status) === 204 ? 'Done' : 'Answer',
			headers,
			...(schema && { content: json(book.write(schema)) }),
		},
	]);
	const unchanged = etag === true && method === 'get' ? [['304', { description: 'Not changed' }]] : [];
	return Object.fromEntries([...good, ...unchanged]);
}

function operationOf(route: RequestRoute, api: RouteDescription, book: SchemaBook): Tree {
	const { path, settings } = route;
	const { access, ownerOr } = settings.app ?? {};
	const payload = schemaOf(settings.validate?.payload);
	const dialect = dialectOf(path);
	const errors = errorStatusesOf(route).map((status) => [status, reference('responses', errorName(status, dialect))]);
	const presence: unknown = payload === null ? null : payload.describe()['flags'];
	const isRequired =
		typeof presence !== 'object' || presence === null || !('presence' in presence) || presence.presence === 'required';
	return {
		operationId: api.operationId,
		tags: [api.tag],
		summary: api.summary,
		'x-permission': access,
		...(ownerOr !== undefined && { 'x-owner-or': ownerOr }),
		security: access === 'public' ? [] : [{ bearerAuth: [] }],
		parameters: [
			...pathParametersOf(route),
			...parametersIn('query', schemaOf(settings.validate?.query)),
			...headerParametersOf(route),
		],
		...(payload !== null && { requestBody: { required: isRequired, content: json(book.write(payload)) } }),
		responses: { ...answersOf(route, api, book), ...Object.fromEntries(errors) },
	};
}

/** The OpenAPI 3.1 document of all routes that describe themselves, out of the schemas that check their requests. */
export function openApiDocument(routes: readonly RequestRoute[], { title, version }: OpenApiInfo): Tree {
	const book = createSchemaBook();
	const paths = new Map<string, Record<string, Tree>>();
	const tags = new Set<string>();
	for (const route of routes) {
		const api = apiOf(route);
		if (api === undefined) continue;
		const path = route.path.replaceAll(/\{(\w+)[?*]\d*\}/g, '{$1}');
		tags.add(api.tag);
		paths.set(path, { ...paths.get(path), [route.method]: operationOf(route, api, book) });
	}
	const sorted = Object.fromEntries([...paths].toSorted(([one], [other]) => (one < other ? -1 : 1)));
	const used = new Set(JSON.stringify(sorted).match(/(?<=#\/components\/responses\/)\w+/g));
	const bound = book.bound(sorted);
	return {
		openapi: '3.1.0',
		info: { title, version, license: { name: 'Proprietary', identifier: 'LicenseRef-Proprietary' } },
		servers: [{ url: '/' }],
		security: [{ bearerAuth: [] }],
		tags: [...tags].toSorted().map((name) => ({ name })),
		paths: bound.paths,
		components: {
			schemas: { ...ERROR_SCHEMAS, ...bound.schemas },
			responses: errorResponses(used),
			parameters: HEADER_PARAMETERS,
			securitySchemes: { bearerAuth: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
		},
	};
}
