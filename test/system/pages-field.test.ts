import test from 'ava';
import type { Page } from 'playwright-core';

import { PHONE, isSkipped, launchBrowser, overhang } from '../web/browser.ts';
import { claim, look, menu } from './kit/pages-scene.ts';
import { findPeer } from './kit/peer.ts';
import { createStage } from './kit/stage.ts';

const value = (page: Page, point: string) => page.locator(`tr[data-point="${point}"] .q-good .number`);

test.serial(
	'an installer finds a meter on a serial port, adds it, sees its values and what passes on the line',
	async (t) => {
		t.timeout(400_000);
		if (isSkipped(t)) return;
		if (findPeer(t, 'socat') === null) return;
		const stage = createStage(t);
		const simulator = await stage.spawnSimulator('--rtu', `${stage.folder}:3`);
		const gateway = await stage.spawnGateway({ devices: [], settings: { site: { name: 'Plant North' } } });
		const browser = await launchBrowser();
		t.teardown(() => browser.close());
		const { page, complaints } = await browser.visit({ url: gateway.url(), expected: /auth\/refresh|422/ });
		await page.setViewportSize(PHONE);
		await claim(page, await gateway.claimCode());
		await menu(page, 'Lines');
		await page.getByText('No line yet.').waitFor();

		await page.getByRole('link', { name: 'Find devices' }).click();
		await page.getByText('More', { exact: true }).click();
		const path = simulator.lines[0]?.path ?? '';
		await page.getByLabel('Other ports').fill('ttyUSB0');
		await page.getByRole('button', { name: 'Start' }).click();
		await page.getByRole('alert').getByText('paths').waitFor();
		// The machine of the test may have a port of its own.
		for (const tick of await page.locator('.ports input:checked').all()) await tick.uncheck();
		await page.getByLabel('Other ports').fill(path);
		await page.getByLabel('Baud rates').fill('9600');
		await page.getByLabel('Unit ids').fill('1-4');
		await page.getByRole('button', { name: 'Start' }).click();
		const unit = page.locator('[data-found="3"]');
		await unit.getByText('SDM630').first().waitFor();
		await page.locator('[data-scan="done"]').waitFor({ timeout: 60_000 });
		t.is(await page.locator('[data-found]').count(), 1);
		t.is(await overhang(page), 0);
		await look(page, 'gateway-scan', 1_180);

		await unit.getByRole('link', { name: 'Try a register' }).click();
		await page.getByLabel('Function').selectOption('4');
		await page.getByLabel('Address').fill('0');
		await page.getByRole('button', { name: 'Read' }).click();
		await page
			.getByText(/looks like a phase voltage/)
			.first()
			.waitFor();
		t.is(await overhang(page), 0);
		await page.evaluate('scrollTo({ top: 0, behavior: "instant" })');
		await look(page, 'gateway-try', 1_350);
		await page.getByLabel('Address').fill('60000');
		await page.getByRole('button', { name: 'Read' }).click();
		await page
			.getByText(/^Exception 2/)
			.first()
			.waitFor();
		await page.goBack();

		await unit.getByRole('link', { name: 'Add as device' }).click();
		await page.getByLabel('Device template').selectOption('eastron-sdm630');
		t.is(await page.getByLabel('Unit id').inputValue(), '3');
		await page.getByLabel('Name', { exact: true }).fill('Cellar');
		await page.getByText(/s per 1 s/).waitFor();
		t.is(await overhang(page), 0);
		await page.evaluate('scrollTo({ top: 0, behavior: "instant" })');
		await look(page, 'gateway-add-device', 2_000);
		await page.getByRole('button', { name: 'Add device' }).click();
		await page.getByRole('heading', { name: 'Cellar' }).waitFor();
		await value(page, 'voltage_l1').waitFor();

		await menu(page, 'Lines');
		await page.getByRole('link', { name: /^rtu/ }).click();
		await page.getByRole('heading', { name: /Unit 3 · Cellar/ }).waitFor();
		await page.getByRole('button', { name: 'Record 1 min' }).click();
		await page.locator('.frame.received code').first().waitFor();
		await page
			.locator('.frame.sent')
			.getByText(/unit 3/i)
			.first()
			.waitFor();
		const download = page.waitForEvent('download');
		await page.getByRole('button', { name: 'Download' }).click();
		t.regex((await download).suggestedFilename(), /\.capture\.jsonl$/);
		await page.getByRole('button', { name: 'Stop' }).click();
		await page.getByText(/^Recorded from/).waitFor();
		t.is(await overhang(page), 0);
		await page.evaluate('scrollTo({ top: 0, behavior: "instant" })');
		await look(page, 'gateway-line', 1_700);

		await page.getByRole('link', { name: 'Lines' }).first().click();
		await page.getByRole('link', { name: 'Commissioning report' }).click();
		await page.getByText('Plant North').waitFor();
		await page.getByText('Not signed').waitFor();
		t.is(await overhang(page), 0);
		t.deepEqual(complaints, []);
	},
);
