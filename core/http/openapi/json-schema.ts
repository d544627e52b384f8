import Joi, { type Description, type Schema } from 'joi';

/** A JSON Schema (draft 2020-12), as OpenAPI 3.1 uses it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const isTree = (value: unknown): value is JsonSchema =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/** True when the schema drops fields it does not know: then the document must not say that they are refused. */
function stripsUnknown(schema: Schema): boolean {
	const description: Description = schema.describe();
	const preferences: unknown = description['preferences'];
	return isTree(preferences) && Boolean(preferences['stripUnknown']);
}

/** joi adds `null` to the type of a list of values, but not to the list, which then forbids it. */
function withNull({ type, enum: values }: JsonSchema): JsonSchema {
	if (!Array.isArray(values)) return {};
	if (!Array.isArray(type) || !type.includes('null') || values.includes(null)) return {};
	return { enum: [...(values as readonly unknown[]), null] };
}

/** Formats of joi that JSON Schema does not know. */
const FOREIGN_FORMATS: ReadonlySet<unknown> = new Set(['ip', 'hex', 'base64']);

/** Branches of a conditional that allow everything say nothing, and nothing is all that joi keeps of its conditions. */
const isOpen = (branch: unknown): boolean => isTree(branch) && Object.keys(branch).length === 0;

function mended(tree: JsonSchema, isStripped: boolean): JsonSchema {
	const { anyOf } = tree;
	if (Array.isArray(anyOf) && anyOf.some(isOpen)) return {};
	const entries = Object.entries({ ...tree, ...withNull(tree) })
		.filter(([key]) => !(key === 'additionalProperties' && isStripped))
		.filter(([key, value]) => !(key === 'format' && FOREIGN_FORMATS.has(value)))
		.map(([key, value]) => [key, mendedValue(value, isStripped)] as const);
	return Object.fromEntries(entries);
}

function mendedValue(value: unknown, isStripped: boolean): unknown {
	if (Array.isArray(value)) return value.map((each: unknown) => mendedValue(each, isStripped));
	return isTree(value) ? mended(value, isStripped) : value;
}

/**
 * The JSON Schema of a joi schema. joi writes most of it; what it gets wrong is mended, and what JSON Schema cannot say (conditions
 * between fields, own checks) is left out, so that the result never refuses what joi accepts.
 */
export function toJsonSchema(schema: Schema): JsonSchema {
	const raw: unknown = schema['~standard'].jsonSchema.input({ target: 'draft-2020-12' });
	if (!isTree(raw)) return {};
	return mended(raw, stripsUnknown(schema));
}

/** The label of a schema: the name it gets in the document. */
export function labelOf(schema: Schema): string | null {
	const { flags }: Description = schema.describe();
	return isTree(flags) && typeof flags['label'] === 'string' ? flags['label'] : null;
}

/** The schemas that a schema is made of: items, fields and alternatives. */
export function partsOf(schema: Schema): readonly Schema[] {
	const terms: unknown = Reflect.get(schema, '$_terms');
	if (!isTree(terms)) return [];
	return ['items', 'keys', 'matches'].flatMap((name) => {
		const list: unknown = terms[name];
		if (!Array.isArray(list)) return [];
		return list
			.map((entry: unknown) => (isTree(entry) && Joi.isSchema(entry['schema']) ? entry['schema'] : entry))
			.filter((entry): entry is Schema => Joi.isSchema(entry));
	});
}
