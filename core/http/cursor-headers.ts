import type { Request, ResponseObject } from '@hapi/hapi';

import { queryOf } from './request-target.ts';

/** Puts the paging data of the array form into the headers (contract rule R3); the link keeps the filters of the request. */
export function withCursorHeaders(
	response: ResponseObject,
	request: Pick<Request, 'path' | 'raw'>,
	limit: number,
	nextCursor: string | null,
): ResponseObject {
	response.header('X-Limit', String(limit));
	if (nextCursor === null) return response;
	const searchParams = new URLSearchParams(queryOf(request));
	searchParams.set('limit', String(limit));
	searchParams.set('cursor', nextCursor);
	return response.header('X-Next-Cursor', nextCursor).header('Link', `<${request.path}?${searchParams}>; rel="next"`);
}
