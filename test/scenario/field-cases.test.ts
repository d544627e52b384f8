import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

interface FieldCase {
	readonly what: string;
	readonly file: string;
	/** Beginning of a test's name; empty for a folder. */
	readonly name: string;
}

const ROW = /^\| (.+?) +\| `([^`]+)` +\| (.*?) *\|$/;

const cases: readonly FieldCase[] = readFileSync(join(process.cwd(), 'docs', 'field-cases.md'), 'utf8')
	.split('\n')
	.flatMap((row) => {
		const [, what, file, name = ''] = ROW.exec(row) ?? [];
		return what === undefined || file === undefined ? [] : [{ what, file, name }];
	});

test('the cases of the bus are all in the list', (t) => {
	const numbers = new Set(cases.map(({ what }) => Number(/^\d+/.exec(what)?.[0])));
	for (const number of [1, 2, 3, 9, 11, 12, 13, 14, 15, 16]) t.true(numbers.has(number), `case ${number}`);
});

for (const { what, file, name } of cases) {
	test(`the test of the field case "${what}" is there`, (t) => {
		const path = join(process.cwd(), file);
		t.true(existsSync(path), file);
		if (statSync(path).isDirectory()) t.true(existsSync(join(path, 'expect.json')), file);
		else
			t.regex(
				readFileSync(path, 'utf8'),
				new RegExp(`test(\\.serial)?\\(\\s*['\`]${name.replaceAll(/[()[\].+*?$^]/g, '\\$&')}`),
				name,
			);
	});
}
