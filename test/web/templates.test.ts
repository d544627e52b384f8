import test from 'ava';

import { DESKTOP, PHONE } from './browser.ts';
import { visit } from './mock-visit.ts';
import { fitsPhone, goTo, open } from './phone.ts';

const GOOD_TABLE = [
	'Register;Name;Data type;Factor;Unit',
	'0;Voltage L1;float32;1;V',
	'6;Current L1;float32;1;A',
	'',
].join('\n');

const BAD_TABLE = [
	'Register;Name;Data type;Factor;Unit',
	'0;Voltage L1;float32;1;V',
	'6;Current L1;quaternion;1;A',
	'x;Power;float32;1;W',
	'',
].join('\n');

test.serial('templates are searched by words, origin, verification and mistakes', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true }, async ({ page, look }) => {
		await open(page, 'lines');
		await page.getByRole('link', { name: 'Templates' }).click();
		await page.getByText('5 of 5').waitFor();
		await page.getByText('overlaps with points[4]').waitFor();
		t.is(await page.getByRole('link', { name: 'broken' }).count(), 0);
		await fitsPhone(t, page);
		await look('templates-phone');
		await page.getByLabel('Search').fill('no such maker');
		await page.getByText('No template matches.').waitFor();
		await page.getByLabel('Search').fill('acme 3');
		await page.getByText('1 of 5').waitFor();
		await page.getByLabel('Search').fill('');
		await page.getByLabel('Origin').selectOption('This site');
		await page.getByText('2 of 5').waitFor();
		await page.getByLabel('Only those with mistakes').check();
		await page.getByText('1 of 5').waitFor();
		await page.getByLabel('Origin').selectOption('All');
		await page.getByLabel('Verification').selectOption('Two sources');
		await page.getByText('No template matches.').waitFor();
		await page.getByLabel('Only those with mistakes').uncheck();
		await page.getByRole('link', { name: 'Eastron SDM630' }).waitFor();
		await page.getByLabel('Verification').selectOption('All');
		await page.setViewportSize(DESKTOP);
		await look('templates');
	});
});

test.serial('a template shows its points, its options and its users, and is kept as a file', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true }, async ({ page, look }) => {
		await open(page, 'templates/eastron-sdm630');
		await page.getByText('10 of', { exact: false }).waitFor();
		await page.getByText('Two sources').waitFor();
		await page.getByText('No device').waitFor();
		t.is(await page.getByRole('button', { name: 'Delete' }).count(), 0);
		await fitsPhone(t, page);
		await look('template-phone');
		await page.getByLabel('Filter points').fill('no such point');
		await page.getByText('No point matches.').waitFor();
		await page.getByLabel('Filter points').fill('voltage_l1');
		await page.getByText('Input 0–1').waitFor();
		for (const [button, file] of [
			['JSON', 'eastron-sdm630.json'],
			['CSV', 'eastron-sdm630.csv'],
			['XLSX', 'eastron-sdm630.xlsx'],
			['WoT Thing Model', 'eastron-sdm630.tm.json'],
		] as const) {
			const download = page.waitForEvent('download');
			await page.getByRole('button', { name: button, exact: true }).click();
			t.is((await download).suggestedFilename(), file);
		}
		await page.setViewportSize(DESKTOP);
		await page.getByLabel('Filter points').fill('');
		await look('template');

		await page.setViewportSize(PHONE);
		await goTo(page, 'templates/acme-copycat');
		await page.getByText('1: One, 3: Three').waitFor();
		await page.getByText('Fazlar').waitFor();
		await fitsPhone(t, page);
		await look('template-options-phone');
	});
});

