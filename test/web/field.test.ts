import test from 'ava';

import { MOCK_FAULT } from '../fake/mock-field.ts';
import { visit } from './mock-visit.ts';
import { fitsPhone, goTo, open } from './phone.ts';

test.serial('a line tells its load, its wiring and its units, and shows recorded frames', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true }, async ({ page, look }) => {
		await open(page, 'lines');
		await page.getByText('needs 1.6 s per 1 s').waitFor();
		await fitsPhone(t, page);
		await look('lines-phone');
		await page.getByRole('link', { name: /^rtu/ }).click();
		await page.getByText('Poor').first().waitFor();
		await page.getByText('check the termination of the line').first().waitFor();
		await page.getByText('1.6 s per 1 s', { exact: true }).waitFor();
		await page.getByText('2 illegal data address × 12').first().waitFor();
		t.is(await page.locator('[data-unit]').count(), 2);
		t.is(await page.getByText('up to 100 ms: 15,000', { exact: true }).count(), 1);
		await fitsPhone(t, page);
		await look('line-phone');

		await page.getByRole('button', { name: 'Record 5 min' }).press('Enter');
		await page.getByText('01 03 04 43 66 99 99 D5 B4').waitFor();
		await page.getByText('damaged', { exact: true }).waitFor();
		await page.getByText('after 52.9 ms').waitFor();
		await page.locator('.frames').scrollIntoViewIfNeeded();
		await fitsPhone(t, page);
		await look('frames-phone');
		const download = page.waitForEvent('download');
		await page.getByRole('button', { name: 'Download' }).click();
		t.regex((await download).suggestedFilename(), /^rtu-dev-serial.*\.capture\.jsonl$/);
		await page.getByRole('button', { name: 'Stop' }).click();
		await page.getByText(/^Recorded from/).waitFor();
		await page.getByRole('button', { name: 'Forget' }).click();
		await page.locator('.frames').waitFor({ state: 'detached' });
		await page.setViewportSize({ width: 1280, height: 1000 });
		await page.evaluate('scrollTo(0, 0)');
		await look('line');
	});
});

test.serial(
	'the line of a serial device that is not Modbus tells what it says, and no registers are tried',
	async (t) => {
		await visit(t, { hull: 'gateway', claimed: true }, async ({ page, look }) => {
			await open(page, 'lines');
			await page.getByRole('link', { name: /^serial/ }).click();
			const card = page.locator('[data-stream]');
			await card.getByRole('link', { name: 'Grid meter' }).waitFor();
			await card.getByText('It sends by itself').waitFor();
			await card.getByText('86,402', { exact: true }).waitFor();
			const facts = await card.locator('.facts > div').allInnerTexts();
			t.true(
				facts.some((text) => /^Wrong checksums\s+7$/.test(text)),
				facts.join(),
			);
			t.true(facts.some((text) => /^Framing errors\s+3$/.test(text)));
			t.false(
				facts.some((text) => text.startsWith('Requests')),
				'nobody asks it',
			);
			t.is(await page.getByText('Nobody was asked yet.').count(), 0);
			t.is(await page.getByRole('heading', { name: 'Load' }).count(), 0, 'how busy it is nobody knows');
			t.is(await page.getByRole('heading', { name: 'Units' }).count(), 0);
			t.is(await page.getByRole('link', { name: /register/i }).count(), 0);
			t.is(await page.getByRole('button', { name: 'Record 5 min' }).count(), 1);
			await fitsPhone(t, page);
			await look('stream-phone');
			await page.setViewportSize({ width: 1280, height: 1000 });
			await look('stream');

			await goTo(page, 'try');
			const lines = page.getByLabel('Line or device').locator('optgroup[label="Lines"] option');
			await lines.first().waitFor({ state: 'attached' });
			t.deepEqual(
				(await lines.allTextContents()).map((text) => text.split(' ')[0]),
				['tcp', 'rtu'],
			);
		});
	},
);

