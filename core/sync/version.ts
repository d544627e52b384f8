/**
 * Which changes a record has seen: for each box that ever changed it, the number of the last of its changes. Numbers are Lamport's: a
 * change gets one more than the largest its author has seen, so that no clock has a say. At most `MAX_WRITERS` entries.
 */
export type Version = Readonly<Record<string, number>>;

/** Of a record that nobody has changed yet. */
export const NO_VERSION: Version = {};

/** Boxes that are remembered for one record: its gateway, its hub, and those it hung on before. */
export const MAX_WRITERS = 8;

/** More changes than a record can have seen: one that names more would leave no number for the next. */
export const MAX_VERSION_NUMBER = 2 ** 40;

/** The larger number counts; of equal ones that of the larger id, which is the same on every box. */
interface Stamp {
	readonly number: number;
	readonly writer: string;
}

function stampOf(version: Version): Stamp {
	let newest: Stamp = { number: 0, writer: '' };
	for (const [writer, number] of Object.entries(version))
		if (number > newest.number || (number === newest.number && writer > newest.writer)) newest = { number, writer };
	return newest;
}

/** The newest entries; the oldest writers are forgotten first. */
function trimmed(version: Version): Version {
	const entries = Object.entries(version);
	if (entries.length <= MAX_WRITERS) return version;
	return Object.fromEntries(
		entries.toSorted(([one, first], [other, second]) => second - first || (one < other ? 1 : -1)).slice(0, MAX_WRITERS),
	);
}

/** The version of a record after a change at this box. */
export const nextVersion = (version: Version, writer: string): Version =>
	trimmed({ ...version, [writer]: stampOf(version).number + 1 });

/** The version of a record of before there were versions. @param revision how often its box has changed it */
export const firstVersion = (writer: string, revision: number): Version => ({ [writer]: revision });

/** Has seen all that either has seen. */
export const joinVersions = (one: Version, other: Version): Version => {
	const joined: Record<string, number> = { ...one };
	for (const [writer, number] of Object.entries(other)) joined[writer] = Math.max(number, joined[writer] ?? 0);
	return trimmed(joined);
};

/** Counts up with each change and with each merge that brings something new: what an ETag names. */
export const revisionOf = (version: Version): number => Object.values(version).reduce((sum, number) => sum + number, 0);

const hasSeen = (version: Version, other: Version): boolean =>
	Object.entries(other).every(([writer, number]) => (version[writer] ?? 0) >= number);

/** Both were changed, and neither knew of the other's change. */
export const areConcurrent = (one: Version, other: Version): boolean => !hasSeen(one, other) && !hasSeen(other, one);

/** The same text for the same content, in whatever order its keys were put in. */
export function canonicalText(value: unknown): string {
	return JSON.stringify(value, (_key, inner: unknown) =>
		typeof inner === 'object' && inner !== null && !Array.isArray(inner)
			? Object.fromEntries(Object.entries(inner).toSorted(([one], [other]) => (one < other ? -1 : 1)))
			: inner,
	);
}

/**
 * Whether the state under `theirs` takes the place of the one under `mine`. A change that has seen the other always counts more than it; of
 * two that have not, the same one counts on every box. Equal versions have equal contents, unless a box was restored from a backup and
 * has counted the same number twice: then the larger text counts.
 */
export function isOverruled(
	mine: Version,
	theirs: Version,
	contents: () => { readonly mine: unknown; readonly theirs: unknown },
): boolean {
	const [own, other] = [stampOf(mine), stampOf(theirs)];
	if (own.number !== other.number) return other.number > own.number;
	if (own.writer !== other.writer) return other.writer > own.writer;
	const { mine: ours, theirs: foreign } = contents();
	return canonicalText(foreign) > canonicalText(ours);
}
