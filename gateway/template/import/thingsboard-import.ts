import type { RegisterType } from '../../../config/template/template.ts';
import { createDraftBook, type DraftBook, keyOf, nameOf } from './draft-book.ts';
import { type DraftPoint, type Imported, type ImportOptions, ImportFault, NOWHERE } from './imported.ts';
import { mapsOf, memberOf, numberAt, type PlacedMap, textAt, placeAt } from './placed-value.ts';
import { orderBytes, swappedOrder, typeNamed, usualCount } from './type-names.ts';
import { jsonTree } from './json-tree.ts';

const LISTS = ['attributes', 'timeseries', 'attributeUpdates', 'rpc'] as const;

const WRITING: ReadonlySet<number> = new Set([5, 6, 15, 16]);

/** Most values of one entry that become points of their own. */
const MAX_BITS = 256;

/** Its converter takes the low byte and the low word first unless it is told BIG. */
const isLittle = (map: PlacedMap, name: string): boolean => (textAt(map, name) ?? 'LITTLE').toUpperCase() !== 'BIG';

type Order = readonly [bytes: boolean, words: boolean];

/** An entry's own order counts before that of the slave. */
const orderOf = (entry: PlacedMap, slave: PlacedMap): Order => [
	isLittle(memberOf(entry, 'byteOrder') === undefined ? slave : entry, 'byteOrder'),
	isLittle(memberOf(entry, 'wordOrder') === undefined ? slave : entry, 'wordOrder'),
];

/** The factor of an entry; 0 is none. Of `divider` and `multiplier` only the first counts where both are given. */
function scaleOf(entry: PlacedMap, book: DraftBook): number {
	const divider = numberAt(entry, 'divider') ?? 0;
	const multiplier = numberAt(entry, 'multiplier') ?? 0;
	if (divider === 0) return multiplier === 0 ? 1 : multiplier;
	if (multiplier !== 0)
		book.warn(
			placeAt(entry, 'multiplier'),
			'multiplier',
			'is left out beside a divider, as by that gateway',
			multiplier,
		);
	return 1 / divider;
}

/** Types whose width is that of the registers they are read from. */
const BY_REGISTERS: Readonly<Record<string, string>> = { long: 'int', double: 'float' };

/** Types that are the bytes as they come, whatever the order. */
const PLAIN: ReadonlySet<RegisterType> = new Set(['string', 'raw', 'bits', 'bit', 'int8h', 'uint8h']);

/** One bit of a register where the entry says which, else all of them. */
function bitsOf(entry: PlacedMap, book: DraftBook): Kind {
	const bit = numberAt(entry, 'bit');
	if (bit !== null) return { type: 'bit', bit, count: 1, byte_order: 'AB' };
	book.warn(
		placeAt(entry, 'type'),
		'type',
		'was read as the bits of one register, the lowest being bit 0',
		textAt(entry, 'type'),
	);
	return { type: 'bits', count: 1, byte_order: 'AB' };
}

type Kind = Pick<DraftPoint, 'type' | 'count' | 'byte_order' | 'bit'>;

function kindOf(entry: PlacedMap, order: Order, book: DraftBook): Kind | null {
	const name = textAt(entry, 'type') ?? '';
	if (/^bits?$/i.test(name)) return bitsOf(entry, book);
	const objects = numberAt(entry, 'objectsCount');
	const own = new Map(Object.entries(BY_REGISTERS)).get(name.toLowerCase()) ?? name;
	const type: RegisterType | null = typeNamed(own, objects ?? 1);
	if (type === null) {
		book.mistake(
			placeAt(entry, 'type'),
			'type',
			'must be a type of this gateway, e.g. 16int, 32uint, 32float, string, bits',
			name,
		);
		return null;
	}
	const isLong = type === 'string' || type === 'raw';
	const count = isLong ? (objects ?? 1) : usualCount(type);
	if (objects !== null && objects !== count)
		book.warn(placeAt(entry, 'objectsCount'), 'objectsCount', `type ${type} takes ${count}, which was taken`, objects);
	const swaps: Order = PLAIN.has(type) ? [false, false] : order;
	return { type, count, byte_order: swappedOrder(orderBytes(type, count), ...swaps) };
}

function addBits(entry: PlacedMap, point: Omit<DraftPoint, 'count' | 'type' | 'byte_order'>, book: DraftBook): void {
	const count = Math.min(MAX_BITS, Math.max(1, numberAt(entry, 'objectsCount') ?? 1));
	for (let index = 0; index < count && !book.isFull(); index += 1) {
		const suffix = count === 1 ? '' : `_${index + 1}`;
		const name = count === 1 ? point.name : `${point.name} ${index + 1}`;
		book.add(
			{
				...point,
				key: `${point.key}${suffix}`,
				name,
				address: point.address + index,
				count: 1,
				type: 'bool',
				byte_order: 'AB',
			},
			entry.place,
		);
	}
}