test.serial('frames are recorded until the next fault, which is told with its time', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true }, async ({ page, look, api }) => {
		await open(page, 'lines');
		await page.getByRole('link', { name: /^rtu/ }).click();
		const request = page.waitForRequest((each) => each.method() === 'POST' && each.url().endsWith('/frames'));
		await page.getByRole('button', { name: 'Record until the next fault' }).press('Enter');
		t.deepEqual((await request).postDataJSON(), { seconds: 604_800, until_fault: true });
		await page.getByText(/^Waiting for a fault until/).waitFor();
		await page.getByRole('button', { name: 'Stop' }).waitFor();
		t.is(await page.getByRole('button', { name: /^Record/ }).count(), 0);
		await fitsPhone(t, page);
		const caught = page.getByText(/^Fault caught at .*: Heat pumps: no answer from unit 2$/);
		t.true((await page.request.post(`${api.url}${MOCK_FAULT}`)).ok());
		await caught.waitFor();
		await page.getByText(/The frames before it are kept for a week/).waitFor();
		await page.getByRole('button', { name: 'Record until the next fault' }).scrollIntoViewIfNeeded();
		await fitsPhone(t, page);
		await look('frames-fault-phone');
		await page.getByRole('button', { name: 'Forget' }).click();
		await caught.waitFor({ state: 'detached' });

		await page.getByRole('button', { name: 'Record until the next fault' }).click();
		await page.getByRole('button', { name: 'Stop' }).click();
		await page.getByText(/^No fault came/).waitFor();
	});
});

test.serial('whoever was overtaken in a change of a device is told so, and goes on from what it is now', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, expected: /412|auth\/refresh/ }, async ({ page, look }) => {
		const seen: (string | undefined)[] = [];
		let etag = '"7-a1b2c3d4"';
		await page.route(/\/api\/v1\/devices\/dd[0-9a-f-]+$/, async (route) => {
			const isChange = route.request().method() === 'PATCH';
			if (isChange) seen.push(route.request().headers()['if-match']);
			if (isChange && seen.at(-1) !== etag) {
				await route.fulfill({ status: 412, json: { detail: 'the document was changed meanwhile' } });
				return;
			}
			const response = await route.fetch({ method: 'GET' });
			await route.fulfill({ response, headers: { ...response.headers(), etag } });
		});
		await open(page, `edit-device/dd000000-0000-4000-8000-000000000005`);
		const name = page.getByLabel('Name', { exact: true });
		await name.fill('Office');
		etag = '"8-a1b2c3d4"';
		await page.getByRole('button', { name: 'Save' }).click();
		await page
			.getByRole('alert')
			.getByText('Somebody else changed this device meanwhile. Nothing was saved.')
			.waitFor();
		const again = page.getByRole('button', { name: 'Load it as it is now' });
		await page.locator('button:focus', { hasText: 'Load it' }).waitFor();
		t.is(await name.inputValue(), 'Office');
		await fitsPhone(t, page);
		await look('overtaken-phone');
		await again.press('Enter');
		await again.waitFor({ state: 'detached' });
		t.is(await name.inputValue(), 'Office climate');
		await name.fill('Office');
		await page.getByRole('button', { name: 'Save' }).click();
		await page.getByRole('heading', { name: 'Office climate' }).waitFor();
		t.deepEqual(seen, ['"7-a1b2c3d4"', '"8-a1b2c3d4"']);
	});
});

test.serial('a line that is not there says so', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, expected: /404|auth\/refresh/ }, async ({ page }) => {
		await open(page, 'lines/rtu%20gone');
		await page.getByRole('alert').getByText('there is no such line').waitFor();
		t.is(await page.getByRole('button', { name: /^Record/ }).count(), 0);
	});
});

