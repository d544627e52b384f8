import type { Plugin, Request } from '@hapi/hapi';

import { Refusal } from './refuse.ts';
import { stepsOf } from './steps.ts';

/** Longest path with its query; every list of the API fits into a quarter of it. */
const MAX_URL_LENGTH = 8_192;

/** Nesting of a body; the deepest schema of the API needs ten. */
const MAX_DEPTH = 32;

/** Values in a body, containers included: bounds the work of everything that walks it. */
const MAX_VALUES = 100_000;

const ENCODINGS: ReadonlySet<string> = new Set(['identity', 'gzip', 'deflate']);
const CHARSETS: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii']);
const CHARSET = /;\s*charset\s*=\s*"?([\w-]{1,40})/i;

const isDecodable = (path: string): boolean => {
	// Nearly every path, and decoding is not cheap.
	if (!path.includes('%')) return !path.includes('\0');
	try {
		return !decodeURIComponent(path).includes('\0');
	} catch {
		return false;
	}
};

function assertTarget({ raw: { req }, path }: Pick<Request, 'raw' | 'path'>): void {
	if ((req.url ?? '').length > MAX_URL_LENGTH)
		throw new Refusal(414, `the address is longer than ${MAX_URL_LENGTH} characters`);
	if (req.headers.host === undefined && req.httpVersion !== '1.0') throw new Refusal(400, 'the Host header is missing');
	if (!isDecodable(path)) throw new Refusal(400, 'the path is not valid percent-encoded UTF-8');
}

function assertBodyHeaders({ headers }: Request['raw']['req']): void {
	const { 'content-encoding': encoding, 'content-type': type } = headers;
	if (encoding !== undefined && !ENCODINGS.has(encoding.toLowerCase()))
		throw new Refusal(415, 'the content encoding must be gzip, deflate or identity');
	if (type === undefined) return;
	const charset = CHARSET.exec(type)?.[1] ?? 'utf-8';
	if (!CHARSETS.has(charset.toLowerCase())) throw new Refusal(415, 'the charset of the body must be utf-8');
}

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** An object that would reach a prototype when it is merged into another one. */
function isPolluting(value: object): boolean {
	if (Array.isArray(value)) return false;
	if (Object.hasOwn(value, '__proto__')) return true;
	const made: unknown = Object.hasOwn(value, 'constructor') ? Reflect.get(value, 'constructor') : null;
	return isContainer(made) && Object.hasOwn(made, 'prototype');
}

/** @throws Refusal 400 for a body that is deeper, larger or more cunning than any of ours. Level by level, so that depth costs no stack. */
function assertBody(payload: unknown): void {
	let level: readonly unknown[] = [payload];
	let values = 0;
	for (let depth = 0; level.length > 0; depth += 1) {
		values += level.length;
		if (values > MAX_VALUES) throw new Refusal(400, `the body holds more than ${MAX_VALUES} values`);
		const containers = level.filter(isContainer);
		if (containers.length > 0 && depth >= MAX_DEPTH)
			throw new Refusal(400, `the body is nested deeper than ${MAX_DEPTH} levels`);
		if (containers.some(isPolluting)) throw new Refusal(400, 'the body holds a key that is not allowed');
		level = containers.flatMap((container): unknown[] => Object.values(container));
	}
}

const isParsed = (payload: unknown): boolean =>
	isContainer(payload) && !Buffer.isBuffer(payload) && !('pipe' in payload);

/** What is wrong with a request whatever its route: address, Host, encodings, and the shape of a parsed body. */
export const requestGuard: Plugin<void> = {
	name: 'request-guard',
	register(server) {
		const { onRequest, onPostAuth } = stepsOf(server);
		onRequest.push((request) => {
			assertTarget(request);
			assertBodyHeaders(request.raw.req);
		});
		onPostAuth.push(({ payload }) => {
			if (isParsed(payload)) assertBody(payload);
		});
	},
};
