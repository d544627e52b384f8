import Joi from 'joi';

import type { Page, Window } from '../kernel/page.ts';

/** One way to ask for a part of a list, and to answer it (contract rule R3). */
export interface PagingStyle<Query> {
	/** Keys of the query; filters of the list are added to them. */
	readonly query: { readonly [Key in keyof Query]: Joi.Schema };
	readonly windowOf: (query: Query) => Window;
	/** The body of the answer, of items that are views already. */
	readonly answer: (page: Page<object>, query: Query) => object;
	/** Schema of that body, for the API document. */
	readonly schemaOf: (item: Joi.Schema) => Joi.Schema;
}

const whole = (least: number) => Joi.number().integer().min(least);
const MAX_PAGE = 1_000_000;
const MAX_SKIP = 1_000_000;
const MAX_LIMIT = 200;
const MAX_PER_PAGE = 100;

/** Items of a page unless the caller names a number. */
export const DEFAULT_PAGE_SIZE = 20;

const listOf = (item: Joi.Schema) => Joi.array().items(item).required();
const total = whole(0).required();

/** `page` + `size` -> `{items,total,page,size,pages}` (reference 000). */
export interface PageQuery {
	readonly page: number;
	readonly size: number;
}

export const byPage: PagingStyle<PageQuery> = {
	query: { page: whole(1).max(MAX_PAGE).default(1), size: whole(1).max(MAX_PER_PAGE).default(DEFAULT_PAGE_SIZE) },
	windowOf: ({ page, size }) => ({ skip: (page - 1) * size, limit: size }),
	answer: ({ items, total: count }, { page, size }) => ({
		items,
		total: count,
		page,
		size,
		pages: Math.ceil(count / size),
	}),
	schemaOf: (item) =>
		Joi.object({
			items: listOf(item),
			total,
			page: whole(1).required(),
			size: whole(1).required(),
			pages: whole(0).required(),
		}),
};

/** `skip` + `limit` -> a bare array (reference 001). */
export interface SkipQuery {
	readonly skip: number;
	readonly limit: number;
}

const skipAndLimit = {
	skip: whole(0).max(MAX_SKIP).default(0),
	limit: whole(1).max(MAX_LIMIT).default(50),
};

const windowOfSkip = ({ skip, limit }: SkipQuery): Window => ({ skip, limit });

export const bySkipBare: PagingStyle<SkipQuery> = {
	query: skipAndLimit,
	windowOf: windowOfSkip,
	answer: ({ items }) => items,
	schemaOf: (item) => Joi.array().items(item),
};

/** `skip` + `limit` + `sort_by` + `sort_order` -> `{items,total,skip,limit}` (reference 003). */
export interface SortedQuery extends SkipQuery {
	readonly sort_by: string;
	readonly sort_order: 'asc' | 'desc';
}

/** @param sortable fields that can be sorted by; the first is the default. Ties are broken by id. */
export const bySkip = (sortable: readonly [string, ...string[]]): PagingStyle<SortedQuery> => ({
	query: {
		...skipAndLimit,
		sort_by: Joi.valid(...sortable).default(sortable[0]),
		sort_order: Joi.valid('asc', 'desc').default('desc'),
	},
	windowOf: windowOfSkip,
	answer: ({ items, total: count }, { skip, limit }) => ({ items, total: count, skip, limit }),
	schemaOf: (item) => Joi.object({ items: listOf(item), total, skip: whole(0).required(), limit: whole(1).required() }),
});

/** `page` + `per_page` -> `{success,data,pagination}` (reference 004). */
export interface PerPageQuery {
	readonly page: number;
	readonly per_page: number;
}

export const byPerPage: PagingStyle<PerPageQuery> = {
	query: { page: whole(1).max(MAX_PAGE).default(1), per_page: whole(1).max(MAX_PER_PAGE).default(DEFAULT_PAGE_SIZE) },
	windowOf: ({ page, per_page: size }) => ({ skip: (page - 1) * size, limit: size }),
	answer: ({ items, total: count }, { page, per_page }) => ({
		success: true,
		data: items,
		pagination: { page, per_page, total: count, pages: Math.ceil(count / per_page) },
	}),
	schemaOf: (item) =>
		Joi.object({
			success: Joi.valid(true).required(),
			data: listOf(item),
			pagination: Joi.object({
				page: whole(1).required(),
				per_page: whole(1).required(),
				total,
				pages: whole(0).required(),
			}).required(),
		}),
};

/** `limit` + `cursor` -> a bare array with headers (references 000 and 002). `Position` is where the list goes on. */
export interface CursorQuery<Position> {
	readonly limit: number;
	readonly cursor?: Position;
}

/** Items of a list by cursor unless the caller names a number. */
export const DEFAULT_CURSOR_LIMIT = 10;
const MAX_CURSOR_LENGTH = 300;

/** The position of an opaque cursor; `null` when it is none. */
type CursorParser = (cursor: string) => object | null;

const cursorKey = (parse: CursorParser) =>
	Joi.string()
		.min(1)
		.max(MAX_CURSOR_LENGTH)
		.custom((value: string, helpers) => parse(value) ?? helpers.message({ custom: '{{#label}} is unknown' }));

/** The keys of a query by cursor. */
export const cursorQuery = (parse: CursorParser) => ({
	limit: whole(1).max(MAX_LIMIT).default(DEFAULT_CURSOR_LIMIT),
	cursor: cursorKey(parse),
});

/** The query of a list that speaks both `byPage` and by cursor; mixing the two is refused, neither is by page. */
export const pageOrCursorQuery = (parse: CursorParser) =>
	Joi.object({
		page: whole(1).max(MAX_PAGE),
		size: whole(1).max(MAX_PER_PAGE),
		limit: whole(1).max(MAX_LIMIT),
		cursor: cursorKey(parse),
	})
		.without('page', ['limit', 'cursor'])
		.without('size', ['limit', 'cursor']);

export type PageOrCursorQuery<Position> = Partial<PageQuery> & Partial<CursorQuery<Position>>;

/** What a list by cursor answers, out of `limit + 1` items that were found: one more than asked for tells that it goes on. */
export function cutAtLimit<T>(
	found: readonly T[],
	limit: number,
	toCursor: (last: T) => string,
): { readonly items: readonly T[]; readonly next: string | null } {
	const items = found.slice(0, limit);
	const last = items.at(-1);
	return { items, next: found.length > limit && last !== undefined ? toCursor(last) : null };
}
