import Joi from 'joi';

import { fieldFault } from '../../../core/kernel/fault.ts';
import { keyOf } from './draft-book.ts';
import { IMPORT_FORMATS, type ImportFormat, MAX_IMPORT_BYTES } from './import-formats.ts';
import type { ImportPreview, ImportRequest } from './import-preview.ts';
import type { ImportNote, ImportOptions } from './imported.ts';

/** Body of an import after validation. */
export interface ImportBody {
	readonly key?: string;
	readonly format: ImportFormat | 'auto';
	readonly file_name: string;
	readonly content: string;
	readonly encoding: 'text' | 'base64';
	readonly options: {
		readonly manufacturer?: string;
		readonly model?: string;
		readonly category?: string;
		readonly addressing: ImportOptions['addressing'];
		readonly function: ImportOptions['functionCode'];
		readonly unit_id?: number;
		readonly sunspec_address: number;
	};
}

const KEY = /^[a-z0-9][a-z0-9-]{0,63}$/;
const text = () => Joi.string().max(200);

/** A body with a file as base64, which is a third larger, and with escapes. */
export const MAX_BODY_BYTES = 2 * MAX_IMPORT_BYTES;

const importOptions = Joi.object({
	manufacturer: text(),
	model: text(),
	category: text(),
	addressing: Joi.valid('auto', 'zero', 'one', 'reference').default('auto'),
	function: Joi.valid(1, 2, 3, 4).default(3),
	unit_id: Joi.number().integer().min(0).max(255),
	sunspec_address: Joi.number().integer().min(0).max(65_535).default(40_070),
});

export const importBody = Joi.object<ImportBody>({
	key: Joi.string().pattern(KEY).description('Key of the template; else it is made from the name of the file'),
	format: Joi.valid('auto', ...IMPORT_FORMATS).default('auto'),
	file_name: Joi.string().max(200).allow('').default(''),
	content: Joi.string().max(MAX_BODY_BYTES).required(),
	encoding: Joi.valid('text', 'base64').default('text'),
	options: importOptions.default(importOptions.validate({}).value),
});

const note = Joi.object({
	severity: Joi.valid('mistake', 'warning'),
	line: Joi.number().integer().allow(null),
	column: Joi.number().integer().allow(null),
	sheet: Joi.string().allow(null, ''),
	cell: Joi.string().allow(null),
	field: Joi.string().allow(null, ''),
	rule: Joi.string(),
	value: Joi.string().allow(null, ''),
});

const memberChange = Joi.object({ member: Joi.string(), before: Joi.any(), after: Joi.any() });

export const importAnswer = Joi.object({
	key: Joi.string(),
	format: Joi.valid(...IMPORT_FORMATS, null),
	is_sound: Joi.boolean(),
	notes: Joi.array().items(note),
	document: Joi.object().unknown(true).allow(null),
	diff: Joi.object({
		header: Joi.array().items(memberChange),
		added: Joi.array().items(Joi.string()),
		removed: Joi.array().items(Joi.string()),
		changed: Joi.array().items(Joi.object({ key: Joi.string(), members: Joi.array().items(memberChange) })),
	}).allow(null),
})
	.options({ presence: 'required' })
	.label('TemplateImport');

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function contentOf({ content, encoding }: ImportBody): Buffer {
	if (encoding === 'text') return Buffer.from(content);
	if (!BASE64.test(content.replaceAll(/\s+/g, ''))) throw fieldFault('rule-violation', 'content', 'must be base64');
	return Buffer.from(content, 'base64');
}

/** `My meter.csv` is `my-meter`. */
const keyOfFile = (name: string): string =>
	keyOf(name.replace(/^.*[/\\]/, '').replace(/\.[a-z0-9]{1,5}$/i, ''))
		.replaceAll('_', '-')
		.slice(0, 64);

/** @throws Fault of `content` */
export function toImportRequest(body: ImportBody): ImportRequest {
	const { key, format, file_name: fileName, options } = body;
	const { function: functionCode, unit_id: unitId, sunspec_address: sunspecAddress, ...rest } = options;
	return {
		key: key ?? keyOfFile(fileName === '' ? 'imported' : fileName),
		format,
		fileName,
		content: contentOf(body),
		options: { ...rest, functionCode, sunspecAddress, ...(unitId === undefined ? {} : { unitId }) },
	};
}

const noteView = ({ severity, place, field, rule, value }: ImportNote) => ({ severity, ...place, field, rule, value });

export const importView = (key: string, { format, isSound, notes, document, diff }: ImportPreview) => ({
	key,
	format,
	is_sound: isSound,
	notes: notes.map(noteView),
	document,
	diff,
});
