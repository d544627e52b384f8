import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

import { isTree, type Operation, pointerStep, type Source, treeAt, followed, lookUp } from './document.ts';
import type { Answer } from './http-client.ts';

/** Says where a value differs from a schema; empty: nowhere. */
export type Differences = (value: unknown) => readonly string[];

const differencesOf =
	(validate: ValidateFunction): Differences =>
	(value) =>
		validate(value) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath || '/'} ${error.message}`);

const compilers = new Map<object, Ajv2020>();

/** One compiler per document: `$ref` inside it leads into the document. */
function compilerOf(document: object): Ajv2020 {
	const known = compilers.get(document);
	if (known !== undefined) return known;
	// A document is more than a schema, so its other words must not disturb.
	const ajv = new Ajv2020({ strict: false, allErrors: true });
	addFormats.default(ajv);
	ajv.addSchema(document, 'document');
	compilers.set(document, ajv);
	return ajv;
}

/** The check against the schema at a pointer (`#/…`) of a document. */
export function schemaAt(document: object, pointer: string): Differences {
	const validate = compilerOf(document).getSchema(`document${pointer}`);
	if (validate === undefined) throw new Error(`no schema at ${pointer}`);
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the compiler makes no asynchronous checks here
	return differencesOf(validate as ValidateFunction);
}

/** Pointer of the response of this status, `$ref` followed; `null` when the source documents none. */
function responsePointer({ document, pointer, statuses }: Source, status: number): string | null {
	if (!statuses.includes(status)) return null;
	const own = `${pointer}/responses/${status}`;
	const { $ref } = lookUp(document, own);
	return typeof $ref === 'string' ? $ref : own;
}

function headerDifferences(source: Source, pointer: string, answer: Answer): readonly string[] {
	const headers = treeAt(lookUp(source.document, pointer), 'headers');
	return Object.entries(headers).flatMap(([name, node]) => {
		const header = followed(source.document, node);
		const text = answer.header(name);
		if (text === null) return header['required'] === true ? [`header ${name} is missing`] : [];
		const schema = treeAt(header, 'schema');
		const value = schema['type'] === 'integer' ? Number(text) : text;
		return compilerOf(source.document).validate(schema, value) ? [] : [`header ${name}: ${text}`];
	});
}

function bodyDifferences(source: Source, pointer: string, answer: Answer): readonly string[] {
	const content = lookUp(source.document, pointer)['content'];
	if (!isTree(content)) return answer.text === '' ? [] : ['there is a body, and none is documented'];
	if (!/^application\/json(;|$)/.test(answer.header('content-type') ?? ''))
		return [`content-type ${String(answer.header('content-type'))}`];
	return schemaAt(source.document, `${pointer}/content/${pointerStep('application/json')}/schema`)(answer.body);
}

/** R2: the two forms of code and text agree. */
function errorDifferences({ body, status }: Answer): readonly string[] {
	if (status < 400) return [];
	if (!isTree(body)) return ['the error has no body'];
	const { code, message } = treeAt(body, 'error');
	return code === body['error_code'] && message === body['detail'] ? [] : ['error differs from error_code and detail'];
}

/** The form of an error where a rule names a status that the document does not. */
function undocumentedError(source: Source, answer: Answer): readonly string[] {
	return schemaAt(source.document, '#/components/schemas/Error')(answer.body);
}

/**
 * Where an answer differs from what each document says about this operation and status.
 * @param isAmended a rule overrides the documents here: the form of errors has to do
 */
export function answerDifferences(operation: Operation, answer: Answer, isAmended: boolean): readonly string[] {
	const { status } = answer;
	return [
		...errorDifferences(answer),
		...operation.sources.flatMap((source) => {
			const pointer = isAmended ? null : responsePointer(source, status);
			const found =
				pointer === null
					? undocumentedError(source, answer)
					: [...headerDifferences(source, pointer, answer), ...bodyDifferences(source, pointer, answer)];
			return found.map((text) => `reference ${source.reference}, ${status}: ${text}`);
		}),
	];
}
