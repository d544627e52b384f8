import type { Request } from '@hapi/hapi';

/**
 * The query of a request as it was written, with its question mark; '' without one. Not from `request.url`: that takes the header `host` for the
 * beginning of an address, and throws for one that is none.
 */
export function queryOf({ raw }: Pick<Request, 'raw'>): string {
	const target = raw.req.url ?? '';
	const at = target.indexOf('?');
	return at < 0 ? '' : target.slice(at);
}
