import { MAX_POINTS } from '../../../config/template/template-form.ts';
import type { TableRow } from '../file/csv-text.ts';
import { createDraftBook, type DraftBook } from './draft-book.ts';
import { atLine, type Imported, type ImportOptions, MAX_NOTES, type Place } from './imported.ts';
import { neuronPoint } from './neuron-tag.ts';
import { countingOf } from './table-address.ts';
import { type Heading, headingOf, isHeading } from './table-columns.ts';
import { headerMember } from './table-header.ts';
import { type CellReader, pointOfRow } from './table-point.ts';
import { functionIn } from './table-values.ts';

/** One table: a CSV file, or a sheet of a workbook. */
export interface Table {
	readonly rows: readonly TableRow[];
	readonly placeOf: (line: number, column: number | null) => Place;
}

/** What a file may say of how its addresses count. */
const ADDRESSINGS: readonly ImportOptions['addressing'][] = ['zero', 'one', 'reference'];

/** Rows before the titles: a name of the device, remarks. */
const MAX_PREFACE = 30;

const isRemark = ({ cells }: TableRow): boolean => (cells[0] ?? '').trimStart().startsWith('#');

/** The cells of a row by their column. */
function readerOf(row: TableRow, { places }: Heading, table: Table): CellReader {
	return {
		text: (column) => (row.cells[places.get(column) ?? -1] ?? '').trim(),
		place: (column) => table.placeOf(row.line, places.get(column) ?? null),
		line: table.placeOf(row.line, null),
		has: (column) => places.has(column),
	};
}

/** Tags of EMQX Neuron name their unit in the address: `1!400001`. */
const isNeuron = (readers: readonly CellReader[]): boolean =>
	readers.some((row) => /^\d{1,3}!/.test(row.text('address')));

function addPoints(readers: readonly CellReader[], options: ImportOptions, book: DraftBook): void {
	const written = readers.map((row) => ({ text: row.text('address'), functionCode: functionIn(row.text('function')) }));
	const choice = countingOf(written, options.addressing);
	const [first] = readers;
	if (choice.doubt !== null && first !== undefined)
		book.warn(first.place('address'), 'address', choice.doubt, first.text('address'));
	for (const row of readers) {
		const point = pointOfRow(row, choice.counting, options, book);
		if (point !== null) book.add(point, row.line, row.text('key') !== '');
	}
}

function addTags(readers: readonly CellReader[], options: ImportOptions, book: DraftBook): void {
	const unitId =
		options.unitId ??
		Number(
			/^(\d{1,3})!/.exec(readers.map((row) => row.text('address')).find((text) => text.includes('!')) ?? '')?.[1] ?? 1,
		);
	for (const row of readers) {
		const tag = {
			name: row.text('name') === '' ? row.text('key') : row.text('name'),
			address: row.text('address'),
			attribute: row.text('attribute') === '' ? row.text('access') : row.text('attribute'),
			type: row.text('type'),
			decimal: row.text('decimal'),
			precision: row.text('precision'),
			bias: row.text('bias'),
			description: '',
			group: row.text('group'),
		};
		const point = neuronPoint(tag, (field) => row.place(field), unitId, book);
		if (point !== null) book.add(point, row.line);
	}
}

/** Rows of points of one table, as they can be read; none when it has no titles. */
function readersOf(table: Table, book: DraftBook): readonly CellReader[] {
	const rows = table.rows.filter((row) => !isRemark(row));
	const headings = rows.slice(0, MAX_PREFACE).map((row) => headingOf(row.cells));
	const index = headings.findIndex(isHeading);
	const [heading, titles] = [headings[index], rows[index]];
	if (heading === undefined || titles === undefined) return [];
	for (const [column, title] of heading.unknown.slice(0, MAX_NOTES))
		book.warn(table.placeOf(titles.line, column), title, 'is no column that is known here: it was left out');
	return rows
		.slice(index + 1)
		.map((row) => readerOf(row, heading, table))
		.filter((row) => row.text('address') !== '' || row.text('key') !== '');
}

/** Where a mistake of the whole file stands: at its first row. */
function beginningOf([table]: readonly Table[]): Place {
	const line = table?.rows[0]?.line ?? 1;
	return table?.placeOf(line, null) ?? atLine(line);
}

/** A point of every row below the titles; rows that begin with # say something of the device. Pure. */
export function importTable(tables: readonly Table[], options: ImportOptions): Imported {
	const book = createDraftBook();
	const header: Record<string, unknown> = {};
	for (const table of tables) for (const row of table.rows.filter(isRemark)) headerMember(row, table, header, book);
	// One more than a template has, which is then said.
	const readers = tables.flatMap((table) => readersOf(table, book)).slice(0, MAX_POINTS + 1);
	const { addressing: said, ...document } = header;
	const counting = options.addressing === 'auto' ? ADDRESSINGS.find((each) => each === said) : undefined;
	const wanted = counting === undefined ? options : { ...options, addressing: counting };
	if (isNeuron(readers)) addTags(readers, wanted, book);
	else addPoints(readers, wanted, book);
	if (readers.length === 0)
		book.mistake(
			beginningOf(tables),
			null,
			'must have a row of titles, with at least address and name, key or type, and rows below it',
		);
	return book.close(document, options);
}
