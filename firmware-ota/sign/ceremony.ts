import type { JsonObject } from '../../core/configuration/canonical-json.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { Fault, fieldFault } from '../../core/kernel/fault.ts';
import { PATH_PATTERN, ROLE_NAME, TARGET_PATH } from '../trust/metadata-schema.ts';
import { RELEASE_PREFIX, releaseOf } from '../trust/release.ts';
import { begun, delegationOf, isTopRole, nextVersion, readDraft } from './draft-rules.ts';
import type { NamedKey } from './key-file.ts';
import type { RepositoryFolder } from './repository-folder.ts';
import {
	headOf,
	LIFE_DAYS,
	type RawDelegation,
	type RawHead,
	rawOf,
	type RawRole,
	type RawTargets,
	type TopRole,
	unsigned,
	usedKeys,
} from './role-draft.ts';
import { readRole } from './signatures.ts';

/** Keys of a role and how many of them it needs. */
export interface RolePlan {
	readonly keys: readonly NamedKey[];
	readonly threshold: number;
}

export interface CeremonyDeps {
	readonly repository: RepositoryFolder;
	readonly clock: Clock;
}

/** Changes of what people sign. Each makes the next version of a role, without a signature, in the place of a staged one. */
export interface Ceremony {
	/** First root and first targets. @throws Fault `duplicate` where a repository is */
	init(roles: Readonly<Record<TopRole, RolePlan>>, days?: number): Promise<readonly string[]>;
	/** Other keys for a top-level role; what they have signed is staged anew with it. */
	rotate(change: Rotation): Promise<readonly string[]>;
	/** A new delegation, or other keys or paths for one that is there. */
	delegate(delegation: DelegationPlan): Promise<readonly string[]>;
	/** Takes a delegation back. */
	undelegate(role: string): Promise<readonly string[]>;
	addTarget(target: TargetPlan): Promise<readonly string[]>;
	removeTarget(role: string, path: string): Promise<readonly string[]>;
	/** The same content with a new time. */
	renew(role: string, days?: number): Promise<readonly string[]>;
}

export interface Rotation {
	readonly role: TopRole;
	readonly add: readonly NamedKey[];
	/** Key ids, or beginnings of them that only one has. */
	readonly remove: readonly string[];
	/** `null`: as before. */
	readonly threshold: number | null;
}

export interface DelegationPlan extends RolePlan {
	readonly name: string;
	readonly paths: readonly string[];
	readonly terminating: boolean;
}

export interface TargetPlan {
	readonly role: string;
	readonly path: string;
	/** Where its bytes are now. */
	readonly file: string;
	readonly custom: JsonObject | null;
}

function roleOf(role: string, keyids: readonly string[], threshold: number): RawRole {
	if (threshold < 1 || threshold > keyids.length)
		throw fieldFault(
			'rule-violation',
			'threshold',
			`${role} has ${keyids.length} keys, so ${threshold} is not possible`,
		);
	return { keyids, threshold };
}

const idsOf = ({ keys }: RolePlan): readonly string[] => [...new Set(keys.map(({ key_id }) => key_id))];

const publicKeys = (keys: readonly NamedKey[]) => Object.fromEntries(keys.map(({ key_id, key }) => [key_id, key]));

/** The one key that begins so. */
function wholeId(keyids: readonly string[], beginning: string): string {
	const found = keyids.filter((keyId) => keyId.startsWith(beginning));
	if (found.length !== 1 || beginning.length < 8)
		throw fieldFault('not-found', 'remove-key', `${beginning} is not the beginning of one key id of this role`);
	return found[0] ?? beginning;
}

