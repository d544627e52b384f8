import { join } from 'node:path';

import test from 'ava';

import { templateFile } from '../../config/template/template-file.ts';
import { parseTemplate, readTemplates } from '../../config/template/template-schema.ts';
import { csvOf, workbookOf } from '../../gateway/template/export/table-export.ts';
import { formatOf, importFile } from '../../gateway/template/import/import-formats.ts';
import { optionsOf } from '../fake/import-options.ts';

const library = await readTemplates(join(process.cwd(), 'config/template'));
/** Those that are read from registers. */
const templates = new Map([...library.templates].filter(([, { serial }]) => serial === undefined));

test('there are templates to try this with', (t) => {
	t.true(templates.size >= 40);
});

for (const [format, write] of [
	['csv', (key: string) => Buffer.from(csvOf(templates.get(key) ?? t404(key)))],
	['xlsx', (key: string) => workbookOf(templates.get(key) ?? t404(key))],
	['template', (key: string) => Buffer.from(JSON.stringify(templateFile(templates.get(key) ?? t404(key))))],
] as const)
	test(`every shipped template is the same after it was exported and imported as ${format}`, (t) => {
		for (const [key, template] of templates) {
			const content = write(key);
			t.is(formatOf(`${key}.dat`, content), format, key);
			const { document, notes } = importFile(format, content, optionsOf());
			t.deepEqual(notes, [], key);
			t.deepEqual(templateFile(parseTemplate(key, document)), templateFile(template), key);
		}
	});

function t404(key: string): never {
	throw new RangeError(`no template ${key}`);
}
