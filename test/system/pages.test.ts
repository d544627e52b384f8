import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';

import { PHONE, connection, isSkipped, overhang } from '../web/browser.ts';
import { CURVE_MS, METER, SERIAL, claim, isLive, look, menu, meterRow, noteOf, setUp } from './kit/pages-scene.ts';
import { ADMINISTRATOR } from './kit/rest.ts';

/** Silence of the server: requests that fail, refused ones, and the socket that tries again. */
const SERVER_AWAY =
	/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|socket\.io|auth\/refresh|readiness|503/;

async function addDevices(t: ExecutionContext, page: Page, meterPort: number): Promise<void> {
	// A template that is deleted while the form is open.
	await page.route('**/api/v1/templates', async (route) => {
		const gone = { key: 'no-such-meter', manufacturer: 'No such', model: 'Meter' };
		await route.fulfill({ json: [gone] });
	});
	await page.getByRole('link', { name: 'Add device' }).click();
	const add = () => page.getByRole('button', { name: 'Add device' }).click();
	await page.getByLabel('Name').fill('Workshop');
	await page.getByLabel('Host').fill('127.0.0.1');
	await page.getByLabel('Port').fill('70000');
	await add();
	t.regex(await noteOf(page, 'Port'), /65535/);
	t.regex(await noteOf(page, 'Device template'), /\w/);

	await page.getByLabel('Device template').selectOption('no-such-meter');
	await page.getByLabel('Port').fill(String(meterPort));
	await add();
	t.regex(await noteOf(page, 'Device template'), /no-such-meter/);

	await page.unroute('**/api/v1/templates');
	await page.reload();
	await page.getByText('Modbus RTU (serial)').click();
	await page.getByLabel('Name').fill('Workshop');
	await page.getByLabel('Serial port').selectOption({ label: 'Another path …' });
	await page.getByLabel('Path of the port').fill(SERIAL.line.path);
	await page.getByLabel('Baud rate').selectOption('19200');
	await page.getByLabel('Device template').selectOption('eastron-sdm630');
	await add();
	t.regex(await noteOf(page, 'Path of the port'), /used by device cellar with 9600 8N1, not 19200 8N1/);

	await page.getByText('Modbus TCP', { exact: true }).click();
	await page.getByLabel('Host').fill('127.0.0.1');
	await page.getByLabel('Port').fill(String(meterPort));
	await page.getByLabel('UID').fill('workshop');
	await add();
	await page.getByRole('heading', { name: 'Workshop' }).waitFor();
	await page.locator('tr[data-point] .number').first().waitFor();
}

async function showCredentialsOnce(t: ExecutionContext, page: Page): Promise<void> {
	await menu(page, 'Devices');
	await page.getByRole('link', { name: 'Add device' }).click();
	await page.getByText('MQTT', { exact: true }).click();
	await page.getByLabel('Name').fill('Door');
	await page.getByLabel('UID').fill('door');
	await page.getByRole('button', { name: 'Add device' }).click();
	await page.getByRole('button', { name: 'New MQTT credentials' }).click();
	const secrets = page.locator('dialog code');
	await secrets.nth(1).waitFor();
	t.is(await secrets.nth(0).textContent(), 'door');
	const password = (await secrets.nth(1).textContent()) ?? '';
	t.true(password.length >= 16);
	await page.getByRole('button', { name: 'Close' }).click();
	await secrets.first().waitFor({ state: 'detached' });
	t.false((await page.content()).includes(password));
}