export function createCeremony({ repository, clock }: CeremonyDeps): Ceremony {
	/** @throws TrustFault `malformed`: what clients would not read is not staged */
	async function stage(role: string, signed: RawHead): Promise<string> {
		const text = unsigned(signed);
		readRole(role, text);
		await repository.stage(role, text);
		return role;
	}

	const remember = (keys: readonly NamedKey[]): Promise<void> =>
		repository.addNames(Object.fromEntries(keys.map(({ key_id, name }) => [key_id, name])));

	async function stageTargets(change: (before: RawTargets) => Partial<RawTargets>, days?: number): Promise<string> {
		const draft = await readDraft(repository);
		const { targets } = begun(draft);
		const version = nextVersion(draft.published.targets);
		return stage('targets', { ...targets, ...change(targets), ...headOf('targets', version, clock.now(), days) });
	}

	/** The next version of a role that targets are in, the top-level one too. */
	async function stageRole(
		role: string,
		change: (before: RawTargets) => Partial<RawTargets>,
		days?: number,
	): Promise<string> {
		if (role === 'targets') return stageTargets(change, days);
		const draft = await readDraft(repository);
		delegationOf(begun(draft).targets, role);
		const published = draft.published.roles.get(role);
		const text = draft.staged.get(role) ?? published?.text;
		const head = headOf('targets', nextVersion(published), clock.now(), days);
		const before: RawTargets = text === undefined ? { ...head, targets: {} } : rawOf<RawTargets>(text).signed;
		return stage(role, { ...before, ...change(before), ...head });
	}

	async function renewRoot(days?: number): Promise<string> {
		const draft = await readDraft(repository);
		return stage('root', {
			...begun(draft).root,
			...headOf('root', nextVersion(draft.published.root), clock.now(), days),
		});
	}

	return {
		async init(plans, days = LIFE_DAYS.root) {
			const { root } = await readDraft(repository);
			if (root !== null) throw new Fault('duplicate', `${repository.path} holds a repository already`);
			const roles = {
				root: roleOf('root', idsOf(plans.root), plans.root.threshold),
				targets: roleOf('targets', idsOf(plans.targets), plans.targets.threshold),
				snapshot: roleOf('snapshot', idsOf(plans.snapshot), plans.snapshot.threshold),
				timestamp: roleOf('timestamp', idsOf(plans.timestamp), plans.timestamp.threshold),
			};
			const keys = Object.values(plans).flatMap((plan) => plan.keys);
			const now = clock.now();
			const signed = { ...headOf('root', 1, now, days), consistent_snapshot: true, keys: publicKeys(keys), roles };
			await remember(keys);
			return [
				await stage('root', signed),
				await stage('targets', { ...headOf('targets', 1, now), targets: {} } as RawHead),
			];
		},
		async rotate({ role, add, remove, threshold }) {
			const draft = await readDraft(repository);
			const { root } = begun(draft);
			const { keyids, threshold: before } = root.roles[role];
			const gone = new Set(remove.map((beginning) => wholeId(keyids, beginning)));
			const next = [...new Set([...keyids.filter((keyId) => !gone.has(keyId)), ...add.map(({ key_id }) => key_id)])];
			const roles = { ...root.roles, [role]: roleOf(role, next, threshold ?? before) };
			const keys = usedKeys({ ...root.keys, ...publicKeys(add) }, Object.values(roles));
			await remember(add);
			const head = headOf('root', nextVersion(draft.published.root), clock.now());
			const staged = [await stage('root', { ...root, ...head, keys, roles } as RawHead)];
			// What the old keys have signed is nothing under the new root.
			if (role === 'targets') staged.push(await stageTargets(() => ({})));
			return staged;
		},
		async delegate({ name, keys, threshold, paths, terminating }) {
			if (isTopRole(name) || !ROLE_NAME.test(name))
				throw fieldFault('rule-violation', 'role', `"${name}" is not a name for a delegated role`);
			const wrong = paths.find((path) => !PATH_PATTERN.test(path));
			if (wrong !== undefined || paths.length === 0)
				throw fieldFault(
					'rule-violation',
					'path',
					`"${wrong ?? ''}" is not a relative path with * and ? within its parts`,
				);
			const plan: RawDelegation = { ...roleOf(name, idsOf({ keys, threshold }), threshold), name, paths, terminating };
			await remember(keys);
			const targets = await stageTargets(({ delegations }) => {
				const others = (delegations?.roles ?? []).filter((one) => one.name !== name);
				const roles = [...others, plan];
				return { delegations: { keys: usedKeys({ ...delegations?.keys, ...publicKeys(keys) }, roles), roles } };
			});
			return [targets, await stageRole(name, () => ({}))];
		},
		async undelegate(role) {
			delegationOf(begun(await readDraft(repository)).targets, role);
			await repository.unstage(role);
			return [
				await stageTargets(({ delegations }) => {
					const roles = (delegations?.roles ?? []).filter(({ name }) => name !== role);
					return { delegations: { keys: usedKeys(delegations?.keys ?? {}, roles), roles } };
				}),
			];
		},
		async addTarget({ role, path, file, custom }) {
			if (!TARGET_PATH.test(path)) throw fieldFault('rule-violation', 'path', `"${path}" is not a path for a target`);
			// Every appliance would pass over a release that does not say what it is for.
			if (path.startsWith(RELEASE_PREFIX)) releaseOf({ path, length: 0, sha256: '', role, custom: custom ?? {} });
			const { length, sha256 } = await repository.addTargetFile(path, file);
			const entry = { length, hashes: { sha256 }, ...(custom === null ? {} : { custom }) };
			return [await stageRole(role, ({ targets }) => ({ targets: { ...targets, [path]: entry } }))];
		},
		async removeTarget(role, path) {
			return [
				await stageRole(role, ({ targets }) => {
					if (!Object.hasOwn(targets, path)) throw new Fault('not-found', `path: ${path} is not a target of ${role}`);
					return { targets: Object.fromEntries(Object.entries(targets).filter(([one]) => one !== path)) };
				}),
			];
		},
		renew: async (role, days) => [role === 'root' ? await renewRoot(days) : await stageRole(role, () => ({}), days)],
	};
}
