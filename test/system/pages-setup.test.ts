import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';

import test, { type ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';

import { DESKTOP, PHONE, type Visit, isSkipped, launchBrowser, overhang } from '../web/browser.ts';
import type { HullProcess } from './kit/hull-process.ts';
import { claim, look, menu, noteOf } from './kit/pages-scene.ts';
import { login, member } from './kit/rest.ts';
import type { SimulatorProcess } from './kit/simulator-process.ts';
import { createStage } from './kit/stage.ts';

const SENTENCE = '$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n';
const SEND_EVERY_MS = 200;
/** Of one step, on a machine that does other things as well. */
const WITHIN_MS = 60_000;
/** The whole form, with its folds open. */
const LOOK_HEIGHT = 2_600;

/** A receiver behind a serial server: it says the same again and again to whoever listens. */
async function startReceiver(t: ExecutionContext): Promise<number> {
	const sockets = new Set<Socket>();
	const server: Server = createServer((socket) => {
		const timer = setInterval(() => socket.write(SENTENCE), SEND_EVERY_MS);
		sockets.add(socket);
		// Whoever listens may go at any time.
		socket.on('error', () => undefined);
		socket.on('close', () => {
			clearInterval(timer);
			sockets.delete(socket);
		});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => {
		server.close();
		for (const socket of sockets) socket.destroy();
	});
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
	return (server.address() as AddressInfo).port;
}

interface Box extends Visit {
	readonly gateway: HullProcess;
	readonly simulator: SimulatorProcess;
}

/** A gateway without devices, a meter in its network, and somebody who is logged in with a phone. */
async function setUp(t: ExecutionContext): Promise<Box> {
	const stage = createStage(t);
	const simulator = await stage.spawnSimulator('--tcp', '0:1');
	const gateway = await stage.spawnGateway({ devices: [] });
	const browser = await launchBrowser();
	t.teardown(() => browser.close());
	const visit = await browser.visit({ url: gateway.url(), expected: /auth\/refresh|422/ });
	visit.page.setDefaultTimeout(WITHIN_MS);
	await visit.page.setViewportSize(PHONE);
	await claim(visit.page, await gateway.claimCode());
	await visit.page.getByText('No devices yet.').waitFor();
	return { ...visit, gateway, simulator };
}

const kind = (page: Page, name: string) => page.getByText(name, { exact: true }).click();
const value = (page: Page, point: string) => page.locator(`tr[data-point="${point}"] .q-good .number`);

/** The connection of a device, as REST has it. */
async function connectionOf(gateway: HullProcess, page: Page): Promise<unknown> {
	const id = new URL(page.url()).hash.split('/').at(-1) ?? '';
	const { body } = await (await login(gateway.url())).get(`/api/v1/devices/${id}`);
	return member(body, 'connection');
}

test.serial('a serial device that is not Modbus is added, and what it says of a point is taken back', async (t) => {
	t.timeout(240_000);
	if (isSkipped(t)) return;
	const port = await startReceiver(t);
	const { page, gateway, complaints } = await setUp(t);
	await page.getByRole('link', { name: 'Add device' }).click();
	await kind(page, 'Serial server, not Modbus');
	const template = page.getByLabel('Device template');
	await template.locator('option[value="dsmr-p1"]').waitFor({ state: 'attached' });
	t.is(await template.locator('option[value="eastron-sdm630"]').count(), 0);
	t.is(await page.getByLabel('Unit id').count(), 0);
	t.is(await page.getByLabel('Answer within (ms)').inputValue(), '5000');
	await page.getByLabel('Name', { exact: true }).fill('Receiver');
	await page.getByRole('button', { name: 'Add device' }).click();
	t.regex(await noteOf(page, 'Host'), /empty/);
	await page.getByLabel('Host').fill('127.0.0.1');
	await page.getByRole('button', { name: 'Add device' }).click();
	t.regex(await noteOf(page, 'Port'), /must be a number/);
	await page.getByLabel('Port').fill(String(port));
	await page.getByRole('button', { name: 'Add device' }).click();
	t.regex(await noteOf(page, 'Device template'), /empty/);
	await template.selectOption('nmea-0183-gnss');

	await page.getByText('Advanced: points that differ from the template').press('Enter');
	for (const row of [0, 1]) {
		await page.getByRole('button', { name: 'Change a point' }).press('Enter');
		await page
			.getByRole('group', { name: `Point ${row + 1}` })
			.getByLabel('Point', { exact: true })
			.selectOption('altitude');
	}
	const first = page.getByRole('group', { name: 'Point 1' });
	t.is(await first.getByLabel('Unit').getAttribute('placeholder'), 'm');
	t.is(await first.getByLabel('How often').count(), 0);
	await first.getByLabel('Offset').fill('100.5');
	await first.getByLabel('Name').fill('Height of the mast');
	t.is(await overhang(page), 0);
	await page.getByRole('button', { name: 'Add device' }).click();
	await page
		.getByRole('group', { name: 'Point 2' })
		.getByRole('alert')
		.getByText(/duplicate/)
		.waitFor();
	await look(page, 'gateway-add-serial-phone', LOOK_HEIGHT);
	await page.getByRole('group', { name: 'Point 2' }).getByRole('button').press('Enter');
	await page.getByRole('button', { name: 'Add device' }).click();
	await page.getByRole('heading', { name: 'Receiver' }).waitFor();
	await value(page, 'altitude').getByText('645.90').waitFor();
	t.like(await connectionOf(gateway, page), {
		driver: 'serial',
		line: { transport: 'socket', host: '127.0.0.1', port },
		template: 'nmea-0183-gnss',
		period_ms: 1_000,
		timeout_ms: 5_000,
		overrides: [{ point: 'altitude', name: 'Height of the mast', offset: 100.5 }],
	});

	await page.getByRole('link', { name: 'Edit' }).click();
	await page.getByRole('heading', { name: 'Change Receiver' }).waitFor();
	t.true(await page.getByLabel('Serial server, not Modbus').isChecked());
	t.is(await page.getByLabel('Port').inputValue(), String(port));
	t.is(await first.getByLabel('Offset').inputValue(), '100.5');
	await page.getByLabel('Name', { exact: true }).first().fill('Mast');
	await first.getByRole('button', { name: 'As the template has it' }).click();
	t.is(await overhang(page), 0);
	await page.setViewportSize(DESKTOP);
	await look(page, 'gateway-edit-serial', 1_200);
	await page.setViewportSize(PHONE);
	await page.getByRole('button', { name: 'Save' }).click();
	await page.getByRole('heading', { name: 'Mast' }).waitFor();
	await value(page, 'altitude').getByText('545.40').waitFor();
	t.is(member(await connectionOf(gateway, page), 'overrides'), undefined);
	t.deepEqual(complaints, []);
});

test.serial(
	'a serial device on a port of the box has the rate of its model, and no other device beside it',
	async (t) => {
		t.timeout(240_000);
		if (isSkipped(t)) return;
		const { page, gateway, complaints } = await setUp(t);
		for (const name of ['Meter', 'Rival']) {
			await menu(page, 'Devices');
			await page.getByRole('link', { name: 'Add device' }).click();
			await kind(page, 'Serial, not Modbus');
			await page.getByLabel('Name', { exact: true }).fill(name);
			await page.getByLabel('Device template').selectOption('dsmr-p1');
			await page
				.getByLabel('Baud rate')
				.locator('option:checked', { hasText: '115200' })
				.waitFor({ state: 'attached' });
			// The machine of the test may have ports of its own.
			await page.getByLabel('Serial port').selectOption({ label: 'Another path …' });
			await page.getByLabel('Path of the port').fill('/dev/ttyDrawbridgeTest');
			t.is(await overhang(page), 0);
			await page.getByRole('button', { name: 'Add device' }).click();
			if (name === 'Rival') break;
			await page.getByRole('heading', { name }).waitFor();
			t.like(await connectionOf(gateway, page), {
				driver: 'serial',
				line: { transport: 'serial', path: '/dev/ttyDrawbridgeTest', baud_rate: 115_200 },
			});
		}
		t.regex(await noteOf(page, 'Path of the port'), /has its line for itself/);
		t.deepEqual(complaints, []);
	},
);

test.serial('how a meter is asked is tuned, its registers are swept, and one of them is tried', async (t) => {
	t.timeout(240_000);
	if (isSkipped(t)) return;
	const { page, gateway, simulator, complaints } = await setUp(t);
	await page.getByRole('link', { name: 'Add device' }).click();
	await page.getByLabel('Name', { exact: true }).fill('Main feed');
	await page.getByLabel('Host').fill('127.0.0.1');
	await page.getByLabel('Port').fill(String(simulator.lines[0]?.port));
	await page.getByLabel('Device template').selectOption('eastron-sdm630');
	await page.getByText('Advanced: how it is asked').press('Enter');
	await page.getByLabel('Repeats').fill('9');
	await page.getByLabel('Most registers of one read').fill('40');
	await page.getByLabel('Wait for an answer').selectOption('fixed');
	await page.getByRole('button', { name: 'Add device' }).click();
	t.regex(await noteOf(page, 'Repeats'), /less than or equal to 5/);
	await page.getByLabel('Repeats').fill('2');
	await page.getByText('Advanced: points that differ from the template').click();
	await page.getByRole('button', { name: 'Change a point' }).click();
	const row = page.getByRole('group', { name: 'Point 1' });
	await row.getByLabel('Point', { exact: true }).selectOption('voltage_l1');
	await row.getByLabel('Factor').fill('0');
	await page.getByRole('button', { name: 'Add device' }).click();
	t.regex(await noteOf(page, 'Factor'), /invalid value/);
	await page.locator('[name="connection.overrides.0.scale"]:focus').waitFor();
	t.true(await page.getByLabel('Repeats').isVisible());
	t.is(await overhang(page), 0);
	await look(page, 'gateway-tuning-phone', LOOK_HEIGHT);
	await row.getByLabel('Factor').fill('0.001');
	await row.getByLabel('Unit').fill('kV');
	await row.getByLabel('How often').selectOption('slow');
	await page.getByText(/s per 1 s/).waitFor();
	await page.setViewportSize(DESKTOP);
	await look(page, 'gateway-tuning', 1_700);
	await page.setViewportSize(PHONE);
	await page.getByRole('button', { name: 'Add device' }).click();
	await page.getByRole('heading', { name: 'Main feed' }).waitFor();
	await value(page, 'voltage_l1').getByText(/^0\.2/).waitFor();
	const saved = await connectionOf(gateway, page);
	t.deepEqual(member(saved, 'tuning'), { timeout_mode: 'fixed', retries: 2, max_registers: 40 });
	t.deepEqual(member(saved, 'overrides'), [{ point: 'voltage_l1', unit: 'kV', scale: 0.001, poll: 'slow' }]);

	await page.getByRole('link', { name: 'Edit' }).click();
	t.is(await page.getByLabel('Repeats').inputValue(), '2');
	await page.getByLabel('Wait for an answer').selectOption('');
	await page.getByLabel('Repeats').fill('');
	await page.getByLabel('Most registers of one read').fill('');
	await row.getByLabel('Read this point').press('Space');
	await page.getByRole('button', { name: 'Save' }).click();
	await page.getByRole('heading', { name: 'Main feed' }).waitFor();
	const changed = await connectionOf(gateway, page);
	t.is(member(changed, 'tuning'), undefined);
	t.like(member(changed, 'overrides'), [{ point: 'voltage_l1', read: false }]);

	await menu(page, 'Lines');
	await page.getByRole('link', { name: /^tcp/ }).click();
	const unit = page.locator('[data-unit="1"]');
	await unit.getByRole('link', { name: 'Main feed' }).waitFor();
	await page.getByRole('link', { name: 'Which registers answer' }).click();
	await page.getByLabel('Function').selectOption('4');
	await page.getByLabel('To address').fill('99');
	await page.getByRole('button', { name: 'Start' }).click();
	await page.locator('[data-scan="done"]').waitFor();
	await page.getByRole('link', { name: 'Try address 0' }).waitFor();
	t.is(await overhang(page), 0);
	await look(page, 'gateway-registers-phone', LOOK_HEIGHT);
	await page.getByRole('link', { name: 'Try address 0' }).click();
	await page.getByRole('button', { name: 'Read' }).click();
	await page
		.getByText(/looks like a phase voltage/)
		.first()
		.waitFor();

	await page.getByRole('link', { name: 'Lines' }).first().click();
	await page.getByRole('link', { name: /^tcp/ }).click();
	await unit.getByRole('link', { name: 'Main feed' }).click();
	await page.getByRole('heading', { name: 'Main feed' }).waitFor();
	t.deepEqual(complaints, []);
});
