import { MAX_CELLS, type TableRow } from './csv-text.ts';
import { type XmlToken, xmlTokens } from './xml-scan.ts';
import { ZipFault, type ZipFiles, zipFiles } from './zip-reader.ts';

/** A sheet of a workbook; its rows have the numbers of their lines. */
export interface Sheet {
	readonly name: string;
	readonly rows: readonly TableRow[];
}

const MAX_SHEETS = 20;
const MAX_COLUMNS = 200;
/** The last row of a spreadsheet. */
const MAX_ROW = 1_048_576;

/** Column letters of a cell reference: `C7` is 2. */
function columnOf(reference: string): number | null {
	const letters = /^[A-Z]{1,3}/.exec(reference)?.[0];
	if (letters === undefined) return null;
	return Array.from(letters).reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}

/** The letters of a column from 0: 2 is `C`. */
export function lettersOf(column: number): string {
	const last = String.fromCharCode(65 + (column % 26));
	return column < 26 ? last : `${lettersOf(Math.floor(column / 26) - 1)}${last}`;
}

const textOf = (files: ZipFiles, name: string): string | null => files.read(name)?.toString('utf8') ?? null;

function opened(xml: string, name: string): readonly Extract<XmlToken, { kind: 'open' }>[] {
	const found: Extract<XmlToken, { kind: 'open' }>[] = [];
	for (const token of xmlTokens(xml)) if (token.kind === 'open' && token.name === name) found.push(token);
	return found;
}

const startsElement = (token: XmlToken): boolean => token.kind === 'open' && !token.isEmpty;

/** Texts that cells refer to by number. Readings in another script (`rPh`) are no part of them. */
function sharedTexts(xml: string): readonly string[] {
	const texts: string[] = [];
	let isText = false;
	let isReading = false;
	for (const token of xmlTokens(xml)) {
		if (token.kind === 'text') {
			if (isText && !isReading) texts.push((texts.pop() ?? '') + token.text);
		} else if (token.name === 't') isText = startsElement(token);
		else if (token.name === 'rPh') isReading = startsElement(token);
		else if (token.name === 'si' && token.kind === 'open') texts.push('');
		if (texts.length > MAX_CELLS) throw new ZipFault(`a table has at most ${MAX_CELLS} cells`);
	}
	return texts;
}

/** One cell while it is read. */
interface OpenCell {
	readonly column: number;
	readonly type: string;
	text: string;
}

/** A number as a spreadsheet stores it, e.g. 0.30000000000000004, as it was meant. */
function numberText(text: string): string {
	const number = Number(text);
	return Number.isFinite(number) && /[.e]/i.test(text) ? String(Number(number.toPrecision(15))) : text;
}

function valueOf({ type, text }: OpenCell, shared: readonly string[]): string {
	if (type === 's') return text === '' ? '' : (shared[Number(text)] ?? '');
	if (type === 'b') return text === '1' ? 'true' : 'false';
	return type === '' || type === 'n' ? numberText(text.trim()) : text;
}

const stepOf = <T>(steps: Readonly<Record<string, T>>, name: string): T | undefined =>
	Object.hasOwn(steps, name) ? steps[name] : undefined;

/** Takes the elements of a sheet, one after the other. @param room how many cells may still come */
function createRows(shared: readonly string[], room: { left: number }) {
	const rows: TableRow[] = [];
	let cells: string[] = [];
	let line = 0;
	let cell: OpenCell | null = null;
	let isValue = false;

	/** A cell takes room, and so does one that is left out before it. */
	function take(): void {
		room.left -= 1;
		if (room.left < 0) throw new ZipFault(`a table has at most ${MAX_CELLS} cells`);
	}

	function endCell(): void {
		if (cell !== null && cell.column < MAX_COLUMNS) {
			for (; cells.length < cell.column; cells.push('')) take();
			cells[cell.column] = valueOf(cell, shared);
		}
		cell = null;
	}

	function endRow(): void {
		if (cells.some((each) => each.trim() !== '')) rows.push({ line, cells });
		cells = [];
	}

	const starts: Readonly<Record<string, (attributes: ReadonlyMap<string, string>) => void>> = {
		row(attributes) {
			line = Math.min(MAX_ROW, Number(attributes.get('r')) || line + 1);
			cells = [];
		},
		c(attributes) {
			take();
			const column = columnOf(attributes.get('r') ?? '') ?? cells.length;
			cell = { column, type: attributes.get('t') ?? '', text: '' };
		},
		v() {
			isValue = true;
		},
		t() {
			isValue = true;
		},
	};

	const ends: Readonly<Record<string, () => void>> = {
		row: endRow,
		c: endCell,
		v() {
			isValue = false;
		},
		t() {
			isValue = false;
		},
	};

	return {
		rows,
		take(token: XmlToken): void {
			if (token.kind === 'text') {
				if (isValue && cell !== null) cell.text += token.text;
				return;
			}
			if (token.kind === 'open') stepOf(starts, token.name)?.(token.attributes);
			if (!startsElement(token)) stepOf(ends, token.name)?.();
		},
	};
}

function rowsOf(xml: string, shared: readonly string[], room: { left: number }): readonly TableRow[] {
	const sheet = createRows(shared, room);
	for (const token of xmlTokens(xml)) sheet.take(token);
	return sheet.rows;
}

/** Paths of the sheets in the order of the workbook, with their names. */
function sheetPaths(files: ZipFiles): readonly (readonly [name: string, path: string])[] {
	const workbook = textOf(files, 'xl/workbook.xml');
	if (workbook === null) throw new ZipFault('must be a workbook (.xlsx): it has no list of sheets');
	const relations = textOf(files, 'xl/_rels/workbook.xml.rels') ?? '';
	const targets = new Map(
		opened(relations, 'Relationship').map(({ attributes }) => [
			attributes.get('Id') ?? '',
			attributes.get('Target') ?? '',
		]),
	);
	return opened(workbook, 'sheet').map(({ attributes }, index) => {
		// Of the two attributes named id, that of the relation stands last.
		const target = targets.get(attributes.get('id') ?? '') ?? `worksheets/sheet${index + 1}.xml`;
		return [attributes.get('name') ?? `Sheet${index + 1}`, target.startsWith('/') ? target.slice(1) : `xl/${target}`];
	});
}

/**
 * The sheets of a workbook as rows of texts (ECMA-376 part 1, 18): values, not formulas or forms.
 * @throws ZipFault, XmlFault when it is none, is damaged, or is more than is read
 */
export function xlsxSheets(data: Buffer): readonly Sheet[] {
	const files = zipFiles(data);
	const paths = sheetPaths(files);
	if (paths.length > MAX_SHEETS)
		throw new ZipFault(`a workbook has at most ${MAX_SHEETS} sheets; found ${paths.length}`);
	const shared = sharedTexts(textOf(files, 'xl/sharedStrings.xml') ?? '');
	const room = { left: MAX_CELLS };
	return paths.flatMap(([name, path]) => {
		const xml = textOf(files, path);
		return xml === null ? [] : [{ name, rows: rowsOf(xml, shared, room) }];
	});
}
