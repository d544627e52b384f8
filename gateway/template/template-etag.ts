import { hash } from 'node:crypto';

import type { Request, ResponseObject } from '@hapi/hapi';

import { Fault } from '../../core/kernel/fault.ts';

/** Enough to tell two answers of one template apart (48 bits). */
const STATE_LENGTH = 8;
/** Longest header that is looked at. */
const MAX_HEADER_LENGTH = 1_024;
/** The tag of an answer, or the bare checksum; either with the mark of a compressed answer. */
const STRONG_TAG = /^"([0-9a-f]{64})(?:-[\w-]{8})?(?:-(?:gzip|deflate|br))?"$/;

/** A strong ETag: `"<checksum>-<state>"`. The checksum is what `If-Match` is compared with; the state tells answers apart that differ in the rest. */
export function withChecksumTag(response: ResponseObject, checksum: string): ResponseObject {
	const state = hash('sha1', JSON.stringify(response.source), 'base64url').slice(0, STATE_LENGTH);
	return response.etag(`${checksum}-${state}`);
}

function checksumsOf(header: string): readonly string[] {
	const tags = header.length > MAX_HEADER_LENGTH ? [''] : header.split(',');
	return tags.map((tag) => {
		const checksum = STRONG_TAG.exec(tag.trim())?.[1];
		if (checksum === undefined)
			throw new Fault('malformed', 'the If-Match header must be the ETag of the template as it was answered');
		return checksum;
	});
}

/**
 * What `If-Match` of a change demands (RFC 9110 section 13.1.1): that the template is still the one the caller has seen; `*`: that there
 * is one. Without the header everything passes.
 * @throws Fault `malformed`; the check throws Fault `precondition-failed`
 */
export function ifChecksumMatches(request: Pick<Request, 'headers'>): (checksum: string | null) => void {
	const header: unknown = request.headers['if-match'];
	if (typeof header !== 'string') return () => undefined;
	const checksums = header.trim() === '*' ? null : checksumsOf(header);
	return (checksum) => {
		if (checksum !== null && (checksums?.includes(checksum) ?? true)) return;
		const now = checksum === null ? 'was not uploaded here' : `was changed meanwhile (${checksum.slice(0, 12)})`;
		throw new Fault('precondition-failed', `the template ${now}; read it again`);
	};
}
