import { type Imported, type ImportOptions, ImportFault, type Place } from './imported.ts';
import { memberOf, plainOf, type PlacedValue } from './placed-value.ts';
import { jsonTree } from './json-tree.ts';

/** The document itself, or an answer that holds it. */
const documentOf = (root: PlacedValue): PlacedValue =>
	memberOf(root, 'points') === undefined ? (memberOf(root, 'document') ?? root) : root;

/** Where the part of this path stands; of one that is not there, where it would be looked for. */
function placeIn(root: PlacedValue, path: string): Place {
	let part = root;
	for (const step of path.split(/[.[\]]+/)) {
		const next = part.kind === 'list' ? part.items[Number(step)] : memberOf(part, step);
		if (next === undefined) break;
		part = next;
	}
	return part.place;
}

/** A template as its file has it, of either sort, also one that changes another. Pure. */
export function importJson(text: string, { manufacturer, model, category }: ImportOptions): Imported {
	const root = documentOf(jsonTree(text));
	const plain = plainOf(root);
	if (root.kind !== 'map' || typeof plain !== 'object' || plain === null)
		throw new ImportFault(root.place, 'must be an object');
	const points = memberOf(root, 'points');
	if (points !== undefined && points.kind !== 'list') throw new ImportFault(points.place, 'points: must be a list');
	return {
		document: {
			...plain,
			...(manufacturer === undefined ? {} : { manufacturer }),
			...(model === undefined ? {} : { model }),
			...(category === undefined ? {} : { category }),
			points: (points?.items ?? []).map((point) => plainOf(point)),
		},
		placeOf: (path) => placeIn(root, path),
		notes: [],
	};
}
