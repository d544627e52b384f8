import asyncApi from '@asyncapi/specs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import test from 'ava';

import { member } from '../system/kit/rest.ts';
import { schemaAt } from './kit/conformance.ts';
import {
	followed,
	isTree,
	pointerStep,
	readDocument,
	readOperations,
	type Source,
	type Tree,
	treeAt,
} from './kit/document.ts';
import { EVENT_DOCUMENT, readEvents } from './kit/event-document.ts';

const JSON_CONTENT = `content/${pointerStep('application/json')}`;

for (const file of ['device-platform.openapi.yaml', 'telemetry-api.openapi.yaml']) {
	test(`${file} is a document of OpenAPI 3.1`, async (t) => {
		const validator = new Validator();
		const { valid, errors } = await validator.validate(structuredClone(readDocument(file)));
		t.true(valid, JSON.stringify(errors));
		t.is(validator.version, '3.1');
	});
}

test(`${EVENT_DOCUMENT} is a document of AsyncAPI 3`, (t) => {
	const ajv = new Ajv({ strict: false, allErrors: true });
	addFormats.default(ajv);
	const schema: object = asyncApi.schemasWithoutId['3.0.0'];
	const isValid = ajv.compile(schema);
	t.true(isValid(readDocument(EVENT_DOCUMENT)), JSON.stringify(isValid.errors));
});

/** Every example of a content with the schema beside it. */
function examplesOf(document: Tree, pointer: string, node: Tree): readonly (readonly [string, unknown])[] {
	const content = treeAt(treeAt(node, 'content'), 'application/json');
	const named = Object.values(treeAt(content, 'examples')).map((one) => followed(document, one)['value']);
	const values = 'example' in content ? [content['example'], ...named] : named;
	return values.map((value) => [`${pointer}/${JSON_CONTENT}/schema`, value] as const);
}

/** The documented bodies of an operation: that of the request, and those of all answers. */
function documentedBodies({ document, pointer }: Source): readonly (readonly [string, unknown])[] {
	const operation = pointer.split('/').reduce<unknown>((node, step) => {
		const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
		return step === '#' ? node : member(node, key);
	}, document);
	if (!isTree(operation)) return [];
	const responses = Object.entries(treeAt(operation, 'responses')).flatMap(([status, node]) => {
		const ref = isTree(node) ? node['$ref'] : undefined;
		const own = typeof ref === 'string' ? ref : `${pointer}/responses/${status}`;
		return examplesOf(document, own, followed(document, node));
	});
	return [...examplesOf(document, `${pointer}/requestBody`, treeAt(operation, 'requestBody')), ...responses];
}

test('every documented body of a request and of an answer is of its own schema', (t) => {
	let checked = 0;
	for (const operation of readOperations())
		for (const source of operation.sources)
			for (const [pointer, value] of documentedBodies(source)) {
				checked += 1;
				t.deepEqual(schemaAt(source.document, pointer)(value), [], pointer);
			}
	t.true(checked > 200, String(checked));
});

test('every documented event and message is of its own schema', (t) => {
	const events = readEvents();
	t.deepEqual(
		[
			events.filter((one) => one.transport === 'socketio').length,
			events.filter((one) => one.transport === 'mqtt').length,
		],
		[8, 7],
	);
	for (const { id, payload, example } of events) t.deepEqual(payload(example), [], id);
});
