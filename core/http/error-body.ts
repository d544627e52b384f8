/** One field at fault (contract rule R2). `loc` starts with body, query, path, header or cookie. */
export interface FieldError {
	readonly loc: readonly (string | number)[];
	readonly msg: string;
	readonly type: string;
}

/** What went wrong, before it takes the shape of a family. */
export interface Failure {
	readonly status: number;
	readonly code: string;
	readonly detail: string;
	/** Fields that are at fault, by the schema or by a rule; empty when it is none. */
	readonly errors: readonly FieldError[];
}

/** `v1`: everything below `/api/v1`; `platform`: `/api` and the root. */
export type ErrorFamily = 'v1' | 'platform';

export const familyOf = (path: string): ErrorFamily =>
	path === '/api/v1' || path.startsWith('/api/v1/') ? 'v1' : 'platform';

const bodies: Readonly<Record<ErrorFamily, (failure: Failure) => object>> = {
	v1: ({ code, detail, errors }) => ({
		success: false,
		detail,
		error_code: code,
		error: { code, message: detail },
		...(errors.length > 0 && { errors }),
	}),
	platform: ({ code, detail, errors }) => ({
		success: false,
		detail: errors.length > 0 && code === 'VALIDATION_ERROR' ? errors : detail,
		error_code: code,
		error: detail,
		details: {},
	}),
};

/** The body of an error in the words of the family that the path belongs to (contract rule R2). */
export const errorBody = (path: string, failure: Failure): object => bodies[familyOf(path)](failure);
