import type { Request, ResponseObject } from '@hapi/hapi';

/** Puts the paging data of the array form into the headers (contract rule R3); the link keeps the filters of the request. */
export function withCursorHeaders(
	response: ResponseObject,
	request: Pick<Request, 'url'>,
	limit: number,
	nextCursor: string | null,
): ResponseObject {
	response.header('X-Limit', String(limit));
	if (nextCursor === null) return response;
	const { pathname, searchParams } = new URL(request.url);
	searchParams.set('limit', String(limit));
	searchParams.set('cursor', nextCursor);
	return response.header('X-Next-Cursor', nextCursor).header('Link', `<${pathname}?${searchParams}>; rel="next"`);
}
