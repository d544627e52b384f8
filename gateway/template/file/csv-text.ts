/** A row of a table with the line it begins in, from 1. */
export interface TableRow {
	readonly line: number;
	readonly cells: readonly string[];
}

/** Most cells of one table: a template of 5 000 points with all of its columns. */
export const MAX_CELLS = 400_000;

export type Separator = ',' | ';' | '\t';

const SEPARATORS: readonly Separator[] = [',', ';', '\t'];
/** Lines that are looked at to find out what separates cells. */
const MAX_SAMPLE = 20_000;

/** What separates the cells: of `,` `;` and tab the one that splits the first lines most evenly. Separators within quotes do not count. */
export function separatorOf(text: string): Separator {
	const sample = text.slice(0, MAX_SAMPLE).replaceAll(/"[^"]*"/g, '');
	const head = sample.split(/\r?\n/).find((line) => line.trim() !== '' && !line.startsWith('#')) ?? '';
	const scores = SEPARATORS.map((separator) => head.split(separator).length);
	const best = Math.max(...scores);
	return SEPARATORS[scores.indexOf(best)] ?? ',';
}

/** The rows of a CSV text (RFC 4180), or why it is none. */
export type CsvResult = { readonly rows: readonly TableRow[] } | { readonly line: number; readonly rule: string };

const QUOTED = /[ ]*"([^"]*(?:""[^"]*)*)"[ ]*/y;
const OPEN_QUOTE = /[ ]*"/y;
const LINE_END = /\r\n|\n|\r|$/y;

const plainCell: Readonly<Record<Separator, RegExp>> = {
	',': /[^,\r\n]*/y,
	';': /[^;\r\n]*/y,
	'\t': /[^\t\r\n]*/y,
};

/** A cell and where it ends; or the rule that it breaks. */
type CellResult = { readonly cell: string; readonly end: number } | string;

function cellAt(text: string, at: number, separator: Separator): CellResult {
	const find = (pattern: RegExp): RegExpExecArray | null => {
		pattern.lastIndex = at;
		return pattern.exec(text);
	};
	const quoted = find(QUOTED);
	if (quoted !== null) return { cell: (quoted[1] ?? '').replaceAll('""', '"'), end: at + quoted[0].length };
	if (find(OPEN_QUOTE) !== null) return 'a cell that begins with " ends with "';
	const cell = find(plainCell[separator])?.[0] ?? '';
	return { cell, end: at + cell.length };
}

/** The length of the end of a line; `null`: this is none. */
function lineEndAt(text: string, at: number): number | null {
	LINE_END.lastIndex = at;
	return LINE_END.exec(text)?.[0].length ?? null;
}

/**
 * Reads CSV: quotes double within quotes, lines may end in quotes, a byte order mark is left out, blank lines too. Stops at the first
 * thing that is wrong.
 */
export function csvRows(text: string, separator: Separator): CsvResult {
	const rows: TableRow[] = [];
	let cells: string[] = [];
	let line = 1;
	let rowLine = 1;
	let count = 0;
	let at = text.startsWith('\uFEFF') ? 1 : 0;
	while (at < text.length) {
		const found = cellAt(text, at, separator);
		if (typeof found === 'string') return { line, rule: found };
		cells.push(found.cell);
		count += 1;
		if (count > MAX_CELLS) return { line, rule: `a table has at most ${MAX_CELLS} cells` };
		line += found.cell.split('\n').length - 1;
		const ending = lineEndAt(text, found.end);
		if (ending === null && text[found.end] !== separator)
			return {
				line,
				rule: `after the closing " of a cell comes ${separator === '\t' ? 'a tab' : separator} or the end of the line`,
			};
		at = found.end + (ending ?? 1);
		if (ending === null && at < text.length) continue;
		if (cells.some((each) => each.trim() !== '')) rows.push({ line: rowLine, cells });
		cells = [];
		line += 1;
		rowLine = line;
	}
	return { rows };
}

const NEEDS_QUOTES = /[",;\t\r\n]|^\s|\s$/;

/** Writes CSV with commas and CRLF (RFC 4180). */
export const csvText = (rows: readonly (readonly string[])[]): string =>
	rows
		.map((cells) => cells.map((cell) => (NEEDS_QUOTES.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(','))
		.map((row) => `${row}\r\n`)
		.join('');
