import { toWirePoint, type WirePoint } from '../../../config/template/point-form.ts';
import { type TemplateFile, templateFile } from '../../../config/template/template-file.ts';
import type { TemplateDocument } from '../../../config/template/template.ts';
import { csvText } from '../file/csv-text.ts';
import { xlsxOf } from '../file/xlsx-writer.ts';
import { type Column, COLUMNS } from '../import/table-columns.ts';
import { HEADER_FORMS } from '../import/table-header.ts';
import { safeCell, textsCell } from '../import/table-values.ts';

/** Columns that every table has, also when no point needs them. */
const ALWAYS: ReadonlySet<Column> = new Set(['key', 'name', 'function', 'address', 'count', 'type', 'byte_order']);

/** What is as usual is left out of its cell. */
const USUAL: Readonly<Partial<Record<Column, unknown>>> = {
	scale: 1,
	offset: 0,
	unit: '',
	kind: 'measurement',
	access: 'r',
};

const jsonCell = (value: unknown): string => (value === undefined || value === null ? '' : JSON.stringify(value));

function plainCell(value: unknown): string {
	if (typeof value === 'string') return safeCell(value);
	return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** Cells that are more than their value as text. */
const writers: Readonly<Partial<Record<Column, (point: WirePoint) => string>>> = {
	invalid: ({ invalid }) => invalid.join('|'),
	enum: ({ enum: texts }) =>
		texts === null ? '' : Object.keys(texts).length === 0 ? '{}' : safeCell(textsCell(texts)),
	slice: ({ slice }) => (slice === undefined ? '' : `${slice.first}:${slice.count}`),
	when: ({ when }) => jsonCell(when),
	label_ko: ({ labels }) => plainCell(labels?.ko),
	label_tr: ({ labels }) => plainCell(labels?.tr),
	enum_labels: ({ enum_labels }) => jsonCell(enum_labels),
	write: ({ write }) => jsonCell(write),
};

function cellOf(point: WirePoint, column: Column): string {
	const writer = writers[column];
	if (writer !== undefined) return writer(point);
	const value: unknown = Reflect.get(point, column);
	return value === USUAL[column] ? '' : plainCell(value);
}

function headerRows(file: TemplateFile): readonly (readonly string[])[] {
	const said = { ...file, addressing: 'zero' };
	return Object.entries(HEADER_FORMS).flatMap(([member, form]) => {
		const value: unknown = Reflect.get(said, member);
		if (value === undefined || value === null) return [];
		return [[`# ${member}`, form === 'json' ? jsonCell(value) : plainCell(value)]];
	});
}

/** The template as rows of one table: what there is to say of the model, the titles, a row for each point. */
export function tableOf(template: TemplateDocument): readonly (readonly string[])[] {
	const points = template.points.map((point) => toWirePoint(point));
	const columns = COLUMNS.filter(
		(column) => ALWAYS.has(column) || points.some((point) => cellOf(point, column) !== ''),
	);
	return [
		...headerRows(templateFile(template)),
		columns,
		...points.map((point) => columns.map((column) => cellOf(point, column))),
	];
}

/** As CSV; read again, it is the same template. */
export const csvOf = (template: TemplateDocument): string => csvText(tableOf(template));

/** As a workbook with one sheet; read again, it is the same template. */
export const workbookOf = (template: TemplateDocument): Buffer =>
	xlsxOf([{ name: 'template', rows: tableOf(template).map((cells, index) => ({ line: index + 1, cells })) }]);