/** The read function of an entry, and whether the entry writes. */
function tableOf(entry: PlacedMap): { readonly functionCode: 1 | 2 | 3 | 4; readonly isWritten: boolean } | null {
	const code = numberAt(entry, 'functionCode') ?? 3;
	if (WRITING.has(code)) return { functionCode: code === 5 || code === 15 ? 1 : 3, isWritten: true };
	return code === 1 || code === 2 || code === 3 || code === 4 ? { functionCode: code, isWritten: false } : null;
}

const placeName = (functionCode: number, address: number): string => `${functionCode}:${address}`;

/** Table and address of an entry; `null`: one of them is wrong, and is noted. */
function spotIn(
	entry: PlacedMap,
	book: DraftBook,
): { readonly functionCode: 1 | 2 | 3 | 4; readonly isWritten: boolean; readonly address: number } | null {
	const address = numberAt(entry, 'address');
	const table = tableOf(entry);
	if (address === null)
		book.mistake(placeAt(entry, 'address'), 'address', 'must be a number', textAt(entry, 'address'));
	if (table === null)
		book.mistake(
			placeAt(entry, 'functionCode'),
			'functionCode',
			'must be 1 to 6, 15 or 16',
			textAt(entry, 'functionCode'),
		);
	return address === null || table === null ? null : { ...table, address };
}

/** Values that are no numbers to be scaled. */
const UNSCALED: ReadonlySet<RegisterType> = new Set(['string', 'raw', 'bits', 'bit']);

function addEntry(entry: PlacedMap, slave: PlacedMap, writable: ReadonlySet<string>, book: DraftBook): void {
	const tag = textAt(entry, 'tag') ?? '';
	if (tag === '') return book.mistake(entry.place, 'tag', 'is required');
	const spot = spotIn(entry, book);
	if (spot === null) return;
	const { functionCode, address } = spot;
	const isWritable = spot.isWritten || writable.has(placeName(functionCode, address));
	const point = {
		key: keyOf(tag),
		name: nameOf(tag),
		function: functionCode,
		address,
		...(isWritable ? { kind: 'setting' as const, access: 'rw' as const } : {}),
	};
	if (functionCode <= 2) return addBits(entry, point, book);
	const kind = kindOf(entry, orderOf(entry, slave), book);
	if (kind === null) return;
	const scale = UNSCALED.has(kind.type) ? 1 : scaleOf(entry, book);
	book.add({ ...point, ...kind, ...(scale === 1 ? {} : { scale }) }, entry.place);
}

/** Which place an entry is about. */
const placeOfEntry = (entry: PlacedMap): string =>
	placeName(tableOf(entry)?.functionCode ?? 0, numberAt(entry, 'address') ?? -1);

/** Entries that are read, then those that are only written; what is written where something is read makes that writable. */
function addSlave(slave: PlacedMap, book: DraftBook): void {
	const entries = LISTS.flatMap((list) => mapsOf(memberOf(slave, list)));
	const writes = entries.filter((entry) => tableOf(entry)?.isWritten === true);
	const writable = new Set(writes.map(placeOfEntry));
	const seen = new Set<string>();
	for (const entry of [...entries.filter((each) => !writes.includes(each)), ...writes]) {
		const spot = placeOfEntry(entry);
		const name = `${spot} ${textAt(entry, 'type') ?? ''}`;
		if (seen.has(name)) {
			book.warn(
				entry.place,
				'tag',
				'is at the same place as an entry before it, and was left out',
				textAt(entry, 'tag'),
			);
			continue;
		}
		seen.add(name);
		addEntry(entry, slave, writable, book);
	}
}

/** The Modbus connector of the ThingsBoard IoT gateway: its master part. Pure. */
export function importThingsboard(text: string, options: ImportOptions): Imported {
	const book = createDraftBook();
	const root = jsonTree(text);
	const slaves = mapsOf(memberOf(memberOf(root, 'master') ?? root, 'slaves'));
	const wanted = slaves.find((each) => options.unitId === undefined || numberAt(each, 'unitId') === options.unitId);
	if (wanted === undefined) throw new ImportFault(NOWHERE, 'must have master.slaves with a slave of this unit');
	for (const other of slaves) {
		if (other !== wanted)
			book.warn(
				other.place,
				'slaves',
				'is another device, and was left out: a template is for one',
				textAt(other, 'deviceName'),
			);
	}
	addSlave(wanted, book);
	const model = textAt(wanted, 'deviceName');
	return book.close(model === null || model === '' ? {} : { model: nameOf(model) }, options);
}
