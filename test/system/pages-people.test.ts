import test from 'ava';
import type { Page } from 'playwright-core';

import { PHONE, connection, isSkipped, overhang } from '../web/browser.ts';
import { claim, isLive, look, menu, setUp } from './kit/pages-scene.ts';
import { ADMINISTRATOR, login as logInElsewhere } from './kit/rest.ts';

const VIEWER = {
	email: 'olivia@example.com',
	name: 'Olivia Operator',
	given: 'quartz lantern 41',
	own: 'velvet harbour 88',
};
const NEWCOMER = { email: 'nina@example.com', name: 'Nina Newcomer', password: 'copper meadow 73' };
/** Refused on purpose: a password that is too short. */
const EXPECTED = /auth\/refresh|422/;

async function logOut(page: Page): Promise<void> {
	await page.getByRole('button', { name: 'Log out', exact: true }).click();
	await page.getByRole('heading', { name: 'Log in' }).waitFor();
}

async function logIn(page: Page, email: string, password: string): Promise<void> {
	await page.getByLabel('E-mail').fill(email);
	await page.getByLabel('Password').fill(password);
	await page.getByRole('button', { name: 'Log in' }).click();
}

async function openSetting(page: Page, name: RegExp): Promise<void> {
	await menu(page, 'Settings');
	await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name }).click();
	await page.locator('main h1').waitFor();
}

async function addViewer(page: Page): Promise<void> {
	await page.getByRole('button', { name: 'Add user' }).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByLabel('E-mail').fill(VIEWER.email);
	await dialog.getByLabel('Full name').fill(VIEWER.name);
	await dialog.getByLabel('Role').selectOption('viewer');
	await dialog.getByLabel('First password').fill('short');
	await dialog.getByRole('button', { name: 'Add user' }).click();
	await dialog.locator('[name="password"][aria-invalid="true"]').waitFor();
	await dialog.getByLabel('First password').fill(VIEWER.given);
	await dialog.getByRole('button', { name: 'Add user' }).click();
	await dialog.waitFor({ state: 'detached' });
	await page.getByRole('row').filter({ hasText: VIEWER.name }).getByText('Active').waitFor();
}

async function register(page: Page): Promise<void> {
	await page.getByRole('link', { name: 'Create an account' }).click();
	await page.getByLabel('E-mail').fill(NEWCOMER.email);
	await page.getByLabel('Full name').fill(NEWCOMER.name);
	await page.getByLabel('Password', { exact: true }).fill(NEWCOMER.password);
	await page.getByLabel('Password again').fill(NEWCOMER.password);
	await page.getByRole('button', { name: 'Create an account' }).click();
	await page.getByRole('heading', { name: 'Your account waits for approval' }).waitFor();
	await page.getByRole('link', { name: 'Back to the login' }).click();
}

