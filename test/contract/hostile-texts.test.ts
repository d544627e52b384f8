import { createContext, runInContext } from 'node:vm';

import type { RequestRoute } from '@hapi/hapi';
import test from 'ava';
import Joi, { type Schema } from 'joi';

import { type HullRole, startBox } from './kit/box.ts';

/** Whatever is worse than linear takes minutes for it. */
const LENGTH = 200_000;
/** A check that is not done by then never ends; a linear one takes milliseconds. */
const GIVEN_UP_AFTER_MS = 5_000;

const filled = (part: string, start = '', end = ''): string => start + part.repeat(LENGTH / part.length) + end;

/** Texts on which patterns with several ways to match try them all. */
const HOSTILE: readonly string[] = [
	...['a', '0', '-', '.', ' ', '/', ':', '\u0000', 'é', '%', '_'].flatMap((part) => [
		filled(part),
		filled(part, '', '!'),
	]),
	...['a.', 'a-', 'a@', '0-', '1.', 'a:', 'aA0', '%41', '::', 'xn--'].flatMap((part) => [
		filled(part),
		filled(part, '', '\n'),
	]),
	filled('a', 'http://', '#'),
	filled('a.', 'http://', '@'),
	filled('a', '', '@example.com'),
	filled('a.', 'a@', ''),
	filled('0', '2024-01-01T00:00:00.', 'Z'),
	filled('f', 'aa000000-0000-4000-8000-'),
];

/** Every schema of texts below a schema, wherever joi keeps it: fields, items, alternatives, conditions. */
function textSchemasIn(value: unknown, seen: Set<unknown>, found: Set<Schema>): void {
	if (typeof value !== 'object' || value === null || seen.has(value)) return;
	seen.add(value);
	if (Joi.isSchema(value)) {
		if (value.type === 'string') found.add(value);
		textSchemasIn(Reflect.get(value, '$_terms'), seen, found);
		return;
	}
	for (const child of Array.isArray(value) ? value : Object.values(value)) textSchemasIn(child, seen, found);
}

function textSchemasOf(routes: readonly RequestRoute[]): ReadonlySet<Schema> {
	const found = new Set<Schema>();
	const seen = new Set<unknown>();
	for (const { settings } of routes) textSchemasIn({ ...settings.validate }, seen, found);
	return found;
}

for (const role of ['gateway', 'hub'] satisfies readonly HullRole[]) {
	test(`every check of a text that a ${role} makes takes time in proportion to the text`, async (t) => {
		const box = await startBox(role);
		t.teardown(() => box.stop());
		const schemas = textSchemasOf(box.server.table());
		t.true(schemas.size > 10, `${schemas.size} schemas`);
		const described = new Map([...schemas].map((schema) => [JSON.stringify(schema.describe()), schema] as const));
		for (const [description, schema] of described) {
			for (const text of HOSTILE) {
				const context = createContext({ check: () => void schema.validate(text, { abortEarly: false }) });
				t.notThrows(
					() => void runInContext('check()', context, { timeout: GIVEN_UP_AFTER_MS }),
					`${description.slice(0, 300)} and ${text.slice(0, 20)}...${text.slice(-10)}`,
				);
			}
		}
	});
}

test('a check that takes quadratic time is noticed', (t) => {
	const slow = Joi.string().pattern(/^(\s+a?)+b$|\s+$/);
	const context = createContext({ check: () => void slow.validate(filled(' ', '', '!')) });
	t.throws(() => void runInContext('check()', context, { timeout: 300 }));
});
