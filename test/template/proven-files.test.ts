import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { proofOf, readProvenFiles } from '../../config/template/proven-files.ts';
import { templateFile } from '../../config/template/template-file.ts';
import { readTemplates } from '../../config/template/template-schema.ts';

const LIBRARY = join(process.cwd(), 'config', 'template');

/** Proofs of the files of a folder as they are now. */
async function proofsOf(folder: string, keys: Iterable<string>): Promise<ReadonlySet<string>> {
	const proofs = Array.from(keys, async (key) =>
		proofOf(`${key}.json`, await readFile(join(folder, `${key}.json`), 'utf8')),
	);
	return new Set(await Promise.all(proofs));
}

async function withFolder(act: (folder: string) => Promise<void>): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), 'drawbridge-proven-'));
	try {
		await act(folder);
	} finally {
		await rm(folder, { recursive: true });
	}
}

test('a template that is proven to be sound is the same as one that was looked at, to the byte of its file', async (t) => {
	const looked = await readTemplates(LIBRARY);
	const proven = await readTemplates(LIBRARY, new Map(), await proofsOf(LIBRARY, looked.templates.keys()));
	t.deepEqual(proven.mistakes, []);
	t.deepEqual([...proven.templates.keys()], [...looked.templates.keys()]);
	for (const [key, template] of looked.templates) {
		const other = proven.templates.get(key);
		t.deepEqual(other, template, key);
		if (other !== undefined)
			t.deepEqual(JSON.parse(JSON.stringify(templateFile(other))), JSON.parse(JSON.stringify(templateFile(template))));
	}
});

test('a proof is of the content and of the name: what was changed since is looked at', async (t) => {
	await withFolder(async (folder) => {
		await cp(join(LIBRARY, 'xy-md02.json'), join(folder, 'xy-md02.json'));
		const proven = await proofsOf(folder, ['xy-md02']);
		const text = await readFile(join(folder, 'xy-md02.json'), 'utf8');
		await writeFile(join(folder, 'xy-md02.json'), text.replace('"count": 1', '"count": 9'));
		await writeFile(join(folder, 'xy-md03.json'), text.replace('"count": 1', '"count": 9'));
		const { templates, mistakes } = await readTemplates(folder, new Map(), proven);
		t.is(templates.size, 0);
		const files = new Set(mistakes.map(({ path }) => path.split(':')[0]));
		t.deepEqual([...files], ['xy-md02.json', 'xy-md03.json']);
	});
});

test('a proof keeps its file from being looked at, so that a start is spared the work', async (t) => {
	await withFolder(async (folder) => {
		const unsound = JSON.stringify({ manufacturer: 'Acme', model: '1', points: [{ key: 'BAD KEY' }] });
		await writeFile(join(folder, 'acme.json'), unsound);
		t.is((await readTemplates(folder)).templates.size, 0);
		const { templates } = await readTemplates(folder, new Map(), await proofsOf(folder, ['acme']));
		t.is(templates.get('acme')?.points[0]?.key, 'BAD KEY');
	});
});

test('a list of proofs that is missing or damaged proves nothing that is not in it', async (t) => {
	await withFolder(async (folder) => {
		t.is((await readProvenFiles(join(folder, 'none'))).size, 0);
		await writeFile(join(folder, 'list'), 'abc\n\n\0\0\0');
		t.false((await readProvenFiles(join(folder, 'list'))).has(proofOf('a.json', '{}')));
		await writeFile(join(folder, 'list'), `${proofOf('a.json', '{}')}\n`);
		t.deepEqual([...(await readProvenFiles(join(folder, 'list')))], [proofOf('a.json', '{}')]);
	});
});
