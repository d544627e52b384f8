import { randomUUID } from 'node:crypto';

import type { Role } from '../../../core/identity/role.ts';
import { type ApiRequest, calling, type Case, type Plan } from './case.ts';
import { isTree, type Parameter, type Source, type Tree } from './document.ts';
import { propertiesOf, queryViolationsOf, requiredOf, violationsOf } from './violations.ts';

/** What the schemas of a document imply about refusals. */
interface Implied {
	readonly source: Source;
	readonly plan: Plan;
	/** Who calls. */
	readonly role: Role | null;
}

type Change = (request: ApiRequest) => ApiRequest;

const pathParameters = ({ parameters }: Source): readonly Parameter[] => parameters.filter((one) => one.in === 'path');

const withBody =
	(change: (body: Tree) => unknown): Change =>
	(request) => ({ ...request, body: change(isTree(request.body) ? request.body : {}) });

const withPath =
	(name: string, value: string): Change =>
	(request) => ({ ...request, path: { ...request.path, [name]: value } });

const withQuery =
	(name: string, value: string): Change =>
	(request) => ({ ...request, query: { ...request.query, [name]: value } });

const without = (tree: Tree, name: string): Tree =>
	Object.fromEntries(Object.entries(tree).filter(([key]) => key !== name));

const withoutQuery =
	(name: string): Change =>
	(request) => {
		const left = Object.entries(request.query ?? {}).filter(([key]) => key !== name);
		return { ...request, query: Object.fromEntries(left) };
	};

const noJson: Change = (request) => ({ ...request, rawBody: '{"a": ' });

/** 400: a body that is no JSON, a path parameter of the wrong form. */
export function malformedCases({ source, plan, role }: Implied): readonly Case[] {
	const malformed = (name: string, change: Change): Case => ({
		name,
		status: 400,
		code: 'VALIDATION_ERROR',
		run: calling(plan, change, role),
	});
	return [
		...(source.body === null ? [] : [malformed('a body that is no JSON', noJson)]),
		...pathParameters(source).map(({ name, schema }) =>
			malformed(`a ${name} of the wrong form`, withPath(name, schema['format'] === 'uuid' ? 'not-a-uuid' : '-not ok-')),
		),
	];
}

/** 404: ids and addresses that name nothing. */
export const missingCases = ({ source, plan, role }: Implied): readonly Case[] =>
	pathParameters(source).flatMap(({ name, schema }) =>
		(schema['format'] === 'uuid' ? [randomUUID()] : [randomUUID(), 'no-such-address']).map((value) => ({
			name: `a ${name} that names nothing (${value === 'no-such-address' ? 'address' : 'id'})`,
			status: 404,
			code: 'RESOURCE_NOT_FOUND',
			run: calling(plan, withPath(name, value), role),
		})),
	);

/** 422: bodies and queries that break their schema, property by property. */
export function violationCases({ source, plan, role }: Implied): readonly Case[] {
	const { document, body, isBodyRequired, parameters } = source;
	const refused = { status: 422, code: 'VALIDATION_ERROR' };
	const whole = (sent: unknown): Case => ({
		name: `the body ${JSON.stringify(sent)}`,
		status: 422,
		code: 'VALIDATION_ERROR',
		run: calling(plan, (request) => ({ ...request, body: sent }), role),
	});
	const violation = (field: readonly string[], what: string, change: Change): Case => ({
		name: `${field.join('.')} is ${what}`,
		...refused,
		field,
		run: calling(plan, change, role),
	});
	const required = body === null ? [] : requiredOf(document, body);
	const properties = body === null ? [] : propertiesOf(document, body);
	return [
		...(body === null ? [] : [[], 'a text', 1]).map(whole),
		...(isBodyRequired && required.length > 0 ? [whole(null)] : []),
		...required.map((name) =>
			violation(
				['body', name],
				'missing',
				withBody((sent) => without(sent, name)),
			),
		),
		...properties.flatMap(([name, schema]) =>
			violationsOf(document, schema).map(({ what, value }) =>
				violation(
					['body', name],
					what,
					withBody((sent) => ({ ...sent, [name]: value })),
				),
			),
		),
		...parameters
			.filter((one) => one.in === 'query')
			.flatMap(({ name, required: isRequired, schema }) =>
				(isRequired ? [violation(['query', name], 'missing', withoutQuery(name))] : []).concat(
					queryViolationsOf(document, schema).map(({ what, text }) =>
						violation(['query', name], what, withQuery(name, text)),
					),
				),
			),
	];
}
