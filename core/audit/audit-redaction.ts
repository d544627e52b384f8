import type { AuditEvent } from './audit.ts';

/** What stands in the place of a value that may be a secret. */
export const HIDDEN = '[hidden]';

/** Most bytes of a record before or after; a larger one is named by its size. */
const MAX_RECORD_BYTES = 32_768;
const MAX_DEPTH = 8;

const SECRET_ANYWHERE = /pass(word|wd|phrase)|secret|token|credential|authorization|cookie/i;
/** As the last word of a name: `claim_code`, `privateKey`, but not `decode` or `keyboard`. */
const SECRET_AT_END = /(^|[_.-])(code|key|pin|proof)$/i;
const SECRET_AT_CAMEL_END = /[a-z0-9](Code|Key|Pin|Proof)$/;

const looksSecret = (name: string): boolean =>
	SECRET_ANYWHERE.test(name) || SECRET_AT_END.test(name) || SECRET_AT_CAMEL_END.test(name);

function redacted(value: unknown, depth: number): unknown {
	if (typeof value === 'bigint') return value.toString();
	if (typeof value !== 'object' || value === null) return value;
	if (depth >= MAX_DEPTH) return HIDDEN;
	if (Array.isArray(value)) return value.map((item: unknown) => redacted(item, depth + 1));
	return Object.fromEntries(
		Object.entries(value).map(([name, child]: [string, unknown]) => [
			name,
			child !== null && looksSecret(name) ? HIDDEN : redacted(child, depth + 1),
		]),
	);
}

/** The record without what looks like a secret by its name, and not larger than an entry may be. */
function shown(record: object | null): object | null {
	if (record === null) return null;
	const safe = redacted(record, 0);
	const bytes = Buffer.byteLength(JSON.stringify(safe));
	if (bytes > MAX_RECORD_BYTES) return { left_out: `${bytes} bytes` };
	return typeof safe === 'object' ? safe : null;
}

/** Longest texts of an event, in characters. */
const MAX_TEXT = { action: 200, from: 64, target: 256, reason: 500, email: 254, requestId: 64 };

const cut = (text: string | null, length: number): string | null =>
	text === null || text.length <= length ? text : `${text.slice(0, length - 1)}…`;

/** The event as it may be kept: bounded, and without secrets even where a caller has let one through. */
export function keepable(event: AuditEvent): AuditEvent {
	const { actor } = event;
	return {
		action: cut(event.action, MAX_TEXT.action) ?? '',
		outcome: event.outcome,
		actor: actor === null ? null : { userId: actor.userId, email: cut(actor.email, MAX_TEXT.email) ?? '' },
		tenantId: event.tenantId,
		from: cut(event.from, MAX_TEXT.from) ?? '',
		target: cut(event.target, MAX_TEXT.target),
		reason: cut(event.reason, MAX_TEXT.reason),
		before: shown(event.before),
		after: shown(event.after),
		requestId: cut(event.requestId, MAX_TEXT.requestId),
	};
}
