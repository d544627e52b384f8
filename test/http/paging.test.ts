import test from 'ava';
import fc from 'fast-check';
import Joi from 'joi';

import { byPage, byPerPage, bySkip, bySkipBare, cutAtLimit, pageOrCursorQuery } from '../../core/http/paging.ts';

const items = (count: number) => Array.from({ length: count }, (_, id) => ({ id }));
const item = Joi.object({ id: Joi.number() });

const answers = [
	{
		name: 'page and size',
		answer: byPage.answer({ items: items(5), total: 25 }, { page: 5, size: 5 }),
		expected: { items: items(5), total: 25, page: 5, size: 5, pages: 5 },
		schema: byPage.schemaOf(item),
	},
	{
		name: 'skip and limit, bare',
		answer: bySkipBare.answer({ items: items(2), total: 9 }, { skip: 7, limit: 50 }),
		expected: items(2),
		schema: bySkipBare.schemaOf(item),
	},
	{
		name: 'skip and limit, with an order',
		answer: bySkip(['name']).answer(
			{ items: items(2), total: 9 },
			{ skip: 7, limit: 50, sort_by: 'name', sort_order: 'asc' },
		),
		expected: { items: items(2), total: 9, skip: 7, limit: 50 },
		schema: bySkip(['name']).schemaOf(item),
	},
	{
		name: 'page and per_page',
		answer: byPerPage.answer({ items: items(1), total: 21 }, { page: 2, per_page: 20 }),
		expected: { success: true, data: items(1), pagination: { page: 2, per_page: 20, total: 21, pages: 2 } },
		schema: byPerPage.schemaOf(item),
	},
];

for (const { name, answer, expected, schema } of answers) {
	test(`a list by ${name} is answered in its envelope, which its schema describes`, (t) => {
		t.deepEqual(answer, expected);
		t.is(schema.validate(answer).error, undefined);
	});
}

const defaults: readonly { readonly name: string; readonly query: Joi.SchemaMap; readonly expected: object }[] = [
	{ name: 'byPage', query: byPage.query, expected: { page: 1, size: 20 } },
	{ name: 'bySkipBare', query: bySkipBare.query, expected: { skip: 0, limit: 50 } },
	{
		name: 'bySkip',
		query: bySkip(['created_at', 'name']).query,
		expected: { skip: 0, limit: 50, sort_by: 'created_at', sort_order: 'desc' },
	},
	{ name: 'byPerPage', query: byPerPage.query, expected: { page: 1, per_page: 20 } },
];

for (const { name, query, expected } of defaults) {
	test(`${name} has defaults, and refuses what is out of bounds`, (t) => {
		const schema = Joi.object(query);
		t.deepEqual(schema.validate({}).value, expected);
		for (const key of Object.keys(expected)) {
			t.truthy(schema.validate({ [key]: -1 }).error, key);
			t.truthy(schema.validate({ [key]: ['1', '2'] }).error, key);
			t.truthy(schema.validate({ [key]: '1e99' }).error, key);
		}
	});
}

test('windows of all pages cover a list once, without hole or overlap', (t) => {
	fc.assert(
		fc.property(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 100 }), (total, size) => {
			const seen: number[] = [];
			const pages = Math.ceil(total / size);
			for (let page = 1; page <= pages; page += 1) {
				const { skip, limit } = byPage.windowOf({ page, size });
				t.deepEqual(byPerPage.windowOf({ page, per_page: size }), { skip, limit });
				seen.push(
					...items(total)
						.slice(skip, skip + limit)
						.map(({ id }) => id),
				);
			}
			t.deepEqual(
				seen,
				items(total).map(({ id }) => id),
			);
		}),
		{ numRuns: 50 },
	);
});

test('a list that goes on has the cursor of its last item; one that ends has none', (t) => {
	t.deepEqual(cutAtLimit([1, 2, 3], 2, String), { items: [1, 2], next: '2' });
	t.deepEqual(cutAtLimit([1, 2], 2, String), { items: [1, 2], next: null });
	t.deepEqual(cutAtLimit([], 2, String), { items: [], next: null });
});

test('a page and a cursor are not asked for together', (t) => {
	const schema = pageOrCursorQuery((text) => (text === 'known' ? { text } : null));
	t.truthy(schema.validate({ page: 1, limit: 5 }).error);
	t.truthy(schema.validate({ size: 1, cursor: 'known' }).error);
	t.truthy(schema.validate({ cursor: 'foreign' }).error);
	t.deepEqual(schema.validate({ limit: '5', cursor: 'known' }).value, { limit: 5, cursor: { text: 'known' } });
});
