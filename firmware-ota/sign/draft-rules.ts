import { Fault } from '../../core/kernel/fault.ts';
import type { PublicKey } from '../trust/metadata-document.ts';
import type { Published, RepositoryFolder } from './repository-folder.ts';
import { rawOf, type RawDelegation, type RawRoot, type RawTargets, TOP_ROLES, type TopRole } from './role-draft.ts';
import type { Demand } from './signatures.ts';

/** A repository at an instant: what is published, and what would be next. */
export interface Draft {
	readonly published: Published;
	readonly staged: ReadonlyMap<string, string>;
	/** Root as it will be; `null` before `init`. */
	readonly root: RawRoot | null;
	/** Top-level targets as they will be. */
	readonly targets: RawTargets | null;
}

export async function readDraft(repository: RepositoryFolder): Promise<Draft> {
	const [published, staged] = await Promise.all([repository.published(), repository.staged()]);
	const root = staged.get('root') ?? published.root?.text;
	const targets = staged.get('targets') ?? published.targets?.text;
	return {
		published,
		staged,
		root: root === undefined ? null : rawOf<RawRoot>(root).signed,
		targets: targets === undefined ? null : rawOf<RawTargets>(targets).signed,
	};
}

/** @throws Fault `state-conflict` before `init` */
export function begun({ root, targets }: Draft): { readonly root: RawRoot; readonly targets: RawTargets } {
	if (root === null || targets === null)
		throw new Fault('state-conflict', 'there is no repository here yet; begin with "init"');
	return { root, targets };
}

export const isTopRole = (role: string): role is TopRole => TOP_ROLES.some((name) => name === role);

/** @throws Fault `not-found` */
export function delegationOf({ delegations }: RawTargets, role: string): RawDelegation {
	const found = delegations?.roles.find(({ name }) => name === role);
	if (found === undefined) throw new Fault('not-found', `role: ${role} is delegated to nobody; see "delegate"`);
	return found;
}

/** Who has to sign the next version of a role. */
export function demandsOf(draft: Draft, role: string): readonly Demand[] {
	const { root, targets } = begun(draft);
	if (!isTopRole(role)) return [{ by: `targets ${targets.version}`, ...delegationOf(targets, role) }];
	const next: Demand = { by: `root ${root.version}`, ...root.roles[role] };
	const { root: published } = draft.published;
	if (role !== 'root' || published === null || published.version === root.version) return [next];
	return [{ by: `root ${published.version}`, ...rawOf<RawRoot>(published.text).signed.roles.root }, next];
}

/** All public keys that metadata names, by id. */
export function keysOf({ published, root, targets }: Draft): Readonly<Record<string, PublicKey>> {
	const before = published.root === null ? {} : rawOf<RawRoot>(published.root.text).signed.keys;
	return { ...before, ...root?.keys, ...targets?.delegations?.keys };
}

/** Number that the next version of a role gets: a staged one is replaced, a published one is followed. */
export const nextVersion = (published: { readonly version: number } | null | undefined): number =>
	(published?.version ?? 0) + 1;
