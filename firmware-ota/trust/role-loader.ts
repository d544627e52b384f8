import { readTargets, type SnapshotDocument, type TargetsDocument } from './metadata-document.ts';
import { checkTargets, isDoubtful, namedBy } from './metadata-rules.ts';
import { TrustFault, type TrustRefusal } from './trust-fault.ts';
import type { TrustLimits } from './trust-limits.ts';
import type { UpdateTime } from './trusted-time.ts';

type Roles = ReadonlyMap<string, TargetsDocument | TrustFault>;

export interface RoleLoad {
	readonly targets: TargetsDocument;
	readonly snapshot: SnapshotDocument;
	/** Of the set before. */
	readonly known: Roles;
	readonly limits: TrustLimits;
	/** A file's text. @throws TrustFault */
	readonly demand: (name: string, mostBytes: number) => Promise<string>;
	readonly time: () => UpdateTime;
}

/** What may be otherwise in a minute: it ends the update, so that a set is not changed for a worse one. */
const PASSING: ReadonlySet<TrustRefusal> = new Set(['unreachable', 'too-slow']);

/** What is at hand, if it passes: it then need not be fetched. */
export function reusable<T>(document: T | null | undefined, check: (document: T) => void): T | null {
	if (document === null || document === undefined) return null;
	try {
		check(document);
		return document;
	} catch (error) {
		if (error instanceof TrustFault) return null;
		throw error;
	}
}

/**
 * All delegated roles, those of the top-level role first (TUF 1.0.34, 5.6.7). One that is not trusted is noted and costs only what is delegated to it:
 * a vendor who lets his keys expire does not keep an appliance from its updates.
 *
 * @throws TrustFault `unreachable`, `too-slow`
 */
export async function loadRoles({ targets, snapshot, known, limits, demand, time }: RoleLoad): Promise<Roles> {
	const roles = new Map<string, TargetsDocument | TrustFault>();
	let bytes = 0;

	async function loadOne(delegator: TargetsDocument, role: string): Promise<TargetsDocument> {
		if (roles.size >= limits.roles)
			throw new TrustFault('too-many', `${role}: more than ${limits.roles} delegated roles`);
		const { version, length = limits.targetsBytes } = namedBy(snapshot, role);
		const name = `${version}.${role}.json`;
		const check = (document: TargetsDocument): void => checkTargets(delegator, snapshot, role, document);
		const before = known.get(role);
		const mostBytes = Math.min(length, limits.targetsBytes, limits.delegatedBytes - bytes);
		const document =
			reusable(before instanceof TrustFault ? undefined : before, check) ??
			readTargets(name, await demand(name, mostBytes));
		check(document);
		isDoubtful(document, time());
		bytes += Buffer.byteLength(document.text);
		return document;
	}

	async function tryOne(delegator: TargetsDocument, role: string): Promise<TargetsDocument | TrustFault> {
		try {
			return await loadOne(delegator, role);
		} catch (error) {
			if (error instanceof TrustFault && !PASSING.has(error.refusal)) return error;
			throw error;
		}
	}

	const waiting: TargetsDocument[] = [targets];
	for (let delegator = waiting.shift(); delegator !== undefined; delegator = waiting.shift())
		for (const role of Object.keys(delegator.metadata.signed.delegations?.roles ?? {})) {
			if (roles.has(role)) continue;
			const document = await tryOne(delegator, role);
			roles.set(role, document);
			if (!(document instanceof TrustFault)) waiting.push(document);
		}
	return roles;
}
