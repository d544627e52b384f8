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
	const lines = sample.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
	const [head = ''] = lines;
	const scores = SEPARATORS.map((separator) => head.split(separator).length);
	const best = Math.max(...scores);
	return SEPARATORS[scores.indexOf(best)] ?? ',';
}

/** The rows of a CSV text (RFC 4180), or why it is none. */
export type CsvResult = { readonly rows: readonly TableRow[] } | { readonly line: number; readonly rule: string };

/**
 * Reads CSV: quotes double within quotes, lines may end in quotes, a byte order mark is left out, blank lines too. Stops at the first
 * thing that is wrong.
 */
export function csvRows(text: string, separator: Separator): CsvResult {
	const rows: TableRow[] = [];
	let cells: string[] = [];
	let cell = '';
	let line = 1;
	let rowLine = 1;
	let count = 0;
	let at = text.startsWith('\uFEFF') ? 1 : 0;

	function endCell(): void {
		cells.push(cell);
		cell = '';
		count += 1;
	}

	function endRow(): void {
		endCell();
		if (cells.some((each) => each.trim() !== '')) rows.push({ line: rowLine, cells });
		cells = [];
	}

	while (at < text.length) {
		if (count > MAX_CELLS) return { line, rule: `a table has at most ${MAX_CELLS} cells` };
		const character = text[at] ?? '';
		if (character === '"' && cell.trim() === '') {
			let end = text.indexOf('"', at + 1);
			while (end >= 0 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
			if (end < 0) return { line, rule: 'a cell that begins with " ends with "' };
			const quoted = text.slice(at + 1, end);
			cell = quoted.replaceAll('""', '"');
			line += quoted.split('\n').length - 1;
			at = end + 1;
			const next = /[^ ]/.exec(text.slice(at, at + 100))?.[0] ?? '\n';
			if (next !== separator && next !== '\n' && next !== '\r')
				return {
					line,
					rule: `after the closing " of a cell comes ${separator === '\t' ? 'a tab' : separator} or the end of the line`,
				};
			while (text[at] === ' ') at += 1;
		} else if (character === separator) {
			endCell();
			at += 1;
		} else if (character === '\n' || character === '\r') {
			at += character === '\r' && text[at + 1] === '\n' ? 2 : 1;
			endRow();
			line += 1;
			rowLine = line;
		} else {
			cell += character;
			at += 1;
		}
	}
	if (cell !== '' || cells.length > 0) endRow();
	return { rows };
}

const NEEDS_QUOTES = /[",;\t\r\n]|^\s|\s$/;

/** Writes CSV with commas and CRLF (RFC 4180). */
export const csvText = (rows: readonly (readonly string[])[]): string =>
	rows
		.map((cells) => cells.map((cell) => (NEEDS_QUOTES.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(','))
		.map((row) => `${row}\r\n`)
		.join('');
