import { hash } from 'node:crypto';

import type { Request, ResponseObject } from '@hapi/hapi';

import { Fault } from '../kernel/fault.ts';
import type { RevisionCheck } from '../kernel/revision.ts';

/** Enough to tell two states of one revision apart (48 bits). */
const STATE_LENGTH = 8;

/**
 * Puts a strong ETag on the answer of one document: `"<revision>-<state>"`. The revision is what `If-Match` is compared with; the state
 * also tells answers apart that differ in what is no part of the stored document, such as health. `If-None-Match` is answered with 304 by the framework.
 */
export function withEtag(response: ResponseObject, revision: number): ResponseObject {
	const state = hash('sha1', JSON.stringify(response.source), 'base64url').slice(0, STATE_LENGTH);
	return response.etag(`${revision}-${state}`);
}

/** Longest header that is looked at. */
const MAX_HEADER_LENGTH = 1_024;

/** `"7-a1b2c3d4"`, the bare revision `"7"`, either with the mark of a compressed answer. */
const STRONG_TAG = /^"(\d{1,15})(?:-[\w-]{8})?(?:-(?:gzip|deflate|br))?"$/;

function revisionsOf(header: string): readonly number[] {
	const tags = header.length > MAX_HEADER_LENGTH ? [''] : header.split(',');
	return tags.map((tag) => {
		const revision = STRONG_TAG.exec(tag.trim())?.[1];
		if (revision === undefined)
			throw new Fault('malformed', 'the If-Match header must be the ETag of the document as it was answered');
		return Number(revision);
	});
}

/**
 * What `If-Match` of a change demands (RFC 9110 section 13.1.1); without the header everything passes. To be called with the
 * revision as late as possible: in the turn that writes.
 * @throws Fault `malformed` for a header that is no list of strong tags; the check throws Fault `precondition-failed`
 */
export function ifMatch(request: Pick<Request, 'headers'>): RevisionCheck {
	const header: unknown = request.headers['if-match'];
	if (typeof header !== 'string' || header.trim() === '*') return () => undefined;
	const revisions = revisionsOf(header);
	return (revision) => {
		if (!revisions.includes(revision))
			throw new Fault(
				'precondition-failed',
				`the document was changed meanwhile (revision ${revision}, If-Match names ${revisions.join(', ')}); read it again`,
			);
	};
}
