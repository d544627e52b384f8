import { SettingsFault } from '../../../config/settings-fault.ts';
import { templateFile } from '../../../config/template/template-file.ts';
import type { TemplateDocument } from '../../../config/template/template.ts';
import { Fault, fieldFault, messageOf } from '../../../core/kernel/fault.ts';
import type { Logger } from '../../../core/kernel/log.ts';
import { formatOf, importFile, type ImportFormat, MAX_IMPORT_BYTES } from './import-formats.ts';
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

export interface ImportServiceDeps {
	/** @throws SettingsFault */
	readonly parse: (key: string, raw: unknown) => TemplateDocument;
	/** The template in force; `undefined`: there is none of this key. */
	readonly current: (key: string) => TemplateDocument | undefined;
	readonly log: Logger;
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

/** Turns files of other programs into templates, to be looked at before they are stored. */
export function createImportService({ parse, current, log }: ImportServiceDeps) {
	/** The template, or the notes of what is wrong with it. */
	function judged(key: string, imported: Imported): TemplateDocument | readonly ImportNote[] {
		try {
			return parse(key, imported.document);
		} catch (error) {
			if (error instanceof SettingsFault) return error.mistakes.map((mistake) => placed(mistake, imported));
			throw error;
		}
	}

	function read({
		format,
		fileName,
		content,
		options,
	}: ImportRequest): { readonly format: ImportFormat; readonly imported: Imported } | ImportFault {
		try {
			const found = format === 'auto' ? formatOf(fileName, content) : format;
			return { format: found, imported: importFile(found, content, options) };
		} catch (error) {
			if (error instanceof ImportFault) return error;
			// Nesting that exhausts the stack of a parser; everything else is a mistake of this program.
			log.warn('import-failed', { file: fileName.slice(0, 100), reason: messageOf(error) });
			if (error instanceof RangeError) return new ImportFault(NOWHERE, 'must not be nested that deep');
			throw new Fault('rule-violation', 'the file cannot be read', { cause: error });
		}
	}

	return {
		/** @throws Fault `rule-violation` when the file is too large */
		preview(request: ImportRequest): ImportPreview {
			const { key, content } = request;
			if (content.length > MAX_IMPORT_BYTES)
				throw fieldFault(
					'rule-violation',
					'content',
					`a file has at most ${MAX_IMPORT_BYTES} bytes; found ${content.length}`,
				);
			const result = read(request);
			if (result instanceof ImportFault) {
				const format = request.format === 'auto' ? null : request.format;
				return { format, isSound: false, notes: [result.note], document: null, diff: null };
			}
			const { format, imported } = result;
			// A file without any point has said so itself.
			const hasSaid = imported.document.points.length === 0 && imported.notes.some(isMistake);
			const verdict = hasSaid ? [] : judged(key, imported);
			const found = 'key' in verdict ? [] : verdict;
			const notes = [...imported.notes, ...found].slice(0, MAX_NOTES);
			const isSound = 'key' in verdict && !notes.some(isMistake);
			const before = current(key);
			const diff = 'key' in verdict && before !== undefined ? templateDiff(fileOf(before), fileOf(verdict)) : null;
			return { format, isSound, notes, document: imported.document, diff };
		},
	};
}

export type ImportService = ReturnType<typeof createImportService>;
