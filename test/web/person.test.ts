import test from 'ava';
import type { Page } from 'playwright-core';

import { waitFor } from '../system/kit/wait-for.ts';
import { PHONE, connection, overhang } from './browser.ts';
import { MOCK_PASSWORD, claim, logIn, login, visit } from './mock-visit.ts';

const NOTICE = { title: 'Overvoltage', message: 'Main feed (meter-main): voltage_l1 is above 253', type: 'critical' };
const WITHIN_MS = 60_000;

/** Resolves once the button has the focus. */
const focusOn = (page: Page, name: string): Promise<void> => page.locator('button:focus', { hasText: name }).waitFor();

async function fillAccount(page: Page): Promise<void> {
	await page.getByLabel('E-mail').fill('nina@example.org');
	await page.getByLabel('Full name').fill('Nina Newcomer');
	await page.getByLabel('Password', { exact: true }).fill(MOCK_PASSWORD);
	await page.getByLabel('Password again').fill(MOCK_PASSWORD);
	await page.getByRole('button', { name: 'Create an account' }).click();
}

test.serial('who makes an account learns that it waits, and an administrator approves it', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, registration: 'approval' }, async ({ page, look }) => {
		await page.getByRole('link', { name: 'Create an account' }).click();
		await page.getByText('has to approve the account').waitFor();
		await look('register');
		await fillAccount(page);
		await page.getByRole('heading', { name: 'Your account waits for approval' }).waitFor();
		await look('register-waiting');
		await page.getByRole('link', { name: 'Back to the login' }).click();
		await login(page);
		await page.getByRole('link', { name: 'Settings' }).click();
		await page.getByRole('link', { name: /^Users/ }).click();
		await page.getByRole('heading', { name: 'Waiting for approval' }).waitFor();
		await look('approvals');
		await page.getByRole('button', { name: 'Approve' }).click();
		await page.getByRole('heading', { name: 'Waiting for approval' }).waitFor({ state: 'detached' });
		t.pass();
	});
});

test.serial(
	'where registration is open an account is good at once, and where it is closed nobody is offered one',
	async (t) => {
		await visit(t, { hull: 'gateway', claimed: true, registration: 'open' }, async ({ page }) => {
			await page.getByRole('link', { name: 'Create an account' }).click();
			await fillAccount(page);
			await page.getByRole('link', { name: 'Main feed' }).waitFor();
		});
		await visit(t, { hull: 'gateway', claimed: true }, async ({ page }) => {
			await page.getByRole('button', { name: 'Log in' }).waitFor();
			t.is(await page.getByRole('link', { name: 'Create an account' }).count(), 0);
		});
	},
);

test.serial('somebody who only looks is offered nothing else', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, role: 'viewer' }, async ({ page, look }) => {
		await login(page);
		t.is(await page.getByRole('link', { name: 'Alerts' }).count(), 0);
		t.is(await page.getByRole('link', { name: 'Add device' }).count(), 0);
		t.is(await page.getByText('Unknown devices').count(), 0);
		await page.getByRole('link', { name: 'Main feed' }).click();
		await page.getByRole('heading', { name: 'Commands' }).waitFor();
		t.is(await page.getByRole('button', { name: 'Send command' }).count(), 0);
		await page.getByRole('link', { name: 'Sync' }).click();
		await page.getByText('Not enrolled').waitFor();
		t.is(await page.getByRole('button', { name: 'Enrol' }).count(), 0);
		await page.getByRole('link', { name: 'Settings' }).click();
		await page.getByRole('link', { name: /^Account/ }).waitFor();
		t.is(await page.getByRole('link', { name: /^Users|^Audit/ }).count(), 0);
		await look('viewer-settings');
	});
});

test.serial('a password that an administrator has set is changed before anything else', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, mustChangePassword: true }, async ({ page, look }) => {
		await logIn(page);
		await page.getByRole('heading', { name: 'Choose a new password' }).waitFor();
		t.is(await page.getByRole('navigation').count(), 0);
		await look('must-change');
		await page.getByLabel('Current password').fill('given');
		await page.getByLabel('New password').fill(MOCK_PASSWORD);
		await page.getByLabel('Password again').fill(MOCK_PASSWORD);
		await page.getByRole('button', { name: 'Change password' }).click();
		await page.getByRole('link', { name: 'Main feed' }).waitFor();
		await connection(page, 'connected');
	});
});

