import { type Account, actorFor } from '../identity/account.ts';
import { isInTenantOf, may } from '../identity/role.ts';
import type { Clock } from '../kernel/clock.ts';
import type { TenantId } from '../kernel/id.ts';

export interface AlertAudienceDeps {
	readonly accounts: { readonly all: () => Iterable<Account>; readonly byId: (id: string) => Account | undefined };
	readonly clock: Clock;
}

/** Who may acknowledge is looked up this seldom: alerts come in crowds. */
const KEPT_MS = 1_000;

/** Whom an alert concerns: everybody who sees its device and may acknowledge alerts of its tenant, and the owner of the device. Answers ids of users. */
export function createAlertAudience({ accounts, clock }: AlertAudienceDeps) {
	let acknowledgers = new Map<TenantId, readonly string[]>();
	let lookedUpAtMs = Number.NEGATIVE_INFINITY;

	function acknowledgersOf(tenantId: TenantId): readonly string[] {
		const now = clock.monotonicMs();
		if (now - lookedUpAtMs > KEPT_MS) {
			acknowledgers = new Map();
			lookedUpAtMs = now;
		}
		const known = acknowledgers.get(tenantId);
		if (known !== undefined) return known;
		const found: string[] = [];
		for (const account of accounts.all()) {
			const actor = actorFor(account);
			// A `user` sees nothing but what it owns, whatever else it may.
			const seesAll = account.role !== 'user' && isInTenantOf(actor, { tenantId });
			if (account.isActive && seesAll && may(actor, 'alarms:ack')) found.push(account.id);
		}
		acknowledgers.set(tenantId, found);
		return found;
	}

	return (tenantId: TenantId, ownerId: string | null): readonly string[] => {
		const found = acknowledgersOf(tenantId);
		const owner = ownerId === null ? undefined : accounts.byId(ownerId);
		if (owner === undefined || !owner.isActive || found.includes(owner.id)) return found;
		return isInTenantOf(actorFor(owner), { tenantId }) ? [...found, owner.id] : found;
	};
}
