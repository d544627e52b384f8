/** A JSON Schema as far as a page shows it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export interface Parameter {
	readonly name: string;
	readonly place: string;
	readonly required: boolean;
	readonly schema: JsonSchema;
}

export interface Answer {
	readonly status: string;
	readonly description: string;
	readonly schema: JsonSchema | null;
}

/** One operation of an OpenAPI document, with every reference replaced by what it stands for. */
export interface Operation {
	readonly id: string;
	readonly method: string;
	readonly path: string;
	readonly tag: string;
	readonly summary: string;
	readonly permission: string;
	/** Permission of others than the owner of the record; '' when there is no such rule. */
	readonly ownerOr: string;
	readonly parameters: readonly Parameter[];
	readonly body: JsonSchema | null;
	readonly answers: readonly Answer[];
}

type Node = Readonly<Record<string, unknown>>;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
/** References may go round in a circle. */
const MOST_DEPTH = 12;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- any object may be looked into by name
const nodeOf = (value: unknown): Node => (typeof value === 'object' && value !== null ? (value as Node) : {});
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function find(document: Node, reference: string): unknown {
	let here: unknown = document;
	for (const step of reference.replace(/^#\//, '').split('/'))
		here = nodeOf(here)[step.replaceAll('~1', '/').replaceAll('~0', '~')];
	return here;
}

function resolved(document: Node, value: unknown, depth = 0): unknown {
	if (depth > MOST_DEPTH) return {};
	if (Array.isArray(value)) return value.map((each) => resolved(document, each, depth + 1));
	if (typeof value !== 'object' || value === null) return value;
	const reference = textOf(nodeOf(value)['$ref']);
	if (reference !== '') return resolved(document, find(document, reference), depth + 1);
	return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, resolved(document, child, depth + 1)]));
}

function schemaOf(content: unknown): JsonSchema | null {
	const schema = nodeOf(nodeOf(content)['application/json'])['schema'];
	return schema === undefined ? null : nodeOf(schema);
}

const parameterOf = (value: unknown): Parameter => {
	const { name, in: place, required, schema } = nodeOf(value);
	return { name: textOf(name), place: textOf(place), required: required === true, schema: nodeOf(schema) };
};

const answersOf = (responses: unknown): readonly Answer[] =>
	Object.entries(nodeOf(responses)).map(([status, response]) => ({
		status,
		description: textOf(nodeOf(response)['description']),
		schema: status.startsWith('2') ? schemaOf(nodeOf(response)['content']) : null,
	}));

function operationOf(document: Node, path: string, method: string, raw: unknown): Operation {
	const operation = nodeOf(resolved(document, raw));
	const body = nodeOf(operation['requestBody'])['content'];
	return {
		id: textOf(operation['operationId']),
		method,
		path,
		tag: textOf(listOf(operation['tags'])[0]) || '–',
		summary: textOf(operation['summary']),
		permission: textOf(operation['x-permission']) || '–',
		ownerOr: textOf(operation['x-owner-or']),
		parameters: listOf(operation['parameters']).map(parameterOf),
		body: body === undefined ? null : schemaOf(body),
		answers: answersOf(operation['responses']),
	};
}

/** All operations of a document, in its order. */
export function operationsOf(value: unknown): readonly Operation[] {
	const document = nodeOf(value);
	return Object.entries(nodeOf(document['paths'])).flatMap(([path, item]) =>
		METHODS.filter((method) => nodeOf(item)[method] !== undefined).map((method) =>
			operationOf(document, path, method, nodeOf(item)[method]),
		),
	);
}
