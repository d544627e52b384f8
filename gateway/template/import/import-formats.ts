import { csvRows, type Separator, separatorOf } from '../file/csv-text.ts';
import { lettersOf, xlsxSheets } from '../file/xlsx-reader.ts';
import { XmlFault } from '../file/xml-scan.ts';
import { ZipFault } from '../file/zip-reader.ts';
import { importHomeAssistant } from './home-assistant-import.ts';
import { atLine, type Imported, type ImportOptions, ImportFault, NOWHERE } from './imported.ts';
import { importJson } from './json-import.ts';
import { importNeuron } from './neuron-import.ts';
import { memberOf, type PlacedValue } from './placed-value.ts';
import { importSunspec } from './sunspec-import.ts';
import { importTable } from './table-import.ts';
import { importTelegraf } from './telegraf-import.ts';
import { importThingsboard } from './thingsboard-import.ts';
import { jsonTree } from './json-tree.ts';

export const IMPORT_FORMATS = [
	'template',
	'csv',
	'xlsx',
	'sunspec',
	'telegraf',
	'home-assistant',
	'thingsboard',
	'neuron',
] as const;

export type ImportFormat = (typeof IMPORT_FORMATS)[number];

/** Most bytes of a file. */
export const MAX_IMPORT_BYTES = 1024 * 1024;

function importCsv(text: string, options: ImportOptions, separator?: Separator): Imported {
	const result = csvRows(text, separator ?? separatorOf(text));
	if ('rule' in result) throw new ImportFault(atLine(result.line), result.rule);
	return importTable(
		[{ rows: result.rows, placeOf: (line, column) => atLine(line, column === null ? null : column + 1) }],
		options,
	);
}

function importXlsx(content: Buffer, options: ImportOptions): Imported {
	try {
		const tables = xlsxSheets(content).map(({ name, rows }) => ({
			rows,
			placeOf: (line: number, column: number | null) => ({
				line,
				column: column === null ? null : column + 1,
				sheet: name,
				cell: column === null ? null : `${lettersOf(column)}${line}`,
			}),
		}));
		return importTable(tables, options);
	} catch (error) {
		if (error instanceof ZipFault || error instanceof XmlFault) throw new ImportFault(NOWHERE, error.message);
		throw error;
	}
}

/** UTF-8; what is not is read as Western European, as spreadsheets on old machines write it. */
function textOf(content: Buffer): string {
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(content);
	} catch {
		return new TextDecoder('windows-1252').decode(content);
	}
}

const importers: Readonly<Record<ImportFormat, (content: Buffer, options: ImportOptions) => Imported>> = {
	template: (content, options) => importJson(textOf(content), options),
	csv: (content, options) => importCsv(textOf(content), options),
	xlsx: importXlsx,
	sunspec: (content, options) => importSunspec(textOf(content), options),
	telegraf: (content, options) => importTelegraf(textOf(content), options),
	'home-assistant': (content, options) => importHomeAssistant(textOf(content), options),
	thingsboard: (content, options) => importThingsboard(textOf(content), options),
	neuron: (content, options) => importNeuron(textOf(content), options),
};

/** Reads a file. @throws ImportFault when it cannot be read at all */
export const importFile = (format: ImportFormat, content: Buffer, options: ImportOptions): Imported =>
	importers[format](content, options);

/** Members of a JSON file that tell its format; the first that it has. */
const SIGNS: readonly (readonly [member: string, format: ImportFormat])[] = [
	['master', 'thingsboard'],
	['slaves', 'thingsboard'],
	['group', 'sunspec'],
	['points', 'template'],
	['extends', 'template'],
	['document', 'template'],
	['framing', 'template'],
	['tags', 'neuron'],
	['groups', 'neuron'],
	['nodes', 'neuron'],
];

function formatOfJson(text: string): ImportFormat {
	const root: PlacedValue = jsonTree(text);
	const sample = root.kind === 'list' ? root.items[0] : root;
	// A group of tags is a text; that of a model is an object.
	const isModel = memberOf(sample, 'group')?.kind === 'map';
	const found = SIGNS.find(([member]) => memberOf(sample, member) !== undefined && (member !== 'group' || isModel));
	if (found === undefined) throw new ImportFault(NOWHERE, `must be one of ${IMPORT_FORMATS.join(', ')}`);
	return found[1];
}

const ENDINGS: ReadonlyMap<string, ImportFormat> = new Map([
	['csv', 'csv'],
	['tsv', 'csv'],
	['xlsx', 'xlsx'],
	['toml', 'telegraf'],
	['conf', 'telegraf'],
	['yaml', 'home-assistant'],
	['yml', 'home-assistant'],
]);

/** The format of a file by its content, then by the end of its name. @throws ImportFault */
export function formatOf(fileName: string, content: Buffer): ImportFormat {
	if (content.subarray(0, 2).toString('latin1') === 'PK') return 'xlsx';
	const text = textOf(content.subarray(0, 64 * 1024));
	const ending = /\.([a-z]+)$/i.exec(fileName)?.[1]?.toLowerCase() ?? '';
	if (/^[ \t]*\[\[?[ \t]*inputs\.modbus/m.test(text)) return 'telegraf';
	if (/^\uFEFF?\s*[[{]/.test(text)) return formatOfJson(textOf(content));
	if (/^modbus:/m.test(text)) return 'home-assistant';
	return ENDINGS.get(ending) ?? 'csv';
}
