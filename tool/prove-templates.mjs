/**
 * Looks at every template of the product and writes down which of them are sound, for the program to start by: what has been proven here
 * is not looked at again at each start. Run by `tool/prepare.mjs` when a template or what judges templates has changed.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { proofOf } from '../dist/config/template/proven-files.js';
import { readTemplates } from '../dist/config/template/template-schema.js';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const FOLDER = join(ROOT, 'config', 'template');
const LIST = join(ROOT, 'dist', 'proven-templates');

const { templates } = await readTemplates(FOLDER);
const proofs = [...templates.keys()].map((key) => {
	const file = `${key}.json`;
	return proofOf(file, readFileSync(join(FOLDER, file), 'utf8'));
});
writeFileSync(`${LIST}.new`, proofs.map((proof) => `${proof}\n`).join(''));
renameSync(`${LIST}.new`, LIST);
