import type { Description, ObjectSchema } from 'joi';

import { isTree } from './tree.ts';

/** What a schema knows, as data: which keys may stand where, and which single values the environment can set. */
export interface KnownKeys {
	/** Keys by the path of their parent; list positions are written `*`. */
	readonly under: ReadonlyMap<string, ReadonlySet<string>>;
	/** Paths of all values, lists counted as one value. */
	readonly leaves: readonly (readonly string[])[];
	/** Paths whose value must never be shown. */
	readonly secrets: ReadonlySet<string>;
}

/** The schemas a conditional or a list may lead to. */
function branches(description: Readonly<Record<string, unknown>>): readonly unknown[] {
	const matches = Array.isArray(description['matches']) ? description['matches'] : [];
	return matches.flatMap((match: unknown) => {
		if (!isTree(match)) return [];
		const cases: readonly unknown[] = Array.isArray(match['switch']) ? match['switch'] : [match];
		return cases.map((one) => (isTree(one) ? (one['then'] ?? one['schema']) : undefined));
	});
}

/** Walks a schema's own description, so that names are written once: in the schema. */
export function knownKeysOf(schema: ObjectSchema): KnownKeys {
	const under = new Map<string, Set<string>>();
	const leaves: string[][] = [];
	const secrets = new Set<string>();

	function visit(description: unknown, path: readonly string[], inList: boolean): void {
		if (!isTree(description)) return;
		const here = path.join('.');
		const keys: unknown = description['keys'];
		const items: unknown = description['items'];
		if (isTree(keys)) {
			const known = under.get(here) ?? new Set<string>();
			under.set(here, known);
			for (const [key, child] of Object.entries(keys)) {
				known.add(key);
				visit(child, [...path, key], inList);
			}
			return;
		}
		if (!inList) leaves.push([...path]);
		const metas: readonly unknown[] = Array.isArray(description['metas']) ? description['metas'] : [];
		if (metas.some((meta) => isTree(meta) && meta['secret'] === true)) secrets.add(here);
		if (Array.isArray(items)) for (const item of items) visit(item, [...path, '*'], true);
		if (inList) for (const branch of branches(description)) visit(branch, path, true);
	}

	const described: Description = schema.describe();
	visit(described, [], false);
	return { under, leaves, secrets };
}

/** Number of single-character edits between two words (Levenshtein). */
function distance(a: string, b: string): number {
	let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
	for (let row = 0; row < a.length; row += 1) {
		const current = [row + 1];
		for (let column = 0; column < b.length; column += 1) {
			const replaced = (previous[column] ?? 0) + (a[row] === b[column] ? 0 : 1);
			current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
		}
		previous = current;
	}
	return previous.at(-1) ?? 0;
}

/** The known name that was most likely meant, or `null` when none is near. */
export function nearest(name: string, known: Iterable<string>): string | null {
	// A very long key is no typing mistake, and comparing it would cost.
	if (name.length > 128) return null;
	let best: string | null = null;
	let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
	for (const candidate of known) {
		const edits = distance(name.toLowerCase(), candidate.toLowerCase());
		if (edits < bestDistance) [best, bestDistance] = [candidate, edits];
	}
	return best;
}
