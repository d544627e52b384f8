import test from 'ava';

import { PHONE, connection, overhang } from './browser.ts';
import { MOCK_PASSWORD as PASSWORD, claim, login, visit } from './mock-visit.ts';

test.serial('a gateway is claimed, and its devices, their points, lines and sync are shown', async (t) => {
	await visit(t, { hull: 'gateway' }, async (here) => {
		const { page, look } = here;
		await claim(here);
		await connection(page, 'connected');
		t.is(await page.locator('html').getAttribute('lang'), 'en');
		t.is(await page.locator('tr[data-device]').count(), 6);
		await page.locator('tr[data-device="meter-main"] .number').first().waitFor();
		await page.getByText('The hub does not answer since 14:02').waitFor();
		await look('devices');

		await page.getByRole('link', { name: 'Main feed' }).click();
		await page.locator('.chart canvas').waitFor();
		await page.getByRole('img', { name: /, 1 h: .*1 gap\./ }).waitFor();
		await page.getByRole('button', { name: 'Voltage L1', exact: true }).click();
		await page.getByRole('heading', { name: 'History: Voltage L1' }).waitFor();
		await page.locator('.chart canvas').waitFor();
		await look('device');
		await page.getByLabel('Filter points').fill('energy');
		t.is(await page.locator('tr[data-point]').count(), 2);

		await page.getByRole('link', { name: 'Lines' }).click();
		await page.getByText('CRC errors').first().waitFor();
		await look('lines');
		t.is(await overhang(page), 0);

		await page.getByRole('link', { name: 'Sync' }).click();
		await page.getByLabel('Address of the hub').fill('https://hub.example:8101');
		await page.getByLabel('Enrolment code').fill('ENROL-1');
		await look('enrol');
		await page.getByRole('button', { name: 'Enrol' }).click();
		await page.getByText('Acknowledged through').waitFor();
		await page.getByText('Online', { exact: true }).waitFor();
		await look('sync');
	});
});

test.serial('a hub shows its gateways and gives out an enrolment code once', async (t) => {
	await visit(t, { hull: 'hub' }, async (here) => {
		const { page, look } = here;
		await claim(here);
		await page.getByText('Plant North').first().waitFor();
		await look('devices');
		t.is(await overhang(page), 0);
		await page.getByRole('link', { name: 'Gateways' }).click();
		await page.getByText('Pump house').waitFor();
		await look('gateways');
		await page.getByRole('button', { name: 'New enrolment code' }).click();
		await page.getByText('ENROL-7QK2-M4XD').waitFor();
		await look('code');
		await page.getByRole('button', { name: 'Close' }).click();
		await page.getByText('ENROL-7QK2-M4XD').waitFor({ state: 'detached' });
		t.pass();
	});
});

test.serial('a mistake the server finds stands beside its field', async (t) => {
	await visit(t, { hull: 'gateway', expected: /422|auth\/refresh/ }, async (here) => {
		const { page, look } = here;
		await page.getByLabel('Claim code').fill('WRONG');
		await page.getByLabel('E-mail').fill('admin@example.org');
		await page.getByLabel('Full name').fill('Ada Installer');
		await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
		await page.getByLabel('Password again').fill('something else');
		await page.getByRole('button', { name: 'Claim' }).click();
		await page.getByText('The two passwords differ.').waitFor();
		await page.getByLabel('Password again').fill(PASSWORD);
		await page.getByRole('button', { name: 'Claim' }).click();
		await page.getByText('this is not the claim code of this machine').waitFor();
		t.is(await page.getByLabel('Claim code').getAttribute('aria-invalid'), 'true');
		await look('claim-mistake');

		await claim(here);
		await page.getByRole('link', { name: 'Add device' }).click();
		await page.getByLabel('Name').fill('New meter');
		await page.getByRole('button', { name: 'Add device' }).click();
		await page.getByText('connection.line.host is required').waitFor();
		t.is(await page.getByLabel('Host').getAttribute('aria-invalid'), 'true');
		await look('add-device');
		await page.getByText('MQTT', { exact: true }).click();
		await page.getByRole('button', { name: 'Add device' }).click();
		await page.getByRole('button', { name: 'New MQTT credentials' }).click();
		await page.getByText('shown-once-9f2c71').waitFor();
		await look('credentials');
	});
});

