import type { TargetFile } from '@tufjs/models';

import type { JsonObject } from '../../core/configuration/canonical-json.ts';
import type { TargetsDocument } from './metadata-document.ts';
import { checkSigned, isDoubtful } from './metadata-rules.ts';
import { TrustFault } from './trust-fault.ts';
import type { TrustedSet } from './trusted-state.ts';
import type { UpdateTime } from './trusted-time.ts';

/** A file that is signed for, by the role that may sign for its path. */
export interface TrustedTarget {
	/** e.g. `appliance/gateway-1.4.0-arm64.tar`. */
	readonly path: string;
	/** Bytes. */
	readonly length: number;
	readonly sha256: string;
	/** What its signer says of it; its form is not checked yet. */
	readonly custom: JsonObject;
	/** Name of the role that signed it. */
	readonly role: string;
}

export interface DelegationWalk {
	/**
	 * The target of a path, in the most trusted role that names it; `null`: no role that may sign for this path has it.
	 *
	 * @throws TrustFault when a role that comes before it is not trusted
	 */
	find(path: string): TrustedTarget | null;
	/** All targets whose path begins so, each as `find` gives it; those behind a role that is not trusted are left out. */
	list(prefix: string): readonly TrustedTarget[];
}

const TOP = 'targets';

function targetOf(path: string, role: string, { length, hashes, custom }: TargetFile): TrustedTarget {
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it came out of JSON.parse
	return { path, length, sha256: hashes['sha256'] ?? '', custom: custom as JsonObject, role };
}

/** Looks targets up in a set (TUF 1.0.34, 5.6.7): preorder, by priority, each role only for the paths that are delegated to it. */
export function createDelegationWalk({ targets, roles }: TrustedSet, time: UpdateTime): DelegationWalk {
	const verified = new Set<string>();

	/** A role as one of its delegators may trust it: two of them may name different keys. */
	function visit(delegator: TargetsDocument, from: string, role: string): TargetsDocument {
		const document = roles.get(role) ?? new TrustFault('missing', `${role}: it is not in this set`);
		if (document instanceof TrustFault) throw document;
		if (verified.has(`${from}/${role}`)) return document;
		checkSigned(delegator, role, document);
		isDoubtful(document, time);
		verified.add(`${from}/${role}`);
		return document;
	}

	function find(path: string): TrustedTarget | null {
		const seen = new Set<string>();
		let waiting: { readonly role: string; readonly open: () => TargetsDocument }[] = [
			{ role: TOP, open: () => targets },
		];
		for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
			const { role } = next;
			if (seen.has(role)) continue;
			seen.add(role);
			const document = next.open();
			const { targets: files, delegations } = document.metadata.signed;
			const file = Object.hasOwn(files, path) ? files[path] : undefined;
			if (file !== undefined) return targetOf(path, role, file);
			const children = [...(delegations?.rolesForTarget(path) ?? [])];
			const last = children.findIndex(({ terminating }) => terminating);
			const followed = last < 0 ? children : children.slice(0, last + 1);
			const opened = followed.map((child) => ({
				role: child.role,
				open: () => visit(document, role, child.role),
			}));
			// TUF 5.6.7.2.1: behind a terminating delegation nobody else is asked.
			waiting = last < 0 ? [...opened, ...waiting] : opened;
		}
		return null;
	}

	function findOrNot(path: string): TrustedTarget | null {
		try {
			return find(path);
		} catch (error) {
			if (error instanceof TrustFault) return null;
			throw error;
		}
	}

	return {
		find,
		list(prefix) {
			const documents = [targets, ...roles.values()].filter(
				(one): one is TargetsDocument => !(one instanceof TrustFault),
			);
			const paths = new Set(documents.flatMap((one) => Object.keys(one.metadata.signed.targets)));
			return [...paths]
				.filter((path) => path.startsWith(prefix))
				.map(findOrNot)
				.filter((target) => target !== null);
		},
	};
}
