import { sunspecFields } from '../../sunspec/sunspec-fields.ts';
import {
	HEADER_REGISTERS,
	type SunspecGroup,
	type SunspecModel,
	type SunspecPoint,
	type SunspecSymbol,
} from '../../sunspec/sunspec-model.ts';
import { sunspecPoint } from '../../sunspec/sunspec-point.ts';
import { createDraftBook, type DraftBook, nameOf } from './draft-book.ts';
import { type Imported, type ImportOptions, ImportFault, NOWHERE } from './imported.ts';
import { mapsOf, memberOf, numberAt, type PlacedMap, type PlacedValue, textAt } from './placed-value.ts';
import { jsonTree } from './json-tree.ts';

/** More than any definition has. */
const MAX_REGISTERS = 10_000;

const isSize = (size: number): boolean => Number.isInteger(size) && size > 0 && size < 1000;

const symbolsOf = (map: PlacedMap): readonly SunspecSymbol[] =>
	mapsOf(memberOf(map, 'symbols')).flatMap((symbol) => {
		const [name, value] = [textAt(symbol, 'name'), numberAt(symbol, 'value')];
		return name === null || value === null ? [] : [{ name, value }];
	});

function toPoint(map: PlacedMap, book: DraftBook): SunspecPoint | null {
	const [name, type, size] = [textAt(map, 'name'), textAt(map, 'type'), numberAt(map, 'size')];
	if (name === null || type === null || size === null || !isSize(size)) {
		book.mistake(map.place, 'points', 'a point has a name, a type and a size in registers');
		return null;
	}
	const [label, units, access] = [textAt(map, 'label'), textAt(map, 'units'), textAt(map, 'access')];
	const sf = numberAt(map, 'sf') ?? textAt(map, 'sf');
	const symbols = symbolsOf(map);
	return {
		name,
		type,
		size,
		...(label === null ? {} : { label }),
		...(units === null ? {} : { units }),
		...(sf === null ? {} : { sf }),
		...(access === 'RW' ? { access } : {}),
		...(textAt(map, 'static') === 'S' ? { static: 'S' } : {}),
		...(symbols.length === 0 ? {} : { symbols }),
	};
}

/** A group of a definition; one that repeats as often as the device says is left out, since only the device knows. */
function toGroup(map: PlacedMap, book: DraftBook): SunspecGroup {
	const [name, label] = [textAt(map, 'name') ?? 'group', textAt(map, 'label')];
	const groups = mapsOf(memberOf(map, 'groups')).flatMap((group) => {
		const count = textAt(group, 'count');
		if (count === null || Number(count) > 0) return [toGroup(group, book)];
		book.warn(
			group.place,
			'count',
			'repeats as often as the device says, and was left out: discovery of the device finds it',
			textAt(group, 'name'),
		);
		return [];
	});
	const count = numberAt(map, 'count');
	return {
		name,
		points: mapsOf(memberOf(map, 'points')).flatMap((point) => toPoint(point, book) ?? []),
		groups,
		...(label === null ? {} : { label }),
		...(count === null ? {} : { count: Math.min(1000, Math.trunc(count)) }),
	};
}

/** Registers of a group with all of its repeats. */
function sizeOf({ points = [], groups = [], count }: SunspecGroup): number {
	const once = points.reduce((sum, { size }) => sum + size, 0) + groups.reduce((sum, group) => sum + sizeOf(group), 0);
	return once * (typeof count === 'number' ? count : 1);
}

function toModel(map: PlacedMap, book: DraftBook): SunspecModel {
	const group = memberOf(map, 'group');
	const id = numberAt(map, 'id');
	if (id === null || group?.kind !== 'map') throw new ImportFault(map.place, 'a model has an id and a group');
	return { id, group: toGroup(group, book) };
}

const modelMaps = (root: PlacedValue): readonly PlacedMap[] => (root.kind === 'map' ? [root] : mapsOf(root));

/**
 * Definitions of SunSpec models as the SunSpec Alliance publishes them: one, or a list of them as they follow each other in the device.
 * Their addresses count from `sunspecAddress`, where the first begins. Pure.
 */
export function importSunspec(text: string, options: ImportOptions): Imported {
	const book = createDraftBook();
	const maps = modelMaps(jsonTree(text));
	if (maps.length === 0) throw new ImportFault(NOWHERE, 'must be a model definition, or a list of them');
	let address = options.sunspecAddress;
	for (const map of maps) {
		if (book.isFull()) break;
		const model = toModel(map, book);
		const registers = sizeOf(model.group);
		if (registers > MAX_REGISTERS)
			throw new ImportFault(map.place, `a model has at most ${MAX_REGISTERS} registers`, String(registers));
		const place = { id: model.id, address, length: Math.max(0, registers - HEADER_REGISTERS), words: null };
		for (const field of sunspecFields(model, place)) {
			const point = sunspecPoint(field, `m${model.id}`, '');
			if (point === null) continue;
			book.add({ ...point, group: book.group(`m${model.id}`) }, map.place);
		}
		address += registers;
	}
	book.warn(
		NOWHERE,
		'address',
		`the first model was put at address ${options.sunspecAddress}; where it is in a device depends on the models before it`,
	);
	const [first] = maps;
	const label = textAt(memberOf(first, 'group'), 'label');
	return book.close(
		{
			manufacturer: 'SunSpec',
			...(label === null ? {} : { model: nameOf(label) }),
			category: 'SunSpec device',
			verification: 'one source',
		},
		options,
	);
}
