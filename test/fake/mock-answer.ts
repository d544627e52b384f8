import type { ResponseObject, ResponseToolkit } from '@hapi/hapi';

export interface FieldMistake {
	readonly loc: readonly string[];
	readonly msg: string;
	readonly type: string;
}

/** An error in the form of the product's API. */
export function refusal(
	h: ResponseToolkit,
	status: number,
	code: string,
	text: string,
	errors: readonly FieldMistake[] = [],
): ResponseObject {
	return h
		.response({
			success: false,
			detail: text,
			error_code: code,
			error: { code, message: text },
			...(errors.length > 0 && { errors }),
		})
		.code(status);
}
