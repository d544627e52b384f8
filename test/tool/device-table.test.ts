import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import test from 'ava';

interface DeviceTable {
	readonly devicePage: (documents: readonly unknown[]) => string;
	readonly shippedDocuments: () => readonly unknown[];
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- plain JavaScript, which is a tool of the checkout
const { devicePage, shippedDocuments } = (await import(
	pathToFileURL(join(process.cwd(), 'tool', 'device-table.mjs')).href
)) as DeviceTable;

test('the page of supported devices is as the templates are', async (t) => {
	const page = await readFile(join(process.cwd(), 'docs', 'devices.md'), 'utf8');
	t.is(page, devicePage(shippedDocuments()), 'write it anew with `node tool/device-table.mjs`');
});
