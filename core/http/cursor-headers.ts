import type { Request, ResponseObject } from '@hapi/hapi';

/** Puts the paging data of the array form into the headers (contract rule R3). */
export function withCursorHeaders(
	response: ResponseObject,
	request: Pick<Request, 'path'>,
	limit: number,
	nextCursor: string | null,
): ResponseObject {
	response.header('X-Limit', String(limit));
	if (nextCursor === null) return response;
	const next = `${request.path}?limit=${limit}&cursor=${encodeURIComponent(nextCursor)}`;
	return response.header('X-Next-Cursor', nextCursor).header('Link', `<${next}>; rel="next"`);
}
