import type { RegisterType } from '../../../config/template/template.ts';
import { createDraftBook, type DraftBook, keyOf, nameOf } from './draft-book.ts';
import { type DraftPoint, type Imported, type ImportOptions, ImportFault, NOWHERE } from './imported.ts';
import { mapsOf, memberOf, numberAt, type PlacedMap, type PlacedValue, textAt, placeAt } from './placed-value.ts';
import { functionIn } from './table-values.ts';
import { orderBytes, swappedOrder, typeNamed, usualCount } from './type-names.ts';
import { yamlTree } from './yaml-tree.ts';

/** What is read of a platform: the table it is in unless it says another one, and whether it can be written. */
interface Platform {
	readonly list: string;
	readonly usual: 'holding' | 'coil';
	readonly isBit: boolean;
	readonly access: 'r' | 'rw';
	/** Member that names the table. */
	readonly table: string;
}

const PLATFORMS: readonly Platform[] = [
	{ list: 'sensors', usual: 'holding', isBit: false, access: 'r', table: 'input_type' },
	{ list: 'binary_sensors', usual: 'coil', isBit: true, access: 'r', table: 'input_type' },
	{ list: 'switches', usual: 'holding', isBit: true, access: 'rw', table: 'write_type' },
	{ list: 'lights', usual: 'holding', isBit: true, access: 'rw', table: 'write_type' },
	{ list: 'fans', usual: 'holding', isBit: true, access: 'rw', table: 'write_type' },
	{ list: 'climates', usual: 'holding', isBit: false, access: 'r', table: 'input_type' },
];

/** Platforms whose meaning is more than a register. */
const LEFT_OUT = ['covers'];

/** Structures of one value (Python's `struct`), big-endian. */
const STRUCTURES: Readonly<Record<string, string>> = {
	h: 'int16',
	H: 'uint16',
	e: 'float16',
	i: 'int32',
	l: 'int32',
	I: 'uint32',
	L: 'uint32',
	f: 'float32',
	q: 'int64',
	Q: 'uint64',
	d: 'float64',
};

const SWAPS: ReadonlyMap<string, readonly [bytes: boolean, words: boolean]> = new Map([
	['none', [false, false]],
	['byte', [true, false]],
	['word', [false, true]],
	['word_byte', [true, true]],
]);

const unitOf = (map: PlacedMap): number => numberAt(map, 'slave') ?? numberAt(map, 'device_address') ?? 0;

type Kind = Pick<DraftPoint, 'type' | 'count' | 'byte_order'>;

function typeNameOf(map: PlacedMap): string {
	const name = textAt(map, 'data_type') ?? 'int16';
	if (name !== 'custom') return name;
	return STRUCTURES[/^[>!]([a-zA-Z])$/.exec(textAt(map, 'structure') ?? '')?.[1] ?? ''] ?? 'custom';
}

function kindOf(map: PlacedMap, book: DraftBook): Kind | null {
	const name = typeNameOf(map);
	const count = numberAt(map, 'count');
	const type: RegisterType | null = typeNamed(name, count);
	if (type === null) {
		const field = name === 'custom' ? 'structure' : 'data_type';
		book.mistake(
			placeAt(map, field),
			field,
			'must be a type of one value, e.g. int16, float32, or a structure as ">f"',
			textAt(map, field) ?? name,
		);
		return null;
	}
	const swaps = SWAPS.get(textAt(map, 'swap') ?? 'none');
	if (swaps === undefined) {
		book.mistake(placeAt(map, 'swap'), 'swap', 'must be none, byte, word or word_byte', textAt(map, 'swap'));
		return null;
	}
	const registers = type === 'string' ? (count ?? 1) : usualCount(type);
	return { type, count: registers, byte_order: swappedOrder(orderBytes(type, registers), ...swaps) };
}

const bitKind = (functionCode: number): Kind & { readonly bit?: number } =>
	functionCode <= 2
		? { type: 'bool', count: 1, byte_order: 'AB' }
		: { type: 'bit', bit: 0, count: 1, byte_order: 'AB' };

/** Members of a value that is scaled. */
function scaling(map: PlacedMap, { type }: Kind): Partial<DraftPoint> {
	if (type === 'string' || type === 'bool' || type === 'bit') return {};
	const scale = numberAt(map, 'scale');
	const offset = numberAt(map, 'offset');
	const precision = numberAt(map, 'precision');
	const [min, max] = [numberAt(map, 'min_value'), numberAt(map, 'max_value')];
	return {
		...(scale === null || scale === 1 ? {} : { scale }),
		...(offset === null || offset === 0 ? {} : { offset }),
		...(precision === null ? {} : { precision: Math.min(12, Math.max(0, Math.trunc(precision))) }),
		...(min === null ? {} : { min }),
		...(max === null ? {} : { max }),
	};
}

