import type { Actor } from '../identity/role.ts';
import { DEFAULT_TENANT } from '../kernel/id.ts';
import type { AuditFilter } from './audit-reader.ts';
import type { AuditLine } from './audit-line.ts';
import type { AuditSelection } from './audit-schema.ts';

/** Each filter that may be given, as a test of an entry. */
const TESTS: Readonly<{
	[K in keyof Required<AuditSelection>]: (entry: AuditLine, wanted: NonNullable<AuditSelection[K]>) => boolean;
}> = {
	actor: ({ actor }, wanted) => actor !== null && (actor.userId === wanted || actor.email === wanted.toLowerCase()),
	action: ({ action }, wanted) => action === wanted,
	outcome: ({ outcome }, wanted) => outcome === wanted,
	target: ({ target }, wanted) => target === wanted,
	tenant_id: ({ tenantId }, wanted) => tenantId === wanted,
	from: ({ at }, wanted) => at >= wanted,
	to: ({ at }, wanted) => at < wanted,
};

const passes = <K extends keyof AuditSelection>(entry: AuditLine, name: K, wanted: AuditSelection[K]): boolean =>
	wanted === undefined || TESTS[name](entry, wanted);

/**
 * What the caller wants of what it may see: a superadmin everything, everybody else the entries of its tenant. Those of nobody (a stranger
 * was refused, the box did something itself) belong to the default tenant.
 */
export function entriesFor(actor: Pick<Actor, 'role' | 'tenantId'>, wanted: AuditSelection): AuditFilter {
	const maySeeAll = actor.role === 'superadmin';
	const { actor: who, action, outcome, target, tenant_id: tenant, from, to } = wanted;
	return (entry) =>
		(maySeeAll || (entry.tenantId ?? DEFAULT_TENANT) === actor.tenantId) &&
		passes(entry, 'from', from) &&
		passes(entry, 'to', to) &&
		passes(entry, 'actor', who) &&
		passes(entry, 'action', action) &&
		passes(entry, 'outcome', outcome) &&
		passes(entry, 'target', target) &&
		passes(entry, 'tenant_id', tenant);
}
