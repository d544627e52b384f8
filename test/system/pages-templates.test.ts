import { readFile } from 'node:fs/promises';

import test from 'ava';

import { DESKTOP, PHONE, isSkipped, launchBrowser, overhang } from '../web/browser.ts';
import { claim, look, menu } from './kit/pages-scene.ts';
import { login } from './kit/rest.ts';
import { createStage } from './kit/stage.ts';

const HEAD = 'name,address,function,type,unit';
const BAD_TABLE = `${HEAD}\nVoltage L1,0,4,float32,V\nCurrent L1,6,4,quaternion,A\n`;
const GOOD_TABLE = BAD_TABLE.replace('quaternion', 'float32');
/** Of one step, on a machine that does other things as well. */
const WITHIN_MS = 60_000;
const LOOK_HEIGHT = 1_500;

test.serial(
	'a template is imported, used, changed for the site, exported, and only deleted when it is free',
	async (t) => {
		t.timeout(240_000);
		if (isSkipped(t)) return;
		const stage = createStage(t);
		const simulator = await stage.spawnSimulator('--tcp', '0:1');
		const gateway = await stage.spawnGateway({ devices: [] });
		const browser = await launchBrowser();
		t.teardown(() => browser.close());
		const { page, complaints } = await browser.visit({ url: gateway.url(), expected: /auth\/refresh|409|422/ });
		page.setDefaultTimeout(WITHIN_MS);
		await page.setViewportSize(PHONE);
		await claim(page, await gateway.claimCode());

		await menu(page, 'Lines');
		await page.getByRole('link', { name: 'Templates' }).click();
		await page.getByLabel('Search').fill('eastron sdm630');
		await page
			.getByRole('link', { name: /SDM630/ })
			.first()
			.click();
		await page.getByText('Two sources').waitFor();
		await page.getByText('No device').waitFor();
		await page.getByLabel('Filter points').fill('voltage_l1');
		await page.getByText('Input 0–1').first().waitFor();
		t.is(await overhang(page), 0);
		for (const [button, file] of [
			['JSON', 'eastron-sdm630.json'],
			['XLSX', 'eastron-sdm630.xlsx'],
		] as const) {
			const download = page.waitForEvent('download');
			await page.getByRole('button', { name: button, exact: true }).click();
			const kept = await download;
			t.is(kept.suggestedFilename(), file);
			t.true((await readFile(await kept.path())).length > 1_000);
		}

		await page.getByRole('link', { name: 'Templates' }).first().click();
		await page.getByRole('link', { name: 'Import' }).click();
		await page.getByText('Text', { exact: true }).click();
		await page.getByLabel('Text of the file').fill(BAD_TABLE);
		await page.getByLabel('Key').fill('acme-m3');
		await page.getByText('What the file does not say').click();
		await page.getByLabel('Maker').fill('Acme');
		await page.getByLabel('Model', { exact: true }).fill('M3');
		await page.getByLabel('Category').fill('meter');
		await page.getByRole('button', { name: 'Preview' }).click();
		await page.getByText('Found: quaternion').waitFor();
		await page.getByText(/^Line 3/).waitFor();
		t.is(await overhang(page), 0);
		await page.getByLabel('Text of the file').fill(GOOD_TABLE);
		await page.getByRole('button', { name: 'Preview' }).click();
		await page.getByText('A new template.').waitFor();
		await page.getByRole('button', { name: 'Keep as acme-m3' }).click();
		await page.getByRole('heading', { name: 'Acme M3' }).waitFor();
		await page.getByText('This site').waitFor();

		await menu(page, 'Devices');
		await page.getByRole('link', { name: 'Add device' }).click();
		await page.getByLabel('Name', { exact: true }).fill('Workshop');
		await page.getByLabel('UID').fill('workshop');
		await page.getByLabel('Host').fill('127.0.0.1');
		await page.getByLabel('Port').fill(String(simulator.port()));
		await page.getByLabel('Device template').selectOption('acme-m3');
		await page.getByRole('button', { name: 'Add device' }).click();
		await page.getByRole('heading', { name: 'Workshop' }).waitFor();
		await page.locator('tr[data-point="voltage_l1"] .q-good .number').waitFor();

		await menu(page, 'Lines');
		await page.getByRole('link', { name: 'Templates' }).click();
		await page.getByLabel('Origin').selectOption('This site');
		await page.getByRole('link', { name: 'Acme M3' }).click();
		await page.getByRole('button', { name: 'Delete' }).click();
		const dialog = page.getByRole('dialog');
		await dialog.getByRole('button', { name: 'Delete' }).click();
		await dialog
			.getByRole('alert')
			.getByText(/is used by workshop/)
			.waitFor();
		await dialog.getByRole('button', { name: 'Cancel' }).click();
		t.is(await overhang(page), 0);
		await look(page, 'gateway-template-phone', LOOK_HEIGHT);

		await page.getByRole('link', { name: 'Change', exact: true }).click();
		const text = page.getByLabel('Text of the file');
		await page.getByRole('button', { name: 'Preview' }).click();
		await page.getByText('The same as what is there.').waitFor();
		await text.fill((await text.inputValue()).replace('"V"', '"kV"'));
		await page.getByRole('button', { name: 'Preview' }).click();
		await page.getByText('Points changed').waitFor();
		await page.setViewportSize(DESKTOP);
		await look(page, 'gateway-template-change', LOOK_HEIGHT);
		await page.setViewportSize(PHONE);
		await page.getByRole('button', { name: 'Keep as acme-m3' }).click();
		await page.getByRole('heading', { name: 'Acme M3' }).waitFor();
		await page.getByText('kV', { exact: true }).waitFor();

		await page.getByRole('link', { name: 'Workshop' }).click();
		await page.getByRole('heading', { name: 'Workshop' }).waitFor();
		const rest = await login(gateway.url());
		t.is((await rest.delete('/api/v1/devices/workshop')).status, 204);
		await page.goBack();
		await page.getByText('No device').waitFor();
		await page.getByRole('button', { name: 'Delete' }).click();
		await dialog.getByRole('button', { name: 'Delete' }).click();
		await page.getByRole('heading', { name: 'Templates' }).waitFor();
		await page.getByLabel('Search').fill('acme m3');
		await page.getByText('No template matches.').waitFor();
		t.deepEqual(complaints, []);
	},
);