test.serial('a scan finds units one after another, and one is added with what the scan knows', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, expected: /422|auth\/refresh/ }, async ({ page, look }) => {
		await open(page, 'lines');
		await page.getByRole('link', { name: 'Find devices' }).click();
		await page.getByText('used by this gateway').waitFor();
		await fitsPhone(t, page);
		await page.getByRole('button', { name: 'Start' }).click();
		await page.getByRole('alert').getByText('Choose a port.').waitFor();
		await look('scan-form-phone');
		await page.getByText('More', { exact: true }).click();
		await page.getByLabel('Unit ids').fill('1-300');
		await page.getByLabel(/FTDI USB-RS485/).press('Space');
		await page.getByRole('button', { name: 'Start' }).click();
		await page.getByText('Numbers from 0 to 255').waitFor();
		await page.getByLabel('Unit ids').fill('1-32, 100');
		await fitsPhone(t, page);
		await page.getByRole('button', { name: 'Start' }).click();
		await page.getByText('Running').waitFor();
		await page.locator('[data-found="7"]').waitFor();
		await page.getByText('Two devices seem to have the id 7').waitFor();
		await page.locator('[data-found="1"]').getByText('Eastron SDM630').waitFor();
		await fitsPhone(t, page);
		await look('scan-phone');
		await page.locator('[data-scan="done"]').waitFor();
		t.is(await page.getByRole('button', { name: 'Stop the scan' }).count(), 0);

		await page.locator('[data-found="1"]').getByRole('link', { name: 'Add as device' }).click();
		await page.getByText('Filled in from the scan').waitFor();
		await page
			.getByLabel('Device template')
			.locator('option:checked', { hasText: 'SDM630' })
			.waitFor({ state: 'attached' });
		t.is(await page.getByLabel('Baud rate').inputValue(), '19200');
		t.is(await page.getByLabel('Parity').inputValue(), 'even');
		t.regex(await page.getByLabel('Serial port').inputValue(), /usb-FTDI/);
		await page.getByText('needs 1.6 s per 1 s').waitFor();
		await page.getByText('Checked against two independent sources').waitFor();
		await fitsPhone(t, page);
		await page.evaluate('scrollTo(0, 0)');
		await look('add-found-phone');
	});
});

test.serial('a scan is stopped, and networks that are refused are named at their field', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, expected: /422|auth\/refresh/ }, async ({ page }) => {
		await open(page, 'scan');
		await page.getByText('Network', { exact: true }).click();
		await page.getByLabel('Networks').fill('8.8.8.0/24');
		await page.getByRole('button', { name: 'Start' }).click();
		await page.getByText('must be networks of this box').waitFor();
		t.is(await page.getByLabel('Networks').getAttribute('aria-invalid'), 'true');
		await page.getByText('Serial ports', { exact: true }).click();
		await page.getByLabel(/ttyAMA0/).check();
		await page.getByRole('button', { name: 'Start' }).click();
		await page.getByRole('button', { name: 'Stop the scan' }).click();
		await page.getByText('cancelled by admin@example.org').waitFor();
		await page.getByRole('link', { name: 'New scan' }).click();
		await page.getByRole('link', { name: /14 settings/ }).waitFor();
		await fitsPhone(t, page);
	});
});

test.serial('a register is tried, and what it could mean is ranked', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, expected: /422|auth\/refresh/ }, async ({ page, look }) => {
		await open(page, 'try');
		await page.getByLabel('Address').fill('1');
		await page.getByRole('button', { name: 'Read' }).click();
		await page.getByText('line is required').waitFor();
		await page.getByLabel('Line or device').selectOption('tcp 192.168.10.21:502');
		await page.getByLabel('Expected value').fill('about 230');
		await page.getByLabel('Expected value').press('Enter');
		await page.getByText('Must be a number.').waitFor();
		await page.getByLabel('Expected value').fill('230,1');
		await page.getByLabel('Expected value').press('Enter');
		await page.getByText('230.1 looks like a phase voltage in V').waitFor();
		await page.getByText('4366', { exact: true }).waitFor();
		await page.getByText('answered in 2.4 ms').waitFor();
		await fitsPhone(t, page);
		await look('try-phone');
		await page.getByLabel('Address').fill('9999');
		await page.getByRole('button', { name: 'Read' }).click();
		await page.getByText('Exception 2: illegal data address').waitFor();
		t.is(await page.getByText('What it could mean').count(), 0);
	});
});

