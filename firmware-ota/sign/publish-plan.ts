import { Fault, messageOf } from '../../core/kernel/fault.ts';
import { readRoot, readTargets, type RootDocument, type TargetsDocument } from '../trust/metadata-document.ts';
import { checkNextRoot, checkOwnRoot, checkSigned } from '../trust/metadata-rules.ts';
import { TrustFault } from '../trust/trust-fault.ts';
import type { Draft } from './draft-rules.ts';

/** What people have signed, as it goes out together. */
export interface PublishPlan {
	readonly root: RootDocument;
	readonly targets: TargetsDocument;
	readonly roles: ReadonlyMap<string, TargetsDocument>;
	/** What does not go out yet, and why; it may still be signed. */
	readonly waiting: readonly string[];
}

/** @throws TrustFault `rollback` for a draft that was made before another one went out */
function checkFollows(
	name: string,
	next: { readonly version: number },
	before: { readonly version: number } | null,
): void {
	if (next.version !== (before?.version ?? 0) + 1)
		throw new TrustFault('rollback', `${name}: version ${next.version} does not follow ${before?.version ?? 0}`);
}

/** The first that passes; why not, for the others. */
function firstOf<T>(tries: readonly (() => T)[], waiting: string[]): T | null {
	for (const attempt of tries)
		try {
			return attempt();
		} catch (error) {
			if (!(error instanceof Fault)) throw error;
			waiting.push(messageOf(error));
		}
	return null;
}

/** A function that gives what there is, or no function. */
const perhaps = <T>(value: T | null | undefined, use: (value: T) => T): readonly (() => T)[] =>
	value === null || value === undefined ? [] : [() => use(value)];

function rolesUnder(
	targets: TargetsDocument,
	{ staged, published }: Draft,
	waiting: string[],
): ReadonlyMap<string, TargetsDocument> {
	const roles = new Map<string, TargetsDocument>();
	for (const name of Object.keys(targets.metadata.signed.delegations?.roles ?? {})) {
		const before = published.roles.get(name) ?? null;
		const text = staged.get(name);
		const isSigned = (document: TargetsDocument): TargetsDocument => {
			checkSigned(targets, name, document);
			return document;
		};
		const next = (): TargetsDocument => {
			const document = isSigned(readTargets(`${name}.json`, text ?? ''));
			checkFollows(name, document, before);
			return document;
		};
		const found = firstOf([...(text === undefined ? [] : [next]), ...perhaps(before, isSigned)], waiting);
		if (found !== null) roles.set(name, found);
		// A role that clients have would be lost to them.
		else if (before !== null)
			throw new Fault('state-conflict', `targets.json waits until ${name} is signed by its new keys`);
	}
	return roles;
}

/**
 * Chooses the newest of everything that holds together: a root whose keys have signed the targets, targets whose keys have signed the roles. What is not signed
 * enough stays behind, and so does what would leave something published without its keys.
 *
 * @throws Fault `state-conflict` when nothing holds together: before the first root and targets are signed
 */
export function planPublish(draft: Draft): PublishPlan {
	const { staged, published } = draft;
	const waiting: string[] = [];

	function nextRoot(): RootDocument {
		const next = readRoot('root.json', staged.get('root') ?? '');
		if (published.root === null) checkOwnRoot(next);
		else checkNextRoot(published.root, next);
		return next;
	}

	function nextTargets(): TargetsDocument {
		const next = readTargets('targets.json', staged.get('targets') ?? '');
		checkFollows('targets.json', next, published.targets);
		return next;
	}

	const roots = [...(staged.has('root') ? [nextRoot] : []), ...perhaps(published.root, (root) => root)];
	const documents = [...(staged.has('targets') ? [nextTargets] : []), ...perhaps(published.targets, (one) => one)];
	const plan = firstOf(
		roots.flatMap((makeRoot) =>
			documents.map((makeTargets) => (): PublishPlan => {
				const [root, targets] = [makeRoot(), makeTargets()];
				checkSigned(root, 'targets', targets);
				return { root, targets, roles: rolesUnder(targets, draft, waiting), waiting: [] };
			}),
		),
		waiting,
	);
	if (plan === null)
		throw new Fault('state-conflict', `nothing can be published: ${waiting[0] ?? 'begin with "init"'}`);
	return { ...plan, waiting: [...new Set(waiting)] };
}
