import { followed, isTree, type Tree, treeAt } from './document.ts';

/** A value that breaks a schema, and in which words. */
export interface Violation {
	/** E.g. `too long`. */
	readonly what: string;
	readonly value: unknown;
}

/** The schema with its references followed, its parts (`allOf`) laid over each other, and without the choice of null. */
export function plainSchema(document: Tree, node: unknown): Tree {
	const schema = followed(document, node);
	const { allOf, oneOf } = schema;
	const parts: Tree[] = Array.isArray(allOf) ? allOf.map((one: unknown) => plainSchema(document, one)) : [];
	const choices: Tree[] = Array.isArray(oneOf) ? oneOf.map((one: unknown) => plainSchema(document, one)) : [];
	const real = choices.filter(({ type }) => type !== 'null');
	const isNullable = real.length < choices.length;
	const [only] = real;
	return Object.assign(
		{},
		...parts,
		schema,
		only !== undefined && real.length === 1 ? only : {},
		isNullable ? { nullable: true } : {},
	);
}

function typesOf({ type, nullable }: Tree): readonly unknown[] {
	return [...(Array.isArray(type) ? type : [type]), ...(nullable === true ? ['null'] : [])];
}

/** A value of another type, for each type. JSON has no dates: texts stand for them. */
const OTHER_TYPE: Readonly<Record<string, unknown>> = {
	string: 12_345,
	integer: 'many',
	number: 'many',
	boolean: 'perhaps',
	object: 'a text',
	array: 'a text',
};

/** What breaks the form of a text, for each form. */
const WRONG_FORM: Readonly<Record<string, string>> = { email: 'nobody', uuid: 'not-a-uuid', uri: 'no address' };

function textViolations(schema: Tree): readonly Violation[] {
	const { minLength, maxLength, pattern, format } = schema;
	return [
		...(typeof maxLength === 'number' ? [{ what: 'too long', value: 'x'.repeat(maxLength + 1) }] : []),
		...(typeof minLength === 'number' ? [{ what: 'too short', value: 'x'.repeat(minLength - 1) }] : []),
		...(typeof pattern === 'string' ? [{ what: 'of the wrong form', value: '-not/this-' }] : []),
		...(typeof format === 'string' && format in WRONG_FORM
			? [{ what: `no ${format}`, value: WRONG_FORM[format] }]
			: []),
	];
}

function numberViolations({ minimum, maximum }: Tree): readonly Violation[] {
	return [
		...(typeof minimum === 'number' ? [{ what: 'too small', value: minimum - 1 }] : []),
		...(typeof maximum === 'number' ? [{ what: 'too large', value: maximum + 1 }] : []),
	];
}

/** Values that a body may not carry under this schema. */
export function violationsOf(document: Tree, node: unknown): readonly Violation[] {
	const schema = plainSchema(document, node);
	const types = typesOf(schema);
	const [type] = types;
	return [
		...(typeof type === 'string' && type in OTHER_TYPE ? [{ what: 'of another type', value: OTHER_TYPE[type] }] : []),
		...(types.includes('null') ? [] : [{ what: 'null', value: null }]),
		...(Array.isArray(schema['enum']) ? [{ what: 'none of those named', value: 'no-such-value' }] : []),
		...textViolations(schema),
		...numberViolations(schema),
	];
}

/** Texts that a query may not carry under this schema. */
export function queryViolationsOf(
	document: Tree,
	node: unknown,
): readonly { readonly what: string; readonly text: string }[] {
	const schema = plainSchema(document, node);
	const isNumber = schema['type'] === 'integer';
	return [
		...(isNumber
			? [
					{ what: 'no number', text: 'many' },
					{ what: 'no whole number', text: '1.5' },
				]
			: []),
		...numberViolations(schema).map(({ what, value }) => ({ what, text: String(value) })),
		...textViolations(schema).map(({ what, value }) => ({ what, text: String(value) })),
	];
}

/** The properties of an object schema. */
export const propertiesOf = (document: Tree, node: unknown): readonly (readonly [string, Tree])[] =>
	Object.entries(treeAt(plainSchema(document, node), 'properties')).flatMap(([name, schema]) =>
		isTree(schema) ? [[name, schema] as const] : [],
	);

export function requiredOf(document: Tree, node: unknown): readonly string[] {
	const { required } = plainSchema(document, node);
	return Array.isArray(required) ? required.map(String) : [];
}