test.serial('a template is searched, its options are shown, and an unverified one says so', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, expected: /422|auth\/refresh/ }, async ({ page, look }) => {
		await open(page, 'add-device');
		await page.getByLabel('Search templates').fill('nothing like this');
		await page.getByText('No template matches.').waitFor();
		await page.getByLabel('Search templates').fill('acme');
		await page.getByText('Unverified: compare all values').waitFor();
		t.is(await page.getByLabel('Phases').inputValue(), '3');
		await page.getByLabel('Has a clock').selectOption('Yes');
		await page.getByLabel('Host').fill('192.168.10.21');
		await page.getByText('then needs 0.019 s per 1 s: time enough').waitFor();
		const request = page.waitForRequest((each) => each.method() === 'POST' && each.url().endsWith('/devices'));
		await page.getByText('More', { exact: true }).click();
		await page.getByLabel('Requests at once').fill('4');
		await page.getByLabel('TLS (Modbus/TCP Security)').check();
		await page.getByLabel('Authority').fill('plant');
		await fitsPhone(t, page);
		await look('add-phone');
		await page.getByLabel('Name', { exact: true }).fill('Copy');
		await page.getByRole('button', { name: 'Add device' }).click();
		t.like((await request).postDataJSON(), {
			name: 'Copy',
			connection: {
				line: { transport: 'tcp', host: '192.168.10.21', port: 502, depth: 4, tls: { authority: 'plant' } },
				template: 'acme-copycat',
				options: [
					{ name: 'phases', value: 3 },
					{ name: 'has_clock', value: true },
				],
			},
		});
		await page.getByRole('heading', { name: 'Copy' }).waitFor();
	});
});

test.serial('a SunSpec device describes itself, and what it says becomes its template', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, expected: /404|auth\/refresh/ }, async ({ page, look }) => {
		await open(page, 'add-device');
		await page.getByLabel('Host').fill('192.168.10.30');
		await page.getByLabel('Unit id').fill('9');
		await page.getByRole('button', { name: /SunSpec/ }).click();
		await page.getByRole('alert').getByText('unit 9 has no SunSpec marker').waitFor();
		await page.getByLabel('Unit id').fill('1');
		await page.getByRole('button', { name: /SunSpec/ }).click();
		await page.getByText('Fronius Symo 10.0, serial number 3041.').waitFor();
		await page.getByText('Left out: model 64111 is not known').waitFor();
		const chosen = page.getByLabel('Device template').locator('option:checked');
		await chosen.getByText('Symo 10.0').waitFor({ state: 'attached' });
		t.is(await page.getByLabel('Device template').inputValue(), 'sunspec-fronius-symo');
		await fitsPhone(t, page);
		await look('sunspec-phone');
	});
});

test.serial('the commissioning report is shown, printed without the menu, and kept as a file', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true }, async ({ page, look }) => {
		await open(page, 'lines');
		await page.getByRole('link', { name: 'Commissioning report' }).click();
		await page.getByText('1 of 2 OK').waitFor();
		await page.getByText('no value has ever arrived').waitFor();
		await fitsPhone(t, page);
		await look('commissioning-phone');
		const download = page.waitForEvent('download');
		await page.getByRole('button', { name: 'Download (JSON)' }).click();
		t.regex((await download).suggestedFilename(), /^commissioning-\d{4}-\d\d-\d\d\.json$/);
		await page.setViewportSize({ width: 794, height: 1123 });
		await page.emulateMedia({ media: 'print' });
		t.false(await page.getByRole('navigation', { name: 'Main menu' }).isVisible());
		t.false(await page.getByRole('button', { name: 'Print' }).isVisible());
		t.true(await page.getByText('Date, name and signature').isVisible());
		await look('commissioning-print');
	});
});

test.serial('somebody who may not set up devices is offered none of it', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, role: 'viewer' }, async ({ page }) => {
		await open(page, 'lines');
		await page.getByText('CRC errors').first().waitFor();
		t.is(await page.getByRole('link', { name: 'Find devices' }).count(), 0);
		t.is(await page.getByRole('link', { name: 'Commissioning report' }).count(), 0);
		await page.getByRole('link', { name: /^rtu/ }).click();
		await page.getByText('Poor').first().waitFor();
		t.is(await page.getByRole('button', { name: /^Record/ }).count(), 0);
	});
});
