import type { NotedAddress } from '../../../config/template/address-notation.ts';
import type { RegisterType } from '../../../config/template/template.ts';
import type { DraftBook } from './draft-book.ts';
import { keyOf, nameOf } from './draft-book.ts';
import type { DraftPoint, ImportOptions, Place } from './imported.ts';
import { type Counting, wireAddress } from './table-address.ts';
import type { Column, ForeignColumn } from './table-columns.ts';
import { accessIn, cellText, functionIn, numberIn, textsIn, wholeIn } from './table-values.ts';
import { orderNamed, swappedOrder, orderBytes, typeNamed, usualCount } from './type-names.ts';

/** The cells of one row, by column; '' where there is none. */
export interface CellReader {
	text(column: Column | ForeignColumn): string;
	place(column: Column | ForeignColumn): Place;
	has(column: Column | ForeignColumn): boolean;
	readonly line: Place;
}

/** Reads one kind of cell; `undefined`: it is empty, or was wrong and is noted. */
function createCells(row: CellReader, book: DraftBook) {
	function read<T>(column: Column | ForeignColumn, parse: (text: string) => T | null, rule: string): T | undefined {
		const text = row.text(column);
		if (text === '') return undefined;
		const value = parse(text);
		if (value === null) book.mistake(row.place(column), column, rule, text);
		return value ?? undefined;
	}

	function number(column: Column | ForeignColumn): number | undefined {
		const found = read(column, numberIn, 'must be a number, e.g. 0.1');
		if (found?.isAmbiguous === true)
			book.warn(
				row.place(column),
				column,
				`was read as ${found.value}: the comma is a decimal comma`,
				row.text(column),
			);
		return found?.value;
	}

	const json = (column: Column): unknown => read(column, jsonIn, 'must be JSON');

	return {
		read,
		number,
		json,
		text: (column: Column): string | undefined => (row.text(column) === '' ? undefined : cellText(row.text(column))),
		whole: (column: Column) => read(column, wholeIn, 'must be a whole number'),
		truth: (column: Column) =>
			read(
				column,
				(text) => (/^(?:true|1|yes)$/i.test(text) ? [true] : /^(?:false|0|no)$/i.test(text) ? [false] : null),
				'must be true or false',
			)?.[0],
	};
}

type Cells = ReturnType<typeof createCells>;

/** Values beside their key, those without one left out. */
const given = (members: Readonly<Record<string, unknown>>): object =>
	Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

/** `string[16]`, `char(20)`: characters, two in a register. */
const LENGTH = /[[(](\d{1,3})[\])]\s*$/;
/** `uint32 CDAB`, `float_DCBA` */
const ORDER = /(?<![\s_-])[\s_-]+((?:AB|BA)|[ABCD]{4}|[A-H]{8})\s*$/;

interface Kind {
	readonly type: RegisterType;
	readonly count: number;
	readonly order: string;
}

/** The type that a cell names, without its length and order; `null`: none that is known. */
function registerType(name: string, hasBit: boolean, count: number | null): RegisterType | null {
	if (/^(?:bit|bool|boolean)$/i.test(name) || (name === '' && hasBit)) return 'bit';
	return typeNamed(name === '' ? 'uint' : name, count);
}

/** Registers by their column, or by the length behind the type; `null`: neither says it. */
function countOf(cells: Cells, written: string): number | null {
	const length = LENGTH.exec(written)?.[1];
	return cells.whole('count') ?? (length === undefined ? null : Math.ceil(Number(length) / 2));
}

/** What a cell of types says: the type, how long, in which order. */
function kindOf(row: CellReader, cells: Cells, book: DraftBook, isBits: boolean): Kind | null {
	const written = row.text('type');
	const name = written.replace(LENGTH, '').replace(ORDER, '');
	const own = countOf(cells, written);
	if (isBits && (name === '' || /bit|bool|coil|discrete/i.test(name)))
		return { type: 'bool', count: own ?? 1, order: 'AB' };
	const type = registerType(name, row.text('bit') !== '', own);
	if (type === null) {
		book.mistake(row.place('type'), 'type', 'must be a type of a register, e.g. uint16, float32, string', written);
		return null;
	}
	if (written === '' && type !== 'bit') book.warn(row.line, 'type', `no type is given: it was read as ${type}`);
	const count = own ?? usualCount(type);
	const order = orderOf(row, type, count, ORDER.exec(written)?.[1]);
	if (order !== null) return { type, count, order };
	const rule = 'must be an order as AB, CDAB, or big, little, word swap';
	book.mistake(row.place('byte_order'), 'byte_order', rule, row.text('byte_order'));
	return null;
}

function orderOf(row: CellReader, type: RegisterType, count: number, suffix: string | undefined): string | null {
	const written = row.text('byte_order');
	if (written !== '') return orderNamed(written, type, count);
	return suffix ?? swappedOrder(orderBytes(type, count), false, false);
}

