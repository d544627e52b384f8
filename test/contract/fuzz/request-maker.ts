import { gzipSync } from 'node:zlib';

import { followed, isTree, type Tree, treeAt } from '../kit/document.ts';
import type { ValueMaker } from './value-maker.ts';

/** A request that the document could have led to. */
export interface FuzzRequest {
	readonly operationId: string;
	readonly method: string;
	readonly path: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: Buffer | null;
}

interface DocumentedOperation {
	readonly operationId: string;
	readonly method: string;
	readonly path: string;
	readonly parameters: readonly Tree[];
	/** Null: it takes none. */
	readonly bodySchema: unknown;
}

/** Operations that would end the login that all requests share, or hash passwords for minutes: called by strangers only. */
const BY_STRANGERS_ONLY = /logout|password|session|deleteUser|deleteMe|updateUser|updateMe|createUser|register/i;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const ODD_METHODS = ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE', 'POST', 'GET'] as const;

function operationsOf(document: Tree): readonly DocumentedOperation[] {
	return Object.entries(treeAt(document, 'paths')).flatMap(([path, item]) =>
		METHODS.flatMap((method) => {
			const operation = isTree(item) ? item[method] : null;
			if (!isTree(operation)) return [];
			const { operationId, parameters } = operation;
			const media = treeAt(treeAt(treeAt(operation, 'requestBody'), 'content'), 'application/json');
			return {
				operationId: String(operationId),
				method: method.toUpperCase(),
				path,
				parameters: Array.isArray(parameters) ? parameters.map((one) => followed(document, one)) : [],
				bodySchema: media['schema'] ?? null,
			};
		}),
	);
}

/** A JSON text that is none, or none that anybody should take apart. */
const BROKEN_TEXTS = [
	'{',
	'[1,',
	'nul',
	'{"a":1}{"b":2}',
	'{"__proto__":{"admin":true}}',
	'{"constructor":{"prototype":{"admin":true}}}',
	'{"a":1e999}',
	'"\\ud800"',
	'['.repeat(50_000),
	`${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
	'\ufeff{}',
	'\u0000',
	'undefined',
	`{"a":"${'x'.repeat(1_100_000)}"}`,
] as const;

const ODD_HEADERS: readonly (readonly [string, string])[] = [
	['content-type', 'text/plain'],
	['content-type', 'application/json; charset=utf-16'],
	['content-type', 'multipart/form-data; boundary=x'],
	['content-type', `application/json${';a=b'.repeat(500)}`],
	['content-encoding', 'gzip'],
	['content-encoding', 'br'],
	['accept-encoding', 'gzip;q=nan, *;q=1.1, br;;;'],
	['accept', '*/*;q=x'],
	['if-match', '"1"'],
	['if-match', 'W/"x", y'],
	['if-none-match', '*'],
	['if-modified-since', 'yesterday'],
	['idempotency-key', 'the same for all'],
	['idempotency-key', 'fuzz-key'],
	['idempotency-key', 'k'.repeat(300)],
	['x-request-id', 'r'.repeat(200)],
	['x-request-id', 'fuzz-request-1'],
	['range', 'bytes=0-,5-1'],
	['cookie', 'refresh_token=x; refresh_token=y; =; a'],
	['origin', 'null'],
	['expect', '100-continue'],
	['x-http-method-override', 'DELETE'],
	['x-forwarded-for', '::1, 999.999.1.1'],
	['host', 'evil.example:99999'],
	['te', 'trailers'],
];

const textOf = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));

/** Through bytes, because lone surrogates have no UTF-8. */
const encoded = (value: unknown): string => encodeURIComponent(Buffer.from(textOf(value).slice(0, 3_000)).toString());

export function createRequestMaker(document: Tree, make: ValueMaker, token: string): () => FuzzRequest {
	const operations = operationsOf(document);

	function authorization(operationId: string): Readonly<Record<string, string>> {
		if (make.chance(0.06)) return {};
		if (BY_STRANGERS_ONLY.test(operationId) || make.chance(0.04))
			return {
				authorization: make.pick(['Bearer a.b.c', 'Basic dTpw', `Bearer ${'x'.repeat(5_000)}`, `bearer  ${token}x`]),
			};
		return { authorization: `Bearer ${token}` };
	}

	function valueOf({ schema, name }: Tree): unknown {
		return make.chance(0.85) ? make.fitting(schema, String(name)) : make.hostile();
	}

	function pathOf({ path, parameters }: DocumentedOperation): string {
		if (make.chance(0.02))
			return make.pick(['/api/v1/%', '/api/v1/%ff', '/api//v1', '/api/v1/devices/..%2f..', '//x', '/%00']);
		const values = new Map(
			parameters.filter((one) => one['in'] === 'path').map((one) => [String(one['name']), encoded(valueOf(one))]),
		);
		return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values.get(name) || 'none');
	}

	function queryOf({ parameters }: DocumentedOperation): string {
		const pairs = parameters
			.filter((one) => one['in'] === 'query' && (one['required'] === true || make.chance(0.4)))
			.flatMap((one) => {
				const pair = `${String(one['name'])}=${encoded(valueOf(one))}`;
				return make.chance(0.03) ? [pair, pair, pair] : pair;
			});
		if (make.chance(0.03)) pairs.push(make.pick(['__proto__=1', 'a[b][c]=1', '%=%', '&&&', 'limit=1&limit=2', '=']));
		return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
	}

	function bodyOf({ bodySchema }: DocumentedOperation): Buffer {
		const fitting = make.fitting(bodySchema);
		const kind = make.pick(['fit', 'fit', 'fit', 'near', 'near', 'near', 'near', 'hostile', 'broken'] as const);
		const texts = {
			fit: () => JSON.stringify(fitting),
			near: () => JSON.stringify(make.spoiled(fitting)),
			hostile: () => JSON.stringify(make.hostile()),
			broken: () => make.pick(BROKEN_TEXTS),
		};
		return Buffer.from(texts[kind]() ?? '');
	}

	return () => {
		const operation = make.pick(operations);
		const hasBody = operation.bodySchema !== null || (operation.method !== 'GET' && make.chance(0.05));
		const plain = hasBody ? bodyOf(operation) : null;
		const isCompressed = plain !== null && make.chance(0.03);
		const headers: Record<string, string> = {
			...authorization(operation.operationId),
			...(hasBody && { 'content-type': 'application/json' }),
			...(isCompressed && { 'content-encoding': 'gzip' }),
		};
		if (make.chance(0.1)) {
			const [name, value] = make.pick(ODD_HEADERS);
			headers[name] = value;
		}
		return {
			operationId: operation.operationId,
			method: make.chance(0.02) ? make.pick(ODD_METHODS) : operation.method,
			path: `${pathOf(operation)}${queryOf(operation)}`,
			headers,
			body: plain !== null && isCompressed ? gzipSync(new Uint8Array(plain)) : plain,
		};
	};
}