test.serial('a gateway is claimed, shows its meters live, and helps a person to add a device', async (t) => {
	t.timeout(400_000 + CURVE_MS);
	if (isSkipped(t)) return;
	const scene = await setUp(t, { serial: true, enrolled: true });
	const visit = await scene.visit('gateway', /auth\/refresh|422/);
	const { page } = visit;
	const answer = await page.reload();
	const policy = answer?.headers()['content-security-policy'] ?? '';
	t.regex(policy, /default-src 'self'/);
	t.notRegex(policy, /unsafe/);
	await claim(page, await scene.gateway.claimCode());
	await connection(page, 'connected');
	await isLive(page);
	await page.getByText('/dev/ttyDrawbridgeTest').first().waitFor();

	await addDevices(t, page, scene.simulator.port());
	await showCredentialsOnce(t, page);
	await menu(page, 'Lines');
	await page.getByText(`tcp 127.0.0.1:${scene.simulator.port()}`).waitFor();
	await page.getByText('CRC errors').first().waitFor();

	await page.getByRole('button', { name: 'Log out' }).click();
	await page.getByLabel('E-mail').fill(ADMINISTRATOR.email);
	await page.getByLabel('Password').fill(ADMINISTRATOR.password);
	await page.getByRole('button', { name: 'Log in' }).click();
	await connection(page, 'connected');
	await menu(page, 'Devices');
	await isLive(page);
	t.deepEqual(visit.complaints, []);
	await page.evaluate(
		`document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.bad = 1' }))`,
	);
	t.is(await page.evaluate('window.bad'), undefined);
});

test.serial('gateway and hub show the same meters, how far they are in step, and a cut link', async (t) => {
	t.timeout(400_000 + CURVE_MS);
	if (isSkipped(t)) return;
	const scene = await setUp(t, { serial: false, enrolled: true });
	const visits = [await scene.visit('gateway'), await scene.visit('hub')] as const;
	const [gateway, hub] = [visits[0].page, visits[1].page];
	await claim(gateway, await scene.gateway.claimCode());
	await claim(hub, await scene.hub.claimCode());
	await isLive(gateway);
	await isLive(hub);
	await sleep(CURVE_MS);
	await look(gateway, 'gateway', 360);
	await look(hub, 'hub', 360);

	for (const page of [gateway, hub]) {
		await page.getByRole('link', { name: METER }).click();
		await page.locator('.chart canvas').waitFor();
		await page.locator('tr[data-point]').nth(10).waitFor();
		await look(page, page === gateway ? 'gateway-device' : 'hub-device');
		await page.locator('.q-comm_error, .q-stale').first().waitFor({ state: 'detached' });
		t.is(await overhang(page), 0);
	}
	await menu(gateway, 'Sync');
	await gateway.getByText('Online', { exact: true }).waitFor();
	await menu(hub, 'Gateways');
	await hub.getByText('Online', { exact: true }).waitFor();
	await hub.getByRole('button', { name: 'New enrolment code' }).click();
	t.regex((await hub.locator('dialog code').textContent()) ?? '', /^(\w{4}-){4}\w{4}$/);
	await hub.getByRole('button', { name: 'Close' }).click();

	scene.link.setMode({ kind: 'cut' });
	await gateway.getByText('Offline', { exact: true }).waitFor();
	await hub.getByText('Offline', { exact: true }).waitFor();
	await gateway.getByRole('alert', { name: 'Problems' }).getByText('uplink').waitFor();
	await menu(hub, 'Devices');
	await meterRow(hub).locator('.q-stale').first().waitFor();
	scene.link.setMode({ kind: 'pass' });
	await gateway.getByText('Online', { exact: true }).waitFor();
	await isLive(hub);
	await meterRow(hub).locator('.q-good').first().waitFor();
	await menu(hub, 'Gateways');
	await hub.getByText('Online', { exact: true }).waitFor();
	for (const { complaints } of visits) t.deepEqual(complaints, []);
});

test.serial('the page of a stopped gateway says so, keeps quiet, lets values age, and comes back', async (t) => {
	t.timeout(400_000);
	if (isSkipped(t)) return;
	const scene = await setUp(t, { serial: false, enrolled: true });
	const visit = await scene.visit('gateway', SERVER_AWAY);
	const { page } = visit;
	await claim(page, await scene.gateway.claimCode());
	await isLive(page);
	await scene.gateway.stop();
	await connection(page, 'restarting');
	const [requests, errors, sinceMs] = [visit.requests(), visit.errors(), performance.now()];
	await meterRow(page).locator('.q-stale').first().waitFor();
	await sleep(5_000);
	t.is(await page.locator('.q-good').count(), 0);
	t.is(await page.locator('.mistake:visible').count(), 0);
	// A probe each 2 s and the socket's own tries; anything more is a storm.
	const most = 10 + (2 * (performance.now() - sinceMs)) / 1_000;
	t.true(visit.requests() - requests < most, `${visit.requests() - requests} requests, ${most} at most`);
	t.true(visit.errors() - errors < most, `${visit.errors() - errors} messages, ${most} at most`);
	await scene.gateway.start();
	await connection(page, 'connected');
	await isLive(page);
	await meterRow(page).locator('.q-good').first().waitFor();
	t.is(await page.getByRole('heading', { name: 'Log in' }).count(), 0);
	t.deepEqual(visit.complaints, []);
});

