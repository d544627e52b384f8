import { type Imported, type ImportOptions, ImportFault, type Place } from './imported.ts';
import { itemsOf, memberOf, plainOf, type PlacedValue } from './placed-value.ts';
import { jsonTree } from './json-tree.ts';

/** The document itself, or an answer that holds it. */
const documentOf = (root: PlacedValue): PlacedValue =>
	memberOf(root, 'points') === undefined ? (memberOf(root, 'document') ?? root) : root;

/** A template as its file has it, also one that changes another. Pure. */
export function importJson(text: string, { manufacturer, model, category }: ImportOptions): Imported {
	const root = documentOf(jsonTree(text));
	const plain = plainOf(root);
	if (root.kind !== 'map' || typeof plain !== 'object' || plain === null)
		throw new ImportFault(root.place, 'must be an object');
	const points = itemsOf(memberOf(root, 'points'));
	return {
		document: {
			...plain,
			...(manufacturer === undefined ? {} : { manufacturer }),
			...(model === undefined ? {} : { model }),
			...(category === undefined ? {} : { category }),
			points: points.map((point) => plainOf(point)).filter((point) => typeof point === 'object' && point !== null),
		},
		places: points.map((point): Place => point.place),
		notes: [],
	};
}
