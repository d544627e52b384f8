import { crc32, deflateRawSync } from 'node:zlib';

import type { Sheet } from './xlsx-reader.ts';
import { lettersOf } from './xlsx-reader.ts';

const LOCAL_SIGNATURE = 0x0403_4b50;
const ENTRY_SIGNATURE = 0x0201_4b50;
const END_SIGNATURE = 0x0605_4b50;
const VERSION = 20;
/** Names are UTF-8. */
const FLAGS = 0x0800;
const DEFLATED = 8;
/** 1980-01-01, so that equal contents give equal files. */
const DATE = 0x0021;

interface PackedFile {
	readonly name: Buffer;
	readonly packed: Buffer;
	readonly bytes: number;
	readonly crc: number;
}

/** What a local header and an entry of the list have in common, from the version on. */
function commonFields({ name, packed, bytes, crc }: PackedFile): Buffer {
	const fields = Buffer.alloc(26);
	fields.writeUInt16LE(VERSION, 0);
	fields.writeUInt16LE(FLAGS, 2);
	fields.writeUInt16LE(DEFLATED, 4);
	fields.writeUInt16LE(DATE, 8);
	fields.writeUInt32LE(crc, 10);
	fields.writeUInt32LE(packed.length, 14);
	fields.writeUInt32LE(bytes, 18);
	fields.writeUInt16LE(name.length, 22);
	return fields;
}

const uint32 = (value: number): Buffer => {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32LE(value);
	return bytes;
};

const uint16 = (value: number): Buffer => uint32(value).subarray(0, 2);

/** An archive of these files (APPNOTE 6.3.3). */
function zipOf(files: readonly (readonly [name: string, text: string])[]): Buffer {
	const packed = files.map(([name, text]): PackedFile => {
		const data = Buffer.from(text);
		return { name: Buffer.from(name), packed: deflateRawSync(data), bytes: data.length, crc: crc32(data) };
	});
	const parts: Buffer[] = [];
	const list: Buffer[] = [];
	let offset = 0;
	for (const file of packed) {
		const fields = commonFields(file);
		const local = Buffer.concat([uint32(LOCAL_SIGNATURE), fields, file.name, file.packed]);
		const entry = [uint32(ENTRY_SIGNATURE), uint16(VERSION), fields, Buffer.alloc(10), uint32(offset), file.name];
		parts.push(local);
		list.push(Buffer.concat(entry));
		offset += local.length;
	}
	const directory = Buffer.concat(list);
	const count = uint16(packed.length);
	const end = [
		uint32(END_SIGNATURE),
		Buffer.alloc(4),
		count,
		count,
		uint32(directory.length),
		uint32(offset),
		uint16(0),
	];
	return Buffer.concat([...parts, directory, ...end]);
}

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

// oxlint-disable-next-line no-control-regex -- these are the characters
const UNWRITABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** Characters that XML 1.0 cannot hold are left out. */
const escaped = (text: string): string =>
	text.replaceAll(UNWRITABLE, '').replaceAll(/[&<>"]/g, (found) => entities[found] ?? found);

/** Digits that a spreadsheet keeps as they are. */
const NUMBER = /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?$/;

function cellXml(text: string, reference: string): string {
	if (text === '') return '';
	if (NUMBER.test(text) && String(Number(text)) === text) return `<c r="${reference}"><v>${text}</v></c>`;
	return `<c r="${reference}" t="inlineStr"><is><t xml:space="preserve">${escaped(text)}</t></is></c>`;
}

function sheetXml({ rows }: Sheet): string {
	const lines = rows.map(({ line, cells }) => {
		const written = cells.map((cell, column) => cellXml(cell, `${lettersOf(column)}${line}`));
		return `<row r="${line}">${written.join('')}</row>`;
	});
	return `${XML}<worksheet xmlns="${MAIN}"><sheetData>${lines.join('')}</sheetData></worksheet>`;
}

const numbered = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);

/** A workbook (ECMA-376) of texts and numbers. */
export function xlsxOf(sheets: readonly Sheet[]): Buffer {
	const numbers = numbered(sheets.length);
	const types = numbers.map(
		(number) =>
			`<Override PartName="/xl/worksheets/sheet${number}.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>`,
	);
	const named = sheets.map(
		({ name }, index) => `<sheet name="${escaped(name)}" sheetId="${index + 1}" r:id="rId${index + 1}"/>`,
	);
	const relations = numbers.map(
		(number) => `<Relationship Id="rId${number}" Type="${OFFICE}/worksheet" Target="worksheets/sheet${number}.xml"/>`,
	);
	return zipOf([
		[
			'[Content_Types].xml',
			`${XML}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>${types.join('')}</Types>`,
		],
		[
			'_rels/.rels',
			`${XML}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		],
		[
			'xl/workbook.xml',
			`${XML}<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets>${named.join('')}</sheets></workbook>`,
		],
		[
			'xl/_rels/workbook.xml.rels',
			`${XML}<Relationships xmlns="${PACKAGE}/relationships">${relations.join('')}</Relationships>`,
		],
		...sheets.map((sheet, index): readonly [string, string] => [
			`xl/worksheets/sheet${index + 1}.xml`,
			sheetXml(sheet),
		]),
	]);
}