test.serial('on a phone no page of a real gateway scrolls sideways', async (t) => {
	t.timeout(400_000 + CURVE_MS);
	if (isSkipped(t)) return;
	const scene = await setUp(t, { serial: true, enrolled: false });
	const visit = await scene.visit('gateway');
	const { page } = visit;
	await page.setViewportSize(PHONE);
	t.is(await overhang(page), 0);
	await claim(page, await scene.gateway.claimCode());
	await isLive(page);
	await look(page, 'gateway-phone', PHONE.height);
	const start = page.url().replace(/#.*/, '');
	await page.getByRole('link', { name: METER }).click();
	await page.locator('tr[data-point] .number').first().waitFor();
	t.is(await overhang(page), 0);
	for (const place of ['devices', 'lines', 'sync', 'add-device']) {
		await page.goto(`${start}#/${place}`);
		await page.locator('main h1').first().waitFor();
		await page.waitForLoadState('networkidle');
		t.is(await overhang(page), 0, place);
	}
	t.deepEqual(visit.complaints, []);
});

test.serial('a gateway without a hub has no problem, and enrols from its page', async (t) => {
	t.timeout(400_000);
	if (isSkipped(t)) return;
	const scene = await setUp(t, { serial: false, enrolled: false });
	const visit = await scene.visit('gateway', /auth\/refresh|401|422|502/);
	const { page } = visit;
	await claim(page, await scene.gateway.claimCode());
	await isLive(page);
	t.is(await page.getByRole('alert', { name: 'Problems' }).count(), 0);
	await menu(page, 'Sync');
	await page.getByText('Not enrolled', { exact: true }).waitFor();
	const enrol = async (hub: string, code: string): Promise<void> => {
		await page.getByLabel('Address of the hub').fill(hub);
		await page.getByLabel('Enrolment code').fill(code);
		await page.getByRole('button', { name: 'Enrol' }).click();
	};
	const code = readFileSync(join(scene.hub.dataFolder, 'enrolment-code'), 'utf8').trim();
	await enrol('http://127.0.0.1:1', code);
	t.regex(await noteOf(page, 'Address of the hub'), /does not answer/);
	await enrol(scene.hub.url(), 'ABCD');
	t.regex(await noteOf(page, 'Enrolment code'), /20 letters and digits/);
	await enrol(scene.hub.url(), `${code.slice(0, 4)}-0000-0000-0000-0000`);
	t.regex(await noteOf(page, 'Enrolment code'), /wrong, used or expired/);
	await enrol(scene.hub.url(), code);
	await page.getByText('Online', { exact: true }).waitFor();
	await page.getByText('Acknowledged through').waitFor();
	t.deepEqual(visit.complaints, []);
});

test.serial('tabs that reload at the same moment stay logged in, again and again', async (t) => {
	t.timeout(400_000);
	if (isSkipped(t)) return;
	const scene = await setUp(t, { serial: false, enrolled: false });
	const first = await scene.visit('gateway');
	await claim(first.page, await scene.gateway.claimCode());
	await connection(first.page, 'connected');
	const tabs = [first, await scene.visit('gateway'), await scene.visit('gateway')];
	for (let round = 0; round < 3; round += 1) {
		await Promise.all(tabs.map(({ page }) => page.reload()));
		await Promise.all(tabs.map(({ page }) => connection(page, 'connected')));
	}
	for (const { complaints } of tabs) t.deepEqual(complaints, []);
});
