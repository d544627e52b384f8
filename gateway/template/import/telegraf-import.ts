import { factsOfType } from '../../../config/template/register-types.ts';
import type { RegisterType } from '../../../config/template/template.ts';
import { createDraftBook, type DraftBook, keyOf, nameOf } from './draft-book.ts';
import { type Imported, type ImportOptions, ImportFault, NOWHERE } from './imported.ts';
import {
	itemsOf,
	mapsOf,
	memberOf,
	numberAt,
	type PlacedMap,
	type PlacedValue,
	textAt,
	placeAt,
} from './placed-value.ts';
import { tomlTree } from './toml-tree.ts';
import { functionIn } from './table-values.ts';
import { swappedOrder, typeNamed, usualCount, widened } from './type-names.ts';

/** Lists of the register style, and the function that reads them. */
const LISTS = { coils: 1, discrete_inputs: 2, holding_registers: 3, input_registers: 4 } as const;

/** Types of the register style that are integers of as many registers as they have addresses. */
const FIXED: Readonly<Record<string, string>> = { FIXED: 'int', UFIXED: 'uint', FLOAT32: 'uint' };

interface Field {
	readonly map: PlacedMap;
	readonly functionCode: 1 | 2 | 3 | 4;
	readonly address: number;
	/** Registers by the list of addresses; `null`: the type says it. */
	readonly count: number | null;
	readonly typeName: string;
	readonly order: string;
}

const named = (map: PlacedMap): string => textAt(map, 'name') ?? '';

function kindOf(
	{ map, count, typeName, order }: Field,
	book: DraftBook,
): { readonly type: RegisterType; readonly count: number; readonly byte_order: string } | null {
	const type = typeNamed(typeName, count);
	const place = memberOf(map, 'data_type')?.place ?? placeAt(map, 'type');
	if (type === null) {
		book.mistake(place, 'type', 'must be a type of this style, e.g. INT16, UINT32, FLOAT32, STRING', typeName);
		return null;
	}
	const registers = count ?? numberAt(map, 'length') ?? usualCount(type);
	const bytes = factsOfType(type).order === 'number' ? 2 * usualCount(type) : 2;
	const byte_order = order === '' ? swappedOrder(bytes, false, false) : widened(order, bytes);
	if (byte_order === null) {
		book.mistake(placeAt(map, 'byte_order'), 'byte_order', 'must be AB, BA, ABCD, DCBA, BADC or CDAB', order);
		return null;
	}
	return { type, count: registers, byte_order };
}

function addField(field: Field, book: DraftBook): void {
	const { map, functionCode, address } = field;
	const name = nameOf(named(map));
	const isBits = functionCode <= 2;
	const kind = isBits ? ({ type: 'bool', count: 1, byte_order: 'AB' } as const) : kindOf(field, book);
	if (kind === null) return;
	if (name === '') {
		book.mistake(map.place, 'name', 'is required');
		return;
	}
	const scale = numberAt(map, 'scale');
	const bit = kind.type === 'bit' ? (numberAt(map, 'bit') ?? 0) : null;
	book.add(
		{
			key: keyOf(name),
			name,
			function: functionCode,
			address,
			...kind,
			...(scale === null || scale === 1 || isBits ? {} : { scale }),
			...(bit === null ? {} : { bit }),
		},
		map.place,
	);
}

function addressesOf(map: PlacedMap): readonly number[] {
	const found = memberOf(map, 'address');
	const items = found?.kind === 'list' ? found.items : [];
	return items.flatMap((item) => (item.kind === 'scalar' && typeof item.value === 'number' ? [item.value] : []));
}

function addListed(map: PlacedMap, functionCode: 1 | 2 | 3 | 4, book: DraftBook): void {
	const addresses = addressesOf(map);
	const [address] = addresses;
	const place = placeAt(map, 'address');
	if (address === undefined)
		return book.mistake(place, 'address', 'must be a list of addresses, e.g. [5, 6]', textAt(map, 'address'));
	if (addresses.some((each, index) => each !== address + index))
		return book.mistake(place, 'address', 'must be addresses one after the other', addresses.join(', '));
	const dataType = (textAt(map, 'data_type') ?? 'UINT16').toUpperCase();
	const typeName = (Object.hasOwn(FIXED, dataType) ? FIXED[dataType] : undefined) ?? dataType;
	const order = textAt(map, 'byte_order') ?? '';
	addField({ map, functionCode, address, count: addresses.length, typeName, order }, book);
}

/** `coils = [{ name, address = [0] }]` and the like. */
function addRegisterStyle(plugin: PlacedMap, book: DraftBook): void {
	for (const [list, functionCode] of Object.entries(LISTS))
		for (const map of mapsOf(memberOf(plugin, list))) addListed(map, functionCode, book);
}

const isLeftOut = (map: PlacedMap): boolean => {
	const omit = memberOf(map, 'omit');
	return omit?.kind === 'scalar' && omit.value === true;
};

function addRequested(map: PlacedMap, request: PlacedMap, book: DraftBook): void {
	const register = textAt(map, 'register') ?? textAt(request, 'register') ?? 'holding';
	const functionCode = functionIn(register);
	const address = numberAt(map, 'address');
	if (functionCode === null)
		return book.mistake(placeAt(request, 'register'), 'register', 'must be coil, discrete, holding or input', register);
	if (address === null)
		return book.mistake(placeAt(map, 'address'), 'address', 'must be a number', textAt(map, 'address'));
	const typeName = textAt(map, 'type') ?? 'UINT16';
	addField({ map, functionCode, address, count: null, typeName, order: textAt(request, 'byte_order') ?? 'ABCD' }, book);
}

/** `[[inputs.modbus.request]]`, of which each is for one table, and `[[inputs.modbus.metric]]`, whose fields say it themselves. */
function addRequests(requests: readonly PlacedMap[], unitId: number, book: DraftBook): void {
	for (const request of requests) {
		const unit = numberAt(request, 'slave_id') ?? 0;
		const rule = `is of another unit than ${unitId}, and was left out: a template is for one device`;
		if (unit !== unitId) book.warn(request.place, 'slave_id', rule, unit);
		else for (const map of mapsOf(memberOf(request, 'fields'))) if (!isLeftOut(map)) addRequested(map, request, book);
	}
}

const pluginsOf = (root: PlacedValue): readonly PlacedMap[] => {
	const modbus = memberOf(memberOf(root, 'inputs'), 'modbus');
	return modbus?.kind === 'map' ? [modbus] : itemsOf(modbus).filter((item) => item.kind === 'map');
};

/** The Modbus input of a Telegraf configuration, in its register, request or metric style. Pure. */
export function importTelegraf(text: string, options: ImportOptions): Imported {
	const book = createDraftBook();
	const plugins = pluginsOf(tomlTree(text));
	const [plugin] = plugins;
	if (plugin === undefined) throw new ImportFault(NOWHERE, 'must have a section [[inputs.modbus]]');
	for (const other of plugins.slice(1))
		book.warn(
			other.place,
			null,
			'only the first [[inputs.modbus]] is read: a template is for one device',
			textAt(other, 'name'),
		);
	const requests = [...mapsOf(memberOf(plugin, 'request')), ...mapsOf(memberOf(plugin, 'metric'))];
	const unitId =
		options.unitId ??
		(requests[0] === undefined ? numberAt(plugin, 'slave_id') : numberAt(requests[0], 'slave_id')) ??
		0;
	addRegisterStyle(plugin, book);
	addRequests(requests, unitId, book);
	const model = textAt(plugin, 'name');
	return book.close(model === null || model === '' ? {} : { model: nameOf(model) }, options);
}