/** Factor of the value; the key of a point with the exponent goes to `scale_factor`. */
function scaleOf(
	row: CellReader,
	cells: Cells,
): { readonly scale?: number | undefined; readonly scale_factor?: string } {
	const factor = row.text('scale_factor');
	if (factor !== '' && numberIn(factor) === null) return { scale: cells.number('scale'), scale_factor: factor };
	const divisor = cells.number('divisor');
	if (divisor !== undefined && divisor !== 0) return { scale: (cells.number('scale') ?? 1) / divisor };
	return { scale: row.text('scale') === '' ? numberIn(factor)?.value : cells.number('scale') };
}

function jsonIn(text: string): object | null {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === 'object' ? value : null;
	} catch {
		return null;
	}
}

const enumIn = (text: string): object | null => (text.startsWith('{') ? jsonIn(text) : textsIn(cellText(text)));

function slice(text: string): { readonly first: number; readonly count: number } | null {
	const [, first, count] = /^(\d{1,2}):(\d{1,2})$/.exec(text) ?? [];
	return first === undefined ? null : { first: Number(first), count: Number(count) };
}

/** Names of the point in other languages. */
function labelsOf(cells: Cells): object | undefined {
	const labels = given({ ko: cells.text('label_ko'), tr: cells.text('label_tr') });
	return Object.keys(labels).length === 0 ? undefined : labels;
}

/** What most points do not have. */
const seldomOf = (cells: Cells, row: CellReader): object =>
	given({
		invalid: cells.read('invalid', (text) => text.split('|').map((each) => each.trim().replace(/^0x/i, '')), ''),
		bit: cells.whole('bit'),
		slice: cells.read('slice', slice, 'must be first:count, e.g. 4:2'),
		mask: cells.text('mask'),
		zone: cells.text('zone'),
		max_step: cells.number('max_step'),
		turns_at: cells.number('turns_at'),
		resets: cells.truth('resets'),
		poll: cells.text('poll'),
		when: cells.json('when'),
		enum_labels: cells.json('enum_labels'),
		write: row.text('write') === '' ? undefined : cells.json('write'),
	});

const KINDS = ['measurement', 'counter', 'state', 'setting'];

/** The kind, as it is named here or elsewhere: `total_increasing` counts. */
function kindWord(text: string): string | null {
	const plain = text.toLowerCase();
	if (KINDS.includes(plain)) return plain;
	return plain.startsWith('total') ? 'counter' : null;
}

/** What a point without a name is called: tables have rows that only fill a gap. */
function placeName(row: CellReader, { functionCode, address }: NotedAddress, book: DraftBook): string {
	const name = `${functionCode <= 2 ? 'Bit' : 'Register'} ${address}`;
	book.warn(row.line, 'name', `no name is given: it became ${name}; take the row out if nobody needs it`);
	return name;
}

/** The point of one row; `null`: something is wrong that keeps it from being one, and is noted. */
export function pointOfRow(
	row: CellReader,
	counting: Counting,
	options: ImportOptions,
	book: DraftBook,
): DraftPoint | null {
	const cells = createCells(row, book);
	const functionCode = cells.read('function', functionIn, 'must be 1 to 4, or coil, discrete, input, holding');
	const at = wireAddress(
		{ text: row.text('address'), functionCode: functionCode ?? null },
		counting,
		options.functionCode,
	);
	if (typeof at === 'string') {
		book.mistake(row.place('address'), 'address', at, row.text('address'));
		return null;
	}
	const kind = kindOf(row, cells, book, at.functionCode <= 2);
	if (kind === null) return null;
	const name = nameOf(cells.text('name') ?? row.text('key')) || placeName(row, at, book);
	const key =
		row.text('key') === ''
			? keyOf(name)
			: /^[a-z][a-z0-9_]*$/.test(row.text('key'))
				? row.text('key')
				: keyOf(row.text('key'));
	const group = cells.text('group');
	const { scale, scale_factor } = scaleOf(row, cells);
	return {
		key,
		name,
		function: at.functionCode,
		address: at.address,
		count: kind.count,
		type: kind.type,
		byte_order: kind.order,
		...given({
			scale,
			scale_factor,
			offset: cells.number('offset'),
			unit: cells.text('unit'),
			kind: cells.read('kind', kindWord, `must be one of ${KINDS.join(', ')}`),
			access: cells.read('access', accessIn, 'must be r, w or rw'),
			enum: cells.read('enum', enumIn, 'must be number=text, one after the other with bars: 0=off|1=on'),
			min: cells.number('min'),
			max: cells.number('max'),
			precision: cells.whole('precision'),
			group: group === undefined ? undefined : book.group(group),
			labels: labelsOf(cells),
		}),
		...seldomOf(cells, row),
	};
}
