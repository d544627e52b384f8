import type { TableRow } from '../file/csv-text.ts';
import type { DraftBook } from './draft-book.ts';
import type { Table } from './table-import.ts';
import { cellText, numberIn } from './table-values.ts';

/** How a member of the header stands in its cell. */
type Form = 'text' | 'number' | 'json';

/** Members of a template beside its points, in the order in which they are exported; first, how addresses count. */
export const HEADER_FORMS: Readonly<Record<string, Form>> = {
	addressing: 'text',
	manufacturer: 'text',
	model: 'text',
	category: 'text',
	variants: 'json',
	transports: 'json',
	comm_defaults: 'json',
	max_registers: 'number',
	max_bits: 'number',
	guard_ms: 'number',
	holes: 'json',
	all_ff_is_absent: 'json',
	options: 'json',
	groups: 'json',
	probe: 'json',
	sign: 'text',
	quirks: 'json',
	verification: 'text',
	sources: 'json',
};

const REMARK = /^\s*#\s*([a-z_]+)\s*(?::\s*(.*))?$/s;

function valueOf(form: Form, text: string): unknown {
	if (form === 'text') return cellText(text);
	if (form === 'number') return numberIn(text)?.value ?? text;
	try {
		return JSON.parse(text) as unknown;
	} catch {
		return undefined;
	}
}

/** Takes what a row says of the device: `# model`, then the value in the next cell; `# model: SDM630` too. Other remarks say nothing. */
export function headerMember(row: TableRow, table: Table, header: Record<string, unknown>, book: DraftBook): void {
	const [first = '', second = ''] = row.cells;
	const [, member = '', after = ''] = REMARK.exec(first) ?? [];
	const form = Object.hasOwn(HEADER_FORMS, member) ? HEADER_FORMS[member] : undefined;
	if (form === undefined) return;
	// What was not written for this program has its value behind the colon, with commas in it.
	const text =
		after === ''
			? second
			: row.cells
					.join(', ')
					.replace(REMARK, '$2')
					.replace(/(?<!, )(?:, )+$/, '');
	const value = valueOf(form, text.trim());
	if (value !== undefined) header[member] = value;
	else if (after === '') book.mistake(table.placeOf(row.line, 1), member, 'must be JSON', text);
}
