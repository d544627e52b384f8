/** A row of results: a name and numbers or words under column names. */
export type Row = Readonly<Record<string, string | number>>;

const text = (value: string | number | undefined): string => {
	if (typeof value !== 'number') return value ?? '';
	if (!Number.isFinite(value)) return '-';
	return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 2 : 1);
};

/** Rows as a Markdown table; its columns are those of the first row. */
export function table(rows: readonly Row[]): string {
	const columns = Object.keys(rows[0] ?? {});
	const cells = [columns, ...rows.map((row) => columns.map((column) => text(row[column])))];
	const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)));
	const line = (row: readonly string[]): string =>
		`| ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`;
	const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
	const [head = [], ...body] = cells.map(line);
	return [head, rule, ...body].join('\n');
}

/** The middle of the numbers; NaN of none. */
export function median(values: readonly number[]): number {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = sorted.length / 2;
	return sorted.length % 2 === 1
		? (sorted[Math.floor(middle)] ?? Number.NaN)
		: ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}
