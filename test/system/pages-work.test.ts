import test, { type ExecutionContext } from 'ava';
import mqtt from 'mqtt';
import type { Page } from 'playwright-core';

import { isSkipped } from '../web/browser.ts';
import { METER, claim, isLive, look, menu, setUp } from './kit/pages-scene.ts';
import { member } from './kit/rest.ts';
import { waitFor } from './kit/wait-for.ts';

const WITHIN_MS = 30_000;
const VOLTAGE_L1 = 0;
const KNOCKER = 'boiler-7';

const brokerUrl = (port: number): string => `mqtt://127.0.0.1:${port}`;

/** A device that nobody knows tries to log in, and is refused. */
async function knock(t: ExecutionContext, port: number): Promise<void> {
	const login = { username: KNOCKER, password: 'guessed', reconnectPeriod: 0 };
	await t.throwsAsync(mqtt.connectAsync(brokerUrl(port), login));
}

/** Adopts the device on the page, and is the device from then on: it sends a value and executes commands. */
async function adopt(t: ExecutionContext, page: Page, port: number): Promise<void> {
	await knock(t, port);
	const card = page.locator('section').filter({ hasText: 'Unknown devices' });
	await card.getByText(KNOCKER).first().waitFor();
	await card.getByRole('button', { name: 'Adopt' }).click();
	const secrets = page.locator('dialog code');
	await secrets.nth(1).waitFor();
	t.is(await secrets.nth(0).textContent(), KNOCKER);
	const client = await mqtt.connectAsync(brokerUrl(port), {
		username: KNOCKER,
		password: (await secrets.nth(1).textContent()) ?? '',
	});
	t.teardown(() => client.endAsync(true));
	client.on('message', (_topic, payload) => {
		const id = member(JSON.parse(payload.toString()), 'command_id');
		const answer = JSON.stringify({ command_id: id, status: 'executed', burners: 2 });
		client.publish(`devices/${KNOCKER}/response`, answer, { qos: 1 });
	});
	await client.subscribeAsync(`devices/${KNOCKER}/command`, { qos: 1 });
	await client.publishAsync(`devices/${KNOCKER}/telemetry`, JSON.stringify({ temperature: 61.5 }), { qos: 1 });
	await page.getByRole('button', { name: 'Close' }).click();
	await card.waitFor({ state: 'detached' });
}

async function command(page: Page, fields: Readonly<Record<string, string>>): Promise<void> {
	await page.getByRole('button', { name: 'Send command' }).click();
	const dialog = page.getByRole('dialog');
	for (const [label, text] of Object.entries(fields)) await dialog.getByLabel(label, { exact: true }).fill(text);
	await dialog.getByRole('button', { name: 'Send command' }).click();
	await dialog.waitFor({ state: 'detached' });
}

async function addRule(page: Page): Promise<void> {
	await page.getByRole('button', { name: 'Add rule' }).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByLabel('Name').fill('Overvoltage');
	await dialog.getByLabel('Device').selectOption({ label: METER });
	await dialog.getByLabel('Point').fill('voltage_l1');
	await dialog.getByLabel('Threshold').fill('260');
	await dialog.getByLabel('Severity').selectOption('critical');
	await dialog.getByRole('button', { name: 'Add rule' }).click();
	await dialog.waitFor({ state: 'detached' });
	await page.getByText('voltage_l1 above 260').waitFor();
}

test.serial(
	'a person adopts a device, commands two, is told of an alert, and finds all of it in the audit log',
	async (t) => {
		t.timeout(400_000);
		if (isSkipped(t)) return;
		const scene = await setUp(t, { serial: false, enrolled: false });
		const visit = await scene.visit('gateway');
		const { page } = visit;
		await scene.simulator.override(1, VOLTAGE_L1, 230);
		await claim(page, await scene.gateway.claimCode());
		await isLive(page);
		await adopt(t, page, scene.gateway.port('mqtt_port'));

		await page.getByRole('link', { name: KNOCKER }).click();
		await page.getByText('61.50').first().waitFor();
		await command(page, { Name: 'restart', 'Payload (JSON)': '{"delay": 5}' });
		await page.getByText('Executed').waitFor();
		await page.getByText('{"burners":2}').waitFor();
		await menu(page, 'Devices');
		await page.getByRole('link', { name: METER }).click();
		await command(page, { Point: 'demand_period', Value: '30' });
		await page.getByText('Executed').waitFor();

		await page.getByRole('link', { name: /^Alerts/ }).click();
		await page.getByText('Nothing to acknowledge.').waitFor();
		await addRule(page);
		await scene.simulator.override(1, VOLTAGE_L1, 265.5);
		const toast = page.getByRole('status', { name: 'News' }).getByText('voltage_l1 265.5 is above 260');
		await toast.waitFor();
		await page.getByRole('link', { name: 'Alerts 1 to acknowledge' }).waitFor();
		await page.getByText('Holds').waitFor();
		await look(page, 'gateway-alerts', 480);
		await page.getByRole('button', { name: /^Dismiss/ }).click();
		await toast.waitFor({ state: 'detached' });
		await page.getByRole('button', { name: 'Acknowledge' }).click();
		await page.getByText('Nothing to acknowledge.').waitFor();
		await page.getByRole('link', { name: 'Alerts', exact: true }).waitFor();

		await menu(page, 'Settings');
		await page.getByRole('link', { name: /^Audit log/ }).click();
		for (const action of ['adoptKnockingDevice', 'createCommand', 'createAlertRule', 'acknowledgeAlert', 'claimBox'])
			await page.getByText(action, { exact: true }).first().waitFor();
		await page.getByLabel('Show').selectOption('refused');
		await page.getByText('acknowledgeAlert').first().waitFor({ state: 'detached' });
		await page.getByText('mqtt-connect').first().waitFor();
		t.deepEqual(visit.complaints, []);
	},
);

