import { SettingsFault } from '../../../config/settings-fault.ts';
import { templateFile } from '../../../config/template/template-file.ts';
import type { TemplateDocument } from '../../../config/template/template.ts';
import { formatOf, importFile, type ImportFormat } from './import-formats.ts';
import { type Imported, type ImportNote, type ImportOptions, ImportFault, MAX_NOTES, NOWHERE } from './imported.ts';
import { templateDiff, type TemplateDiff } from './template-diff.ts';

/** A file that somebody wants to become a template. */
export interface ImportRequest {
	/** Key that the template is to have. */
	readonly key: string;
	readonly format: ImportFormat | 'auto';
	readonly fileName: string;
	readonly content: Buffer;
	readonly options: ImportOptions;
}

/** What would become of it; nothing is stored. */
export interface ImportPreview {
	/** `null`: it was to be found out, and could not be. */
	readonly format: ImportFormat | null;
	/** No mistake: it can be stored. */
	readonly isSound: boolean;
	readonly notes: readonly ImportNote[];
	/** The template as its file would be; `null`: the file could not be read. */
	readonly document: Imported['document'] | null;
	/** Against the template that the key has now; `null`: there is none, or the document is not sound. */
	readonly diff: TemplateDiff | null;
}

/** A file that was read, in its format. */
export interface ReadImport {
	readonly format: ImportFormat;
	readonly imported: Imported;
}

export interface ImportJudge {
	/** @throws SettingsFault */
	readonly parse: (key: string, raw: unknown) => TemplateDocument;
	/** The template in force under the key; `undefined`: there is none. */
	readonly current: TemplateDocument | undefined;
}

const PLACE = /^points\[\d+\]\.(.+)$/;

/** A mistake of the rules of templates, at the place in the file where its point came from. */
function placed(
	{ path, message }: { readonly path: string; readonly message: string },
	imported: Imported,
): ImportNote {
	const [, member] = PLACE.exec(path) ?? [];
	const [rule = message, value = null] = message.split('; found ');
	return { severity: 'mistake', place: imported.placeOf(path), field: member ?? path, rule, value };
}

const isMistake = ({ severity }: ImportNote): boolean => severity === 'mistake';

type Tree = Readonly<Record<string, unknown>>;

function fileOf(template: TemplateDocument): Tree & { readonly points: readonly Tree[] } {
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a template file as JSON
	return JSON.parse(JSON.stringify(templateFile(template))) as Tree & { readonly points: readonly Tree[] };
}

/** The template, or the notes of what is wrong with it. */
function judged(
	key: string,
	imported: Imported,
	parse: ImportJudge['parse'],
): TemplateDocument | readonly ImportNote[] {
	// A file without any point has said so itself.
	if (imported.document.points.length === 0 && imported.notes.some(isMistake)) return [];
	try {
		return parse(key, imported.document);
	} catch (error) {
		if (error instanceof SettingsFault) return error.mistakes.map((mistake) => placed(mistake, imported));
		throw error;
	}
}

/** Reads a file; an ImportFault says where it cannot be read. Anything that is thrown is a mistake of this program. */
export function readImport({ format, fileName, content, options }: ImportRequest): ReadImport | ImportFault {
	try {
		const found = format === 'auto' ? formatOf(fileName, content) : format;
		return { format: found, imported: importFile(found, content, options) };
	} catch (error) {
		if (error instanceof ImportFault) return error;
		// Nesting that exhausts the stack of a parser.
		if (error instanceof RangeError) return new ImportFault(NOWHERE, 'must not be nested that deep');
		throw error;
	}
}

/** What becomes of a file that could not be read. */
export const unreadable = (format: ImportRequest['format'], note: ImportNote): ImportPreview => ({
	format: format === 'auto' ? null : format,
	isSound: false,
	notes: [note],
	document: null,
	diff: null,
});

/** Holds a file that was read against the rules of templates, and against the template it would replace. Pure. */
export function previewOf(
	key: string,
	{ format, imported }: ReadImport,
	{ parse, current }: ImportJudge,
): ImportPreview {
	const verdict = judged(key, imported, parse);
	const found = 'key' in verdict ? [] : verdict;
	const notes = [...imported.notes, ...found].slice(0, MAX_NOTES);
	const isSound = 'key' in verdict && !notes.some(isMistake);
	const diff = 'key' in verdict && current !== undefined ? templateDiff(fileOf(current), fileOf(verdict)) : null;
	return { format, isSound, notes, document: imported.document, diff };
}