test.serial('an administrator keeps users, rules and the account, and sees what happened', async (t) => {
	await visit(t, { hull: 'gateway', expected: /422|auth\/refresh/ }, async (here) => {
		const { page, look } = here;
		await claim(here);
		await page.getByRole('link', { name: 'Settings' }).click();
		await page.getByRole('link', { name: /^Users/ }).click();
		await page.getByText('Olivia Operator').waitFor();
		await look('users');
		await page.getByRole('button', { name: 'Add user' }).first().click();
		await page.getByLabel('E-mail').fill('new@example.org');
		await page.getByLabel('First password').fill('short');
		await page.getByRole('dialog').getByRole('button', { name: 'Add user' }).click();
		await page.getByRole('dialog').getByText('is required').waitFor();
		await look('user-mistake');
		await page.getByLabel('First password').fill(PASSWORD);
		await page.getByRole('dialog').getByRole('button', { name: 'Add user' }).click();
		await page.getByText('new@example.org').waitFor();
		t.is(await page.getByRole('dialog').count(), 0);
		await page.getByRole('button', { name: 'Delete' }).first().click();
		await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
		await page.getByText('Olivia Operator', { exact: true }).waitFor({ state: 'detached' });

		await page.getByRole('link', { name: 'Settings' }).first().click();
		await page.getByRole('link', { name: /^Account/ }).click();
		await page.getByText('Chrome, Android').waitFor();
		await page.getByLabel('Phone').fill('0123');
		await page.getByRole('button', { name: 'Save' }).click();
		await page.getByText('Saved.').waitFor();
		await page.getByLabel('Current password').fill('wrong');
		await page.getByLabel('New password').fill(PASSWORD);
		await page.getByLabel('Password again').fill(PASSWORD);
		await page.getByRole('button', { name: 'Change password' }).click();
		await page.getByText('is not the current password').waitFor();
		await look('account');
		await page.getByLabel('Current password').fill('right');
		await page.getByRole('button', { name: 'Change password' }).click();
		await page.getByText('Your other logins have ended.').waitFor();

		await page.getByRole('link', { name: 'Settings' }).first().click();
		await page.getByRole('link', { name: /^Audit log/ }).click();
		await page.getByText('role: "viewer" → "editor"').waitFor();
		await look('audit');
		await page.getByRole('link', { name: 'Settings' }).first().click();
		await page.getByRole('link', { name: /^API/ }).click();
		await page.getByText('/api/v1/devices').click();
		await page.getByText('Access: authenticated').waitFor();
		await look('api');
		await page.getByRole('link', { name: 'Settings' }).first().click();
		await page.getByRole('link', { name: /^Certificate/ }).click();
		await page.getByText('A1:B2:C3:D4').waitFor();
		await look('certificate');
	});
});

test.serial('alerts are acknowledged, rules made, unknown devices adopted and commands sent', async (t) => {
	await visit(t, { hull: 'gateway', expected: /422|auth\/refresh/ }, async (here) => {
		const { page, look } = here;
		await claim(here);
		await page.getByText('boiler-7').waitFor();
		await look('knocking');
		await page.getByRole('button', { name: 'Adopt' }).click();
		await page.getByText('adopted-once-51c').waitFor();
		await page.getByRole('button', { name: 'Close' }).click();
		await page.getByText('Unknown devices').waitFor({ state: 'detached' });

		await page.getByRole('link', { name: 'Alerts' }).click();
		await page.getByText('voltage_l1 254.1 is above 253').waitFor();
		await look('alerts');
		await page.getByRole('button', { name: 'Add rule' }).click();
		await page.getByLabel('Name').fill('Hot');
		await page.getByLabel('Point').fill('temperature');
		await page.getByLabel('Threshold').fill('forty');
		await page.getByRole('dialog').getByRole('button', { name: 'Add rule' }).click();
		await page.getByText('must be a number').waitFor();
		await look('rule-mistake');
		await page.getByLabel('Threshold').fill('40,5');
		await page.getByRole('dialog').getByRole('button', { name: 'Add rule' }).click();
		await page.getByText('temperature above 40.5').waitFor();
		await page.getByRole('button', { name: 'Acknowledge' }).click();
		await page.getByText('Nothing to acknowledge.').waitFor();
		await page.getByText('chief@example.com').waitFor();

		await page.getByRole('link', { name: 'Devices', exact: true }).click();
		await page.getByRole('link', { name: 'Main feed' }).click();
		await page.getByRole('button', { name: 'Send command' }).click();
		await page.getByLabel('Point', { exact: true }).fill('setpoint');
		await page.getByLabel('Value').fill('21');
		await look('command');
		await page.getByRole('dialog').getByRole('button', { name: 'Send command' }).click();
		await page.getByText('{"point":"setpoint","value":21}').waitFor();
		await page.getByText('Executed').waitFor();
		t.pass();
	});
});