test.serial('a template that devices use is not deleted, and the refusal names them', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, expected: /409|auth\/refresh/ }, async ({ page, look }) => {
		await open(page, 'templates/ostwerk-heat-2');
		await page.getByRole('link', { name: 'Main feed' }).waitFor();
		await page.getByText('gone-meter').waitFor();
		await page.getByRole('button', { name: 'Delete' }).click();
		const dialog = page.getByRole('dialog');
		await dialog.getByRole('button', { name: 'Delete' }).click();
		await dialog.getByRole('alert').getByText('is used by meter-main, gone-meter').waitFor();
		await fitsPhone(t, page);
		await look('template-delete-phone');
		await dialog.getByRole('button', { name: 'Cancel' }).click();

		await goTo(page, 'templates/old-upload');
		await page.getByText('points: must be an array; found "none"').waitFor();
		await fitsPhone(t, page);
		await page.getByRole('button', { name: 'Delete' }).click();
		await dialog.getByRole('button', { name: 'Delete' }).click();
		await page.getByText('4 of 4').waitFor();
	});
});

test.serial('a file with mistakes names their lines, is corrected, and is kept', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, expected: /422|auth\/refresh/ }, async ({ page, look }) => {
		await open(page, 'templates');
		await page.getByRole('link', { name: 'Import' }).click();
		await page.getByRole('button', { name: 'Preview' }).click();
		await page.getByText('Choose a file.').waitFor();
		await page
			.getByLabel('File', { exact: true })
			.last()
			.setInputFiles({
				name: 'huge.csv',
				mimeType: 'text/csv',
				buffer: Buffer.alloc(1024 * 1024 + 1, 'x'),
			});
		await page.getByRole('button', { name: 'Preview' }).click();
		await page.getByText(/^At most 1 MiB/).waitFor();
		await page
			.getByLabel('File', { exact: true })
			.last()
			.setInputFiles({
				name: 'My meter.csv',
				mimeType: 'text/csv',
				buffer: Buffer.from(BAD_TABLE),
			});
		await page.getByLabel('Key').fill('No Key!');
		await page.getByRole('button', { name: 'Preview' }).click();
		await page.locator('input[name="key"][aria-invalid="true"]').waitFor();
		await page.getByLabel('Key').fill('');
		await page.getByText('What the file does not say').click();
		await page.getByLabel('Unit id').fill('300');
		await page.getByRole('button', { name: 'Preview' }).click();
		await page.getByText('A whole number from 0 to 255.').waitFor();
		await fitsPhone(t, page);
		await look('import-phone');
		await page.getByLabel('Unit id').fill('');
		await page.getByLabel('Maker').fill('Acme');
		await page.getByLabel('Model', { exact: true }).fill('M3');
		await page.getByLabel('Category').fill('meter');
		await page.getByRole('button', { name: 'Preview' }).click();
		await page.locator('[data-preview="unsound"]').waitFor();
		await page.getByText('Found: quaternion').waitFor();
		await page.getByText('Line 3, column 3').waitFor();
		await page.getByText('Read as Table (CSV)').waitFor();
		t.is(await page.getByRole('button', { name: /^Keep/ }).count(), 0);
		await fitsPhone(t, page);
		await page.locator('.preview').scrollIntoViewIfNeeded();
		await look('import-mistakes-phone');

		await page.getByText('Text', { exact: true }).click();
		await page.getByLabel('Text of the file').fill(GOOD_TABLE);
		await page.getByLabel('Key').fill('my-meter');
		await page.getByRole('button', { name: 'Preview' }).click();
		await page.locator('[data-preview="sound"]').waitFor();
		await page.getByText('A new template.').waitFor();
		await fitsPhone(t, page);
		await page.setViewportSize(DESKTOP);
		await look('import-sound');
		const put = page.waitForRequest((each) => each.method() === 'PUT');
		await page.getByRole('button', { name: 'Keep as my-meter' }).click();
		t.like((await put).postDataJSON(), { manufacturer: 'Acme', model: 'M3' });
		await page.getByRole('heading', { name: 'Acme M3' }).waitFor();
		await page.getByText('This site').waitFor();
	});
});