function describing(map: PlacedMap): Partial<DraftPoint> {
	const unit = textAt(map, 'unit_of_measurement');
	const isCounter = (textAt(map, 'state_class') ?? '').startsWith('total');
	return {
		...(unit === null ? {} : { unit: unit.replace('°C', 'degC').slice(0, 20) }),
		...(isCounter ? { kind: 'counter' as const } : {}),
	};
}

/** The table and the address of an entity; `null`: one of them is wrong, and is noted. */
function spotOf(
	map: PlacedMap,
	{ table, usual }: Platform,
	book: DraftBook,
): { readonly functionCode: 1 | 2 | 3 | 4; readonly address: number } | null {
	const address = numberAt(map, 'address');
	const named = textAt(map, table) ?? usual;
	const functionCode = functionIn(named.replace(/s$/, ''));
	if (address === null) book.mistake(placeAt(map, 'address'), 'address', 'must be a number', textAt(map, 'address'));
	if (functionCode === null)
		book.mistake(placeAt(map, table), table, 'must be holding, input, coil or discrete_input', named);
	return address === null || functionCode === null ? null : { functionCode, address };
}

function addEntity(map: PlacedMap, platform: Platform, book: DraftBook): void {
	const name = nameOf(textAt(map, 'name') ?? '');
	if (name === '') return book.mistake(map.place, 'name', 'is required');
	const spot = spotOf(map, platform, book);
	if (spot === null) return;
	const { functionCode, address } = spot;
	const kind = platform.isBit || functionCode <= 2 ? bitKind(functionCode) : kindOf(map, book);
	if (kind === null) return;
	const isWritable = platform.access === 'rw' && (functionCode === 1 || functionCode === 3);
	const point: DraftPoint = {
		key: keyOf(textAt(map, 'unique_id') ?? name),
		name,
		function: functionCode,
		address,
		...kind,
		...scaling(map, kind),
		...describing(map),
		...(isWritable ? { kind: 'setting', access: 'rw' } : {}),
	};
	book.add(point, map.place);
	addRepeats(map, point, book);
	addSetpoint(map, point, book);
}

/** What a thermostat is set to. */
function addSetpoint(map: PlacedMap, point: DraftPoint, book: DraftBook): void {
	const address = numberAt(map, 'target_temp_register');
	if (address === null) return;
	const { key, name } = point;
	const setting = { function: 3, kind: 'setting', access: 'rw' } as const;
	book.add(
		{ ...point, ...setting, key: `${key}_target`, name: `${name} target`, address },
		placeAt(map, 'target_temp_register'),
	);
}

/** Further values of the same kind behind the first one. */
function addRepeats(map: PlacedMap, point: DraftPoint, book: DraftBook): void {
	const more = numberAt(map, 'virtual_count') ?? numberAt(map, 'slave_count') ?? 0;
	for (let number = 1; number <= Math.min(more, 1000) && !book.isFull(); number += 1) {
		const address = point.address + number * point.count;
		book.add({ ...point, key: `${point.key}_${number + 1}`, name: `${point.name} ${number + 1}`, address }, map.place);
	}
}

const hubsOf = (root: PlacedValue): readonly PlacedMap[] => {
	const list = root.kind === 'list' ? root : memberOf(root, 'modbus');
	if (list?.kind === 'map') return [list];
	return mapsOf(list);
};

/** The `modbus:` section of a Home Assistant configuration. Pure. */
export function importHomeAssistant(text: string, options: ImportOptions): Imported {
	const book = createDraftBook();
	const hubs = hubsOf(yamlTree(text));
	const [hub] = hubs;
	if (hub === undefined) throw new ImportFault(NOWHERE, 'must have a section modbus: with a hub in it');
	for (const other of hubs.slice(1))
		book.warn(other.place, null, 'only the first hub is read: a template is for one device', textAt(other, 'name'));
	const entities = PLATFORMS.flatMap((platform) =>
		mapsOf(memberOf(hub, platform.list)).map((map) => ({ map, platform })),
	);
	const unitId = options.unitId ?? (entities[0] === undefined ? 0 : unitOf(entities[0].map));
	for (const { map, platform } of entities) {
		if (unitOf(map) === unitId) addEntity(map, platform, book);
		else
			book.warn(
				map.place,
				'slave',
				`is of another unit than ${unitId}, and was left out: a template is for one device`,
				unitOf(map),
			);
	}
	for (const list of LEFT_OUT) {
		const found = memberOf(hub, list);
		if (found !== undefined) book.warn(found.place, list, 'is not read: add the registers it uses by hand');
	}
	const model = textAt(hub, 'name');
	return book.close(model === null || model === '' ? {} : { model: nameOf(model) }, options);
}
