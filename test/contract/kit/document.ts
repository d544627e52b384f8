import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'yaml';

import { ROLES, type Role } from '../../../core/identity/role.ts';

/** A JSON object of a document. */
export type Tree = Readonly<Record<string, unknown>>;

/** The references whose operations are served, by the number that the rules give them. */
export type Reference = '000' | '002';

const FILES: Readonly<Record<Reference, string>> = {
	'000': 'device-platform.openapi.yaml',
	'002': 'telemetry-api.openapi.yaml',
};

const FOLDER = join(process.cwd(), 'test', 'contract', 'document');

export const isTree = (value: unknown): value is Tree =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/** A document of the contract. @throws Error when it is no mapping */
export function readDocument(file: string): Tree {
	const document: unknown = parse(readFileSync(join(FOLDER, file), 'utf8'));
	if (!isTree(document)) throw new Error(`${file} is no document`);
	return document;
}

export const treeAt = (tree: Tree, key: string): Tree => {
	const value = tree[key];
	return isTree(value) ? value : {};
};

/** One step of a JSON pointer (RFC 6901). */
export const pointerStep = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

/** What a `#/…` pointer names. @throws Error when nothing is there */
export function lookUp(document: Tree, pointer: string): Tree {
	let node: Tree = document;
	for (const step of pointer.replace(/^#\//, '').split('/'))
		node = treeAt(node, decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~'));
	if (Object.keys(node).length === 0) throw new Error(`nothing at ${pointer}`);
	return node;
}

/** The node itself, or what its `$ref` leads to. */
export function followed(document: Tree, node: unknown): Tree {
	if (!isTree(node)) return {};
	const { $ref } = node;
	return typeof $ref === 'string' ? followed(document, lookUp(document, $ref)) : node;
}

/** A parameter of path or query. */
export interface Parameter {
	readonly name: string;
	readonly in: 'path' | 'query';
	readonly required: boolean;
	readonly schema: Tree;
}

/** What one document says about an operation. */
export interface Source {
	readonly reference: Reference;
	readonly document: Tree;
	/** Pointer of the operation in its document. */
	readonly pointer: string;
	readonly parameters: readonly Parameter[];
	/** Schema of the request body; `null` without one. */
	readonly body: Tree | null;
	readonly isBodyRequired: boolean;
	/** The documented request body; `null` when there is none. */
	readonly example: Tree | null;
	/** Documented statuses. */
	readonly statuses: readonly number[];
}

export type Access = 'public' | 'authenticated' | 'self-or-admin' | readonly Role[];

/** A method and path of the API, with every document that has it. */
export interface Operation {
	readonly id: string;
	readonly method: string;
	/** Below `/api/v1`, with `{names}`. */
	readonly path: string;
	readonly access: Access;
	readonly sources: readonly Source[];
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

function parameterOf(document: Tree, node: unknown): Parameter {
	const { name, in: place, required, schema } = followed(document, node);
	if (place !== 'path' && place !== 'query') throw new Error(`parameter ${String(name)} is in ${String(place)}`);
	return { name: String(name), in: place, required: required === true, schema: followed(document, schema) };
}

function sourceOf(reference: Reference, document: Tree, path: string, method: string): Source {
	const operation = treeAt(treeAt(treeAt(document, 'paths'), path), method);
	const { parameters = [], requestBody } = operation;
	const body = followed(document, requestBody);
	const content = treeAt(treeAt(body, 'content'), 'application/json');
	return {
		reference,
		document,
		pointer: `#/paths/${pointerStep(path)}/${method}`,
		parameters: Array.isArray(parameters) ? parameters.map((one: unknown) => parameterOf(document, one)) : [],
		body: requestBody === undefined ? null : followed(document, content['schema']),
		isBodyRequired: body['required'] === true,
		example: isTree(content['example']) ? content['example'] : null,
		statuses: Object.keys(treeAt(operation, 'responses')).map(Number),
	};
}

function accessOf(roles: unknown): Access {
	if (roles === 'public' || roles === 'authenticated' || roles === 'self-or-admin') return roles;
	if (Array.isArray(roles)) return ROLES.filter((role) => roles.includes(role));
	throw new Error(`x-roles: ${String(roles)}`);
}

/** Every operation of the two references; one that both have stands once, with two sources. */
export function readOperations(): readonly Operation[] {
	const found = new Map<string, Operation>();
	for (const reference of ['000', '002'] as const) {
		const document = readDocument(FILES[reference]);
		for (const [path, item] of Object.entries(treeAt(document, 'paths')))
			for (const method of METHODS.filter((one) => isTree(item) && one in item)) {
				const name = `${method.toUpperCase()} ${path}`;
				const { operationId, 'x-roles': roles } = treeAt(treeAt(treeAt(document, 'paths'), path), method);
				const known = found.get(name) ?? {
					id: String(operationId),
					method: method.toUpperCase(),
					path,
					access: accessOf(roles),
					sources: [],
				};
				found.set(name, { ...known, sources: [...known.sources, sourceOf(reference, document, path, method)] });
			}
	}
	return [...found.values()];
}

export const nameOf = ({ method, path }: Operation): string => `${method} ${path}`;

/** Every status that a document names for the operation. */
export const statusesOf = ({ sources }: Operation): readonly number[] =>
	[...new Set(sources.flatMap(({ statuses }) => statuses))].toSorted((one, other) => one - other);

/** The one status of success. @throws Error when the documents name none, or two */
export function successOf(operation: Operation): number {
	const [status, ...others] = statusesOf(operation).filter((one) => one < 300);
	if (status === undefined || others.length > 0) throw new Error(`${nameOf(operation)} has no single success`);
	return status;
}