test.serial('an old value is marked and never looks fresh', async (t) => {
	await visit(t, { hull: 'gateway' }, async (here) => {
		await claim(here);
		const row = here.page.locator('tr[data-device="meter-solar"]');
		await row.locator('.q-comm_error').first().waitFor();
		t.true((await row.getByText('no answer', { exact: true }).count()) > 0);
		t.is(await row.locator('.q-good').count(), 0);
		t.true((await row.getByText('Offline').count()) > 0);
		await here.page.locator('tr[data-device="climate-office"]').getByText('out of range').waitFor();
	});
});

test.serial('a good value turns stale by itself when nothing new arrives', async (t) => {
	await visit(t, { hull: 'gateway' }, async (here) => {
		await claim(here);
		const row = here.page.locator('tr[data-device="meter-main"]');
		await row.locator('.q-good').first().waitFor();
		here.api.silence('meter-main');
		await row.locator('.q-stale').first().waitFor();
		await row.locator('.q-good').first().waitFor({ state: 'detached' });
		t.true((await row.getByText('stale', { exact: true }).count()) > 0);
	});
});

test.serial('no page scrolls sideways on a phone, and everything to touch is large enough', async (t) => {
	await visit(t, { hull: 'gateway' }, async (here) => {
		const { page, look, api } = here;
		await page.setViewportSize(PHONE);
		await look('phone-claim-start');
		t.is(await overhang(page), 0);
		await claim(here);
		await page.locator('tr[data-device="meter-main"] .number').first().waitFor();
		for (const place of [
			'devices',
			'alerts',
			'lines',
			'sync',
			'settings',
			'account',
			'users',
			'audit',
			'api',
			'add-device',
			'registers',
			'edit-device/dd000000-0000-4000-8000-000000000001',
			'devices/dd000000-0000-4000-8000-000000000001',
		]) {
			await page.goto(`${api.url}/#/${place}`);
			await page.locator('main h1').first().waitFor();
			await page.waitForLoadState('networkidle');
			await look(`phone-${place.split('/')[1] === undefined ? place : `one-of-${place.split('/')[0]}`}`);
			t.is(await overhang(page), 0, place);
			const small =
				await page.evaluate(`[...document.querySelectorAll('nav a, button:not(.link), input:not([type=hidden]), select')]
				.map((each) => (each.type === 'radio' || each.type === 'checkbox' ? (each.closest('label') ?? each) : each))
				.filter((each) => each.getBoundingClientRect().height < 44)
				.map((each) => each.outerHTML)`);
			t.deepEqual(small, [], place);
		}
	});
});

test.serial('while the server is away the page says so, stays quiet and comes back by itself', async (t) => {
	await visit(t, { hull: 'gateway', expected: /503|socket\.io|auth\/refresh/ }, async (here) => {
		const { page, api, look } = here;
		await claim(here);
		await connection(page, 'connected');
		api.cut();
		await connection(page, 'restarting');
		await look('restarting');
		t.is(await page.locator('.mistake[role="alert"]:visible').count(), 0);
		await page.route(`${api.url}/`, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
		api.restore();
		await connection(page, 'connected');
		await page.getByRole('button', { name: 'Reload' }).waitFor();
	});
});

test.serial('a reload keeps the session, and logging out ends it', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true }, async ({ page, look }) => {
		await look('login');
		await login(page);
		await page.reload();
		await page.getByRole('link', { name: 'Main feed' }).waitFor();
		const stored = await page.evaluate('JSON.stringify([localStorage, sessionStorage, document.cookie])');
		t.is(stored, '[{},{},""]');
		await page.getByRole('button', { name: 'Log out' }).click();
		await page.getByRole('heading', { name: 'Log in' }).waitFor();
		await connection(page, 'logged-out');
		await page.reload();
		await page.getByRole('heading', { name: 'Log in' }).waitFor();
	});
});

test.serial('the dark theme follows the system', async (t) => {
	await visit(t, { hull: 'gateway' }, async (here) => {
		const { page, look } = here;
		await page.emulateMedia({ colorScheme: 'dark' });
		await claim(here);
		await page.getByRole('link', { name: 'Main feed' }).click();
		await page.locator('.chart canvas').waitFor();
		await look('dark-device');
		t.is(await page.evaluate('getComputedStyle(document.documentElement).backgroundColor'), 'rgb(18, 23, 26)');
		await page.getByRole('link', { name: 'Devices', exact: true }).click();
		await page.getByRole('link', { name: 'Main feed' }).waitFor();
		await look('dark-devices');
	});
});