test.serial('people are made, approved and shut out, and each sees what it may use', async (t) => {
	t.timeout(400_000);
	if (isSkipped(t)) return;
	const scene = await setUp(t, {
		serial: false,
		enrolled: false,
		settings: { identity: { registration: 'approval' } },
	});
	const visit = await scene.visit('gateway', EXPECTED);
	const { page } = visit;
	await claim(page, await scene.gateway.claimCode());
	await isLive(page);
	await openSetting(page, /^Account/);
	await page.getByText('· this one').waitFor();
	await openSetting(page, /^Users/);
	await addViewer(page);
	await logOut(page);

	await register(page);
	await logIn(page, VIEWER.email, VIEWER.given);
	await page.getByRole('heading', { name: 'Choose a new password' }).waitFor();
	await page.getByLabel('Current password').fill(VIEWER.given);
	await page.getByLabel('New password').fill(VIEWER.own);
	await page.getByLabel('Password again').fill(VIEWER.own);
	await page.getByRole('button', { name: 'Change password' }).click();
	await isLive(page);
	await connection(page, 'connected');
	t.deepEqual(await page.getByRole('navigation', { name: 'Main menu' }).getByRole('link').allTextContents(), [
		'Devices',
		'Lines',
		'Sync',
		'Settings',
	]);
	const start = page.url().replace(/#.*/, '');
	for (const place of ['lines', 'sync', 'settings', 'account', 'certificate', 'api', 'devices']) {
		await page.goto(`${start}#/${place}`);
		await page.locator('main h1').first().waitFor();
		await page.waitForLoadState('networkidle');
	}
	for (const place of ['alerts', 'users', 'audit', 'add-device']) {
		await page.goto(`${start}#/${place}`);
		await page.getByText('There is no such page.').waitFor();
	}
	await logOut(page);

	await logIn(page, ADMINISTRATOR.email, ADMINISTRATOR.password);
	await openSetting(page, /^Users/);
	const waiting = page.locator('section').filter({ hasText: 'Waiting for approval' });
	await waiting.getByText(NEWCOMER.email).waitFor();
	await waiting.getByRole('button', { name: 'Approve' }).click();
	await waiting.waitFor({ state: 'detached' });
	await page.getByRole('row').filter({ hasText: VIEWER.name }).getByRole('button', { name: 'Delete' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
	await page.getByText(VIEWER.name).first().waitFor({ state: 'detached' });
	await openSetting(page, /^Audit log/);
	for (const action of ['createUser', 'registerUser', 'changeMyPassword', 'updateUser', 'deleteUser'])
		await page.getByText(action, { exact: true }).first().waitFor();
	await logOut(page);

	await logIn(page, NEWCOMER.email, NEWCOMER.password);
	await page.getByText('No device belongs to you yet.').waitFor();
	t.deepEqual(visit.complaints, []);
});

test.serial('the settings of a hub show its users, its operations and its certificate, on a phone too', async (t) => {
	t.timeout(400_000);
	if (isSkipped(t)) return;
	const scene = await setUp(t, { serial: false, enrolled: false });
	const visit = await scene.visit('hub', EXPECTED);
	const { page } = visit;
	await claim(page, await scene.hub.claimCode());
	await page.getByText('They appear once an enrolled gateway reports them.').waitFor();
	await logInElsewhere(scene.hub.url());
	await openSetting(page, /^Account/);
	const elsewhere = page.getByRole('row').filter({ hasText: 'node' });
	await elsewhere.getByRole('button', { name: 'Log out' }).click();
	await elsewhere.waitFor({ state: 'detached' });
	await page.getByText('· this one').waitFor();
	await openSetting(page, /^Users/);
	await addViewer(page);
	await look(page, 'hub-users', 360);
	await openSetting(page, /^Certificate/);
	await page.getByText(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/).waitFor();
	const [download] = await Promise.all([
		page.waitForEvent('download'),
		page.getByRole('link', { name: 'Download the authority' }).click(),
	]);
	t.is(download.suggestedFilename(), 'drawbridge-hub-ca.pem');
	await openSetting(page, /^API/);
	await page.getByText('/api/v1/gateways/enrolment-codes').waitFor();
	t.true((await page.locator('.operation').count()) > 50, `${await page.locator('.operation').count()} operations`);
	await page.getByLabel('Filter operations').fill('devices/{device_id}/commands');
	await page.locator('summary').filter({ hasText: 'POST' }).click();
	await page.locator('details[open]').getByText('Access: the owner, or devices:command').waitFor();
	await look(page, 'api');
	await page.setViewportSize(PHONE);
	for (const place of ['settings', 'account', 'users', 'audit', 'certificate', 'api', 'gateways', 'alerts']) {
		await page.goto(`${page.url().replace(/#.*/, '')}#/${place}`);
		await page.locator('main h1').first().waitFor();
		await page.waitForLoadState('networkidle');
		t.is(await overhang(page), 0, place);
	}
	t.deepEqual(visit.complaints, []);
});
