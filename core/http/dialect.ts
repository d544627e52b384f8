/** One field at fault (contract rule R2). `loc` starts with body, query, path, header or cookie. */
export interface FieldError {
	readonly loc: readonly (string | number)[];
	readonly msg: string;
	readonly type: string;
}

/** What went wrong, before it takes the shape of a dialect. */
export interface Failure {
	readonly status: number;
	readonly code: string;
	readonly detail: string;
	/** Fields that are at fault, by the schema or by a rule; empty when it is none. */
	readonly errors: readonly FieldError[];
}

/** `v1`: everything below `/api/v1`; `platform`: `/api` and the root. */
export type DialectName = 'v1' | 'platform';

/** How one family of routes speaks. The lists of a family are in the styles of `paging.ts`. */
export interface Dialect {
	readonly name: DialectName;
	/** Name of the error body in the API document. */
	readonly errorSchema: string;
	readonly errorBody: (failure: Failure) => object;
}

/** The two families (contract rule R2). */
export const DIALECTS: Readonly<Record<DialectName, Dialect>> = {
	v1: {
		name: 'v1',
		errorSchema: 'V1Error',
		errorBody: ({ code, detail, errors }) => ({
			success: false,
			detail,
			error_code: code,
			error: { code, message: detail },
			...(errors.length > 0 && { errors }),
		}),
	},
	platform: {
		name: 'platform',
		errorSchema: 'PlatformError',
		errorBody: ({ code, detail, errors }) => ({
			success: false,
			detail: errors.length > 0 && code === 'VALIDATION_ERROR' ? errors : detail,
			error_code: code,
			error: detail,
			details: {},
		}),
	},
};

/** The dialect of a path, by its prefix. */
export const dialectOf = (path: string): Dialect =>
	DIALECTS[path === '/api/v1' || path.startsWith('/api/v1/') ? 'v1' : 'platform'];

/** The body of an error in the words of the family that the path belongs to. */
export const errorBody = (path: string, failure: Failure): object => dialectOf(path).errorBody(failure);