test.serial('a gateway is revoked on the hub, leaves it, and comes back with a code of its own', async (t) => {
	t.timeout(400_000);
	if (isSkipped(t)) return;
	const scene = await setUp(t, { serial: false, enrolled: true });
	const visits = [await scene.visit('gateway'), await scene.visit('hub')] as const;
	const [gateway, hub] = [visits[0].page, visits[1].page];
	await claim(gateway, await scene.gateway.claimCode());
	await claim(hub, await scene.hub.claimCode());
	await menu(gateway, 'Sync');
	await gateway.getByText('Online', { exact: true }).waitFor();
	await menu(hub, 'Gateways');
	await hub.getByText('Certificate until').waitFor();
	await hub.getByText('Online', { exact: true }).waitFor();

	await hub.getByRole('button', { name: 'Revoke' }).click();
	await hub.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
	await hub.getByText('Revoked', { exact: true }).waitFor();
	await gateway.getByText('Offline', { exact: true }).waitFor();
	await gateway.getByRole('button', { name: 'Leave the hub' }).click();
	await gateway.getByRole('dialog').getByRole('button', { name: 'Leave the hub' }).click();
	await gateway.getByText('Not enrolled', { exact: true }).waitFor();

	await hub.getByRole('button', { name: 'New code', exact: true }).click();
	await hub.getByText('for this gateway only').waitFor();
	const code = (await hub.locator('dialog code').textContent()) ?? '';
	await hub.getByRole('button', { name: 'Close' }).click();
	await gateway.getByLabel('Address of the hub').fill(scene.hub.url());
	await gateway.getByLabel('Enrolment code').fill(code);
	await gateway.getByRole('button', { name: 'Enrol' }).click();
	await gateway.getByText('Online', { exact: true }).waitFor();
	await waitFor('the hub hears of it', WITHIN_MS, () => hub.getByText('Online', { exact: true }).isVisible());
	t.is(await hub.getByText('Revoked', { exact: true }).count(), 0);
	for (const { complaints } of visits) t.deepEqual(complaints, []);
});

test.serial('an alert of a gateway is on the page of the hub, and is acknowledged there for both', async (t) => {
	t.timeout(400_000);
	if (isSkipped(t)) return;
	const scene = await setUp(t, { serial: false, enrolled: true });
	const visits = [await scene.visit('gateway'), await scene.visit('hub')] as const;
	const [gateway, hub] = [visits[0].page, visits[1].page];
	await scene.simulator.override(1, VOLTAGE_L1, 230);
	await claim(gateway, await scene.gateway.claimCode());
	await claim(hub, await scene.hub.claimCode());
	await gateway.getByRole('link', { name: METER }).waitFor();
	for (const page of [gateway, hub]) await page.getByRole('link', { name: /^Alerts/ }).click();
	await addRule(gateway);
	await hub.getByText('voltage_l1 above 260').waitFor();
	await scene.simulator.override(1, VOLTAGE_L1, 265.5);
	await hub.getByRole('status', { name: 'News' }).getByText('voltage_l1 265.5 is above 260').waitFor();
	await hub.getByText('Holds').waitFor();
	await look(hub, 'hub-alerts', 480);
	await gateway.getByText('Holds').waitFor();
	await hub.getByRole('button', { name: 'Acknowledge' }).click();
	for (const page of [hub, gateway]) await page.getByText('Nothing to acknowledge.').waitFor();
	for (const { complaints } of visits) t.deepEqual(complaints, []);
});
