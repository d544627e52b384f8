import type { ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';

import { meterSettings } from '../../../demo/demo-settings.ts';
import type { LinkProxy } from '../../../demo/link-proxy.ts';
import {
	type Browser,
	DESKTOP,
	LAN_NAMES,
	type Visit,
	launchBrowser,
	screenshotFolder,
	takePicture,
} from '../../web/browser.ts';
import type { HullProcess, Role } from './hull-process.ts';
import { ADMINISTRATOR } from './rest.ts';
import type { SimulatorProcess } from './simulator-process.ts';
import { createStage } from './stage.ts';
import { waitFor } from './wait-for.ts';

const SCREENSHOTS = screenshotFolder();
/** A curve of a few seconds is no picture; without pictures nobody waits. */
export const CURVE_MS = SCREENSHOTS === undefined ? 0 : 120_000;
export const METER = 'Simulated meter 1 (Modbus TCP)';

/** Both hulls with real meters, and a browser. */
export interface Scene {
	readonly simulator: SimulatorProcess;
	readonly gateway: HullProcess;
	readonly hub: HullProcess;
	readonly link: LinkProxy;
	readonly browser: Browser;
	/** Opens the page of a hull under its name on the LAN. */
	visit(role: Role, expected?: RegExp): Promise<Visit>;
}

/** A serial port that is not there: its devices wait, and its settings are known. */
export const SERIAL = {
	driver: 'modbus',
	line: {
		transport: 'rtu',
		path: '/dev/ttyDrawbridgeTest',
		baud_rate: 9600,
		parity: 'none',
		data_bits: 8,
		stop_bits: 1,
	},
	unit_id: 1,
	template: 'eastron-sdm630',
};

export interface Wanted {
	/** A device on a serial port that is not there. */
	readonly serial: boolean;
	/** The gateway has a hub from the start. */
	readonly enrolled: boolean;
	/** More sections of the gateway's settings file. */
	readonly settings?: Readonly<Record<string, unknown>>;
}

export async function setUp(t: ExecutionContext, wanted: Wanted): Promise<Scene> {
	const stage = createStage(t);
	const simulator = await stage.spawnSimulator('--tcp', '0:1,2,3');
	const hub = await stage.spawnHub();
	const link = await stage.spawnLink(hub);
	const serial = { uid: 'cellar', name: 'Cellar', device_type: 'energy_meter', connection: SERIAL };
	const gateway = await stage.spawnGateway({
		devices: [...meterSettings(simulator.lines), ...(wanted.serial ? [serial] : [])],
		...(wanted.enrolled && { uplink: { hub, link } }),
		settings: { site: { name: 'Plant North' }, ...wanted.settings },
	});
	const browser = await launchBrowser();
	t.teardown(() => browser.close());
	return {
		simulator,
		gateway,
		hub,
		link,
		browser,
		visit: (role, expected) =>
			browser.visit({
				url: `http://${LAN_NAMES[role]}:${(role === 'hub' ? hub : gateway).port('http_port')}/`,
				...(expected !== undefined && { expected }),
			}),
	};
}

/** Leaves a picture where pictures are wanted, of a window as high as there is something to see. */
export async function look(page: Page, name: string, height = DESKTOP.height): Promise<void> {
	if (SCREENSHOTS === undefined) return;
	const size = page.viewportSize() ?? DESKTOP;
	await page.setViewportSize({ ...size, height });
	await takePicture(page, SCREENSHOTS, name);
	await page.setViewportSize(size);
}

export const meterRow = (page: Page) => page.locator('tr[data-device]').filter({ hasText: METER });
export const menu = (page: Page, name: string) =>
	page.getByRole('navigation', { name: 'Main menu' }).getByRole('link', { name, exact: true }).click();

export async function claim(page: Page, code: string): Promise<void> {
	await page.getByLabel('Claim code').fill(code);
	await page.getByLabel('E-mail').fill(ADMINISTRATOR.email);
	await page.getByLabel('Full name').fill(ADMINISTRATOR.full_name);
	await page.getByLabel('Password', { exact: true }).fill(ADMINISTRATOR.password);
	await page.getByLabel('Password again').fill(ADMINISTRATOR.password);
	await page.getByRole('button', { name: 'Claim' }).click();
}

/** Waits until a number on the page has changed. */
export async function isLive(page: Page): Promise<void> {
	const power = meterRow(page).locator('.number').first();
	await power.waitFor();
	const before = await power.textContent();
	await waitFor('a new value on the page', 30_000, async () => (await power.textContent()) !== before);
}

/** What stands in the note of the field, as a screen reader finds it. */
export async function noteOf(page: Page, label: string): Promise<string> {
	const field = page.getByLabel(label, { exact: true });
	await page.locator(`[id="${await field.getAttribute('id')}"][aria-invalid="true"]`).waitFor();
	return (await page.locator(`[id="${await field.getAttribute('aria-describedby')}"]`).textContent()) ?? '';
}