test.serial('a template of the product is changed for the site, with what would change in front', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, expected: /412|auth\/refresh/ }, async ({ page, look }) => {
		await open(page, 'templates/eastron-sdm630');
		await page.getByRole('link', { name: 'Change for this site' }).click();
		const text = page.getByLabel('Text of the file');
		t.deepEqual(JSON.parse(await text.inputValue()), { extends: 'eastron-sdm630', points: [] });
		await text.fill('{"extends": "eastron-sdm630", "points": [{"key": "voltage_l1", "unit": "kV", "scale": 0.001}]}');
		await page.getByRole('button', { name: 'Preview' }).click();
		await page.getByText('Goes in front of the template of the product').waitFor();
		await page.getByText('Points changed').waitFor();
		await page.locator('ins', { hasText: 'kV' }).waitFor();
		await fitsPhone(t, page);
		await page.locator('.preview').scrollIntoViewIfNeeded();
		await look('import-diff-phone');
		await page.getByRole('button', { name: 'Keep as eastron-sdm630' }).click();
		await page.getByRole('link', { name: 'Change', exact: true }).waitFor();
		await page.getByText('This site').waitFor();

		await page.getByRole('link', { name: 'Change', exact: true }).click();
		t.regex(await text.inputValue(), /"kV"/);
		await page.getByRole('button', { name: 'Preview' }).click();
		await page.getByText('The same as what is there.').waitFor();
		// Somebody else is faster: what is kept now would undo it unseen.
		await page.route('**/api/v1/templates/eastron-sdm630', async (route) => {
			t.regex(route.request().headers()['if-match'] ?? '', /^"[0-9a-f]{64}"$/);
			await route.continue({ headers: { ...route.request().headers(), 'if-match': '"0"' } });
		});
		await page.getByRole('button', { name: /^Keep as/ }).click();
		await page.getByRole('alert').getByText('was changed meanwhile').waitFor();
	});
});

test.serial('what the server refuses of a document stands beside the button that keeps it', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, expected: /422|auth\/refresh/ }, async ({ page, look }) => {
		await open(page, 'import-template/ostwerk-heat-2');
		await page.getByRole('button', { name: 'Preview' }).click();
		await page.locator('[data-preview="sound"]').waitFor();
		await page.route('**/api/v1/templates/ostwerk-heat-2', async (route) => {
			const body: unknown = route.request().postDataJSON();
			await route.continue({ postData: JSON.stringify(Object.assign({}, body, { max_registers: 999 })) });
		});
		await page.getByRole('button', { name: /^Keep as/ }).click();
		await page.getByRole('alert').getByText('max_registers').waitFor();
		await fitsPhone(t, page);
		await look('import-refused-phone');
		await page.getByRole('button', { name: 'Correct as JSON' }).click();
		t.regex(await page.getByLabel('Text of the file').inputValue(), /"Ostwerk"/);
		// Nobody keeps what is not the text in front of them.
		t.is(await page.locator('[data-preview]').count(), 0);
		await page.getByRole('button', { name: 'Preview' }).click();
		await page.locator('[data-preview="sound"]').waitFor();
		await page.getByLabel('Text of the file').fill('{');
		await page.locator('[data-preview]').waitFor({ state: 'detached' });
	});
});

test.serial('somebody who may not change templates only reads them', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, role: 'viewer' }, async ({ page }) => {
		await open(page, 'templates');
		await page.getByRole('link', { name: 'Ostwerk Heat meter 2' }).waitFor();
		t.is(await page.getByRole('link', { name: 'Import' }).count(), 0);
		await page.getByRole('link', { name: 'Ostwerk Heat meter 2' }).click();
		await page.getByText('Voltage L1').waitFor();
		t.is(await page.getByRole('button', { name: 'Delete' }).count(), 0);
		t.is(await page.getByRole('link', { name: /^Change/ }).count(), 0);
		await goTo(page, 'import-template');
		await page.getByText('There is no such page.').waitFor();
	});
});
