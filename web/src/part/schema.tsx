import type { JsonSchema } from '../state/openapi.ts';

const MOST_DEPTH = 8;

const isSchema = (value: unknown): value is JsonSchema =>
	typeof value === 'object' && value !== null && !Array.isArray(value);
const schemasOf = (value: unknown): readonly JsonSchema[] => (Array.isArray(value) ? value.filter(isSchema) : []);

/** Rules that a person wants to know, in the words of JSON Schema. */
const RULES = ['format', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'maxItems', 'default'] as const;

function typeOf(schema: JsonSchema): string {
	const { type, enum: values, const: only } = schema;
	if (only !== undefined) return JSON.stringify(only);
	if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(' | ');
	if (Array.isArray(type)) return type.join(' | ');
	return typeof type === 'string' ? type : 'any';
}

const rulesOf = (schema: JsonSchema): string =>
	RULES.flatMap((rule) => (schema[rule] === undefined ? [] : [`${rule} ${JSON.stringify(schema[rule])}`])).join(', ');

/** A JSON Schema for people: type and rules, and its properties below. */
export function Schema({ schema, depth = 0 }: { readonly schema: JsonSchema; readonly depth?: number }) {
	const choices = [...schemasOf(schema['anyOf']), ...schemasOf(schema['oneOf']), ...schemasOf(schema['allOf'])];
	const { properties, items, required } = schema;
	const isRequired = (name: string): boolean => Array.isArray(required) && required.includes(name);
	const rules = rulesOf(schema);
	if (depth > MOST_DEPTH) return <span class="quiet">…</span>;
	return (
		<div class="schema">
			{choices.length === 0 && <code>{typeOf(schema)}</code>} {rules !== '' && <small>{rules}</small>}
			{choices.map((choice, index) => (
				<Schema key={index} schema={choice} depth={depth + 1} />
			))}
			{isSchema(items) && <Schema schema={items} depth={depth + 1} />}
			{isSchema(properties) && (
				<ul>
					{Object.entries(properties).map(([name, property]) => (
						<li key={name}>
							<strong>{name}</strong>
							{isRequired(name) ? ' *' : ''} {isSchema(property) && <Schema schema={property} depth={depth + 1} />}
						</li>
					))}
				</ul>
			)}
		</div>
	);
}
