import { createDraftBook, nameOf } from './draft-book.ts';
import { type Imported, type ImportOptions, ImportFault, NOWHERE } from './imported.ts';
import { neuronPoint } from './neuron-tag.ts';
import { mapsOf, memberOf, type PlacedMap, type PlacedValue, textAt, placeAt } from './placed-value.ts';
import { jsonTree } from './json-tree.ts';

interface GroupedTag {
	readonly map: PlacedMap;
	readonly group: string;
}

/** Attributes as a number, or as a list of words. */
function attributeOf(map: PlacedMap): string {
	const found = memberOf(map, 'attribute');
	if (found?.kind !== 'list') return textAt(map, 'attribute') ?? '';
	return found.items.map((item) => (item.kind === 'scalar' ? String(item.value) : '')).join(',');
}

const tagsOf = (holder: PlacedMap, group: string): readonly GroupedTag[] =>
	mapsOf(memberOf(holder, 'tags')).map((map) => ({ map, group }));

/** Tags of a file: below groups, of nodes or not, or without them. */
function allTags(root: PlacedValue): readonly GroupedTag[] {
	const lists = root.kind === 'map' ? [root] : mapsOf(root);
	return lists.flatMap((holder) => {
		const nodes = mapsOf(memberOf(holder, 'nodes'));
		const groups = [holder].concat(nodes).flatMap((each) => mapsOf(memberOf(each, 'groups')));
		const grouped = groups.flatMap((group) => tagsOf(group, textAt(group, 'group') ?? textAt(group, 'name') ?? ''));
		return tagsOf(holder, textAt(holder, 'group') ?? '').concat(grouped);
	});
}

/** Tags of EMQX Neuron as its REST API and its export have them. Pure. */
export function importNeuron(text: string, options: ImportOptions): Imported {
	const book = createDraftBook();
	const tags = allTags(jsonTree(text));
	const [first] = tags;
	if (first === undefined) throw new ImportFault(NOWHERE, 'must have a list named tags');
	const unitId = options.unitId ?? Number(/^(\d{1,3})!/.exec(textAt(first.map, 'address') ?? '')?.[1] ?? 1);
	for (const { map, group } of tags) {
		const member = (name: string): string => textAt(map, name) ?? '';
		const name = nameOf(member('name'));
		if (name === '') {
			book.mistake(map.place, 'name', 'is required');
			continue;
		}
		const tag = {
			name,
			address: member('address'),
			attribute: attributeOf(map),
			type: member('type'),
			decimal: member('decimal'),
			precision: member('precision'),
			bias: member('bias'),
			description: member('description'),
			group,
		};
		const point = neuronPoint(tag, (field) => placeAt(map, field), unitId, book);
		if (point !== null) book.add(point, map.place);
	}
	return book.close({}, options);
}
