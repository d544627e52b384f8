import { isDeepStrictEqual } from 'node:util';

/** A member of the header or of a point that another document has otherwise. */
export interface MemberChange {
	readonly member: string;
	readonly before: unknown;
	readonly after: unknown;
}

/** What a document changes of a template. */
export interface TemplateDiff {
	readonly header: readonly MemberChange[];
	/** Keys of points. */
	readonly added: readonly string[];
	readonly removed: readonly string[];
	readonly changed: readonly { readonly key: string; readonly members: readonly MemberChange[] }[];
}

type Tree = Readonly<Record<string, unknown>>;

/** Members that differ; one that is missing is `null`. */
function changesOf(before: Tree, after: Tree, leftOut: string): readonly MemberChange[] {
	const members = new Set([...Object.keys(before), ...Object.keys(after)]);
	return Array.from(members).flatMap((member) =>
		member === leftOut || isDeepStrictEqual(before[member], after[member])
			? []
			: [{ member, before: before[member] ?? null, after: after[member] ?? null }],
	);
}

/** Points that exclude each other may share a key: each has the number of its turn. */
function byKey(points: readonly Tree[]): ReadonlyMap<string, Tree> {
	const turns = new Map<string, number>();
	return new Map(
		points.map((point) => {
			const key = String(point['key']);
			const turn = (turns.get(key) ?? 0) + 1;
			turns.set(key, turn);
			return [turn === 1 ? key : `${key} (${turn})`, point];
		}),
	);
}

/** What `after` changes of `before`, both written out whole. */
export function templateDiff(
	before: Tree & { readonly points: readonly Tree[] },
	after: Tree & { readonly points: readonly Tree[] },
): TemplateDiff {
	const [old, fresh] = [byKey(before.points), byKey(after.points)];
	return {
		header: changesOf(before, after, 'points'),
		added: [...fresh.keys()].filter((key) => !old.has(key)),
		removed: [...old.keys()].filter((key) => !fresh.has(key)),
		changed: [...fresh].flatMap(([key, point]) => {
			const was = old.get(key);
			const members = was === undefined ? [] : changesOf(was, point, 'key');
			return members.length === 0 ? [] : [{ key, members }];
		}),
	};
}
