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

test('the eighteen cases are all in the list', (t) => {
	const numbers = new Set(cases.flatMap(({ what }) => /^\d+(, \d+)*/.exec(what)?.[0].split(', ') ?? []));
	for (let number = 1; number <= 18; number += 1) t.true(numbers.has(String(number)), `case ${number}`);
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