test.serial('news is shown at the edge, at most five of it, and goes when it is dismissed', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true }, async ({ page, api, look }) => {
		await login(page);
		await connection(page, 'connected');
		await page.getByRole('link', { name: 'Alerts 1 to acknowledge' }).waitFor();
		const toasts = page.getByRole('status', { name: 'News' }).getByRole('listitem');
		await waitFor('the first news', WITHIN_MS, async () => {
			api.notify(NOTICE);
			return (await toasts.count()) > 0;
		});
		for (let more = 0; more < 6; more += 1) api.notify({ ...NOTICE, title: `Overvoltage ${more}` });
		await toasts.filter({ hasText: 'Overvoltage 5' }).waitFor();
		t.is(await toasts.count(), 5);
		await look('toasts');
		await page.setViewportSize(PHONE);
		await look('phone-toasts');
		t.is(await overhang(page), 0);
		await page.getByRole('button', { name: 'Dismiss: Overvoltage 5' }).click();
		await toasts.filter({ hasText: 'Overvoltage 5' }).waitFor({ state: 'detached' });
		await toasts.getByRole('link', { name: 'Show alerts' }).first().click();
		await page.getByRole('heading', { name: 'Alerts' }).waitFor();
		// A phone has room for one.
		t.is(await toasts.count(), 1);
	});
});

test.serial('the live channel outlives the access tokens', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, tokenSeconds: 4 }, async ({ page, api }) => {
		await login(page);
		await connection(page, 'connected');
		const before = api.tokens();
		await waitFor('three more tokens', WITHIN_MS, () => api.tokens() >= before + 3);
		await connection(page, 'connected');
		t.is(api.connections(), 1);
	});
});

test.serial('a page of a hundred devices stays below the limit of requests, also when it is reloaded', async (t) => {
	t.timeout(300_000);
	await visit(t, { hull: 'gateway', claimed: true, crowd: 100 }, async ({ page }) => {
		await logIn(page);
		const row = (name: string) => page.locator(`tr[data-device="${name}"] .unit`).first();
		await row('meter-99').filter({ hasText: /\w/ }).waitFor();
		await page.reload();
		await row('meter-99').filter({ hasText: /\w/ }).waitFor();
		t.is(await page.locator('tr[data-device]').count(), 100);
	});
});

test.serial('a server that wants a pause gets one, and the page goes on by itself', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, expected: /429|auth\/refresh/ }, async ({ page, api, look }) => {
		api.refuse(2);
		await logIn(page);
		await page.getByText('The server has many requests right now').waitFor();
		await look('crowded');
		await page.getByRole('link', { name: 'Main feed' }).waitFor();
		await page.getByText('The server has many requests right now').waitFor({ state: 'detached' });
		t.is(await page.locator('.mistake:visible').count(), 0);
	});
});

test.serial('a gateway is revoked, gets a code of its own, and leaves its hub', async (t) => {
	await visit(t, { hull: 'hub', claimed: true }, async ({ page, look }) => {
		await login(page);
		await page.getByRole('link', { name: 'Gateways' }).click();
		const row = page.getByRole('row').filter({ hasText: 'Pump house' });
		await row.getByText('Certificate until').waitFor();
		await row.getByRole('button', { name: 'New code' }).click();
		await page.getByText('for this gateway only').waitFor();
		await page.getByRole('button', { name: 'Close' }).click();
		await row.getByRole('button', { name: 'Revoke' }).click();
		await look('revoke');
		await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
		await row.getByText('Revoked').waitFor();
		t.is(await row.getByRole('button', { name: 'Revoke' }).count(), 0);
	});
	await visit(t, { hull: 'gateway' }, async (here) => {
		const { page, look } = here;
		await claim(here);
		await page.getByRole('link', { name: 'Sync' }).click();
		await page.getByLabel('Address of the hub').fill('https://hub.example:8101');
		await page.getByLabel('Enrolment code').fill('ENROL-1');
		await page.getByRole('button', { name: 'Enrol' }).click();
		await page.getByRole('button', { name: 'Leave the hub' }).click();
		await look('leave');
		await page.getByRole('dialog').getByRole('button', { name: 'Leave the hub' }).click();
		await page.getByText('Not enrolled').waitFor();
		await page.getByLabel('Enrolment code').waitFor();
	});
});

test.serial('who works with the keyboard is where they were when a dialog closes', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true }, async ({ page }) => {
		await login(page);
		await page.getByRole('link', { name: 'Alerts' }).click();
		await page.getByRole('button', { name: 'Add rule' }).focus();
		await page.keyboard.press('Enter');
		await page.getByRole('dialog').waitFor();
		await page.keyboard.type('Hot');
		t.is(await page.getByLabel('Name', { exact: true }).inputValue(), 'Hot');
		await page.keyboard.press('Escape');
		await page.getByRole('dialog').waitFor({ state: 'detached' });
		await focusOn(page, 'Add rule');

		await page.getByRole('link', { name: 'Devices', exact: true }).click();
		await page.getByRole('link', { name: 'Office climate' }).click();
		await page.getByRole('button', { name: 'New MQTT credentials' }).focus();
		await page.keyboard.press('Enter');
		await page.getByText('shown-once-9f2c71').waitFor();
		await page.keyboard.press('Escape');
		await page.getByRole('dialog').waitFor({ state: 'detached' });
		await focusOn(page, 'New MQTT credentials');
		t.pass();
	});
});
