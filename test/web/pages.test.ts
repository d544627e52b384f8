import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';
import { type Page, chromium } from 'playwright-core';

import { MOCK_CLAIM_CODE, type MockApi, startMockApi } from '../fake/mock-api.ts';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
	'--no-sandbox',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
];
const WEB = fileURLToPath(new URL('../../web/', import.meta.url));
const SCREENSHOTS = setting('DRAWBRIDGE_SCREENSHOTS');
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };
const PASSWORD = 'correct horse battery';

function setting(name: string): string | undefined {
	// oxlint-disable-next-line node/no-process-env -- where to leave pictures is the caller's choice
	return process.env[name];
}

/** Says what is missing; `null` when the test can run. On a machine that must have everything, missing is a failure. */
function missing(): string | null {
	const wanted = [CHROMIUM, join(WEB, 'gateway/index.html'), join(WEB, 'hub/index.html')].filter(
		(path) => !existsSync(path),
	);
	if (wanted.length === 0) return null;
	const required = setting('CI') !== undefined && setting('DRAWBRIDGE_REQUIRE_PEERS') === '1';
	if (required) throw new Error(`missing: ${wanted.join(', ')}`);
	return wanted.join(', ');
}

interface Visit {
	readonly page: Page;
	readonly api: MockApi;
	/** Requests to other hosts, messages of level error, uncaught errors. */
	readonly complaints: readonly string[];
	readonly look: (name: string) => Promise<void>;
}

function listen(page: Page, api: MockApi, expected: RegExp): string[] {
	const complaints: string[] = [];
	page.on('request', (request) => {
		const { origin, protocol } = new URL(request.url());
		if (origin !== api.url && protocol !== 'ws:') complaints.push(`foreign request: ${request.url()}`);
	});
	page.on('websocket', (socket) => {
		if (new URL(socket.url()).host !== new URL(api.url).host) complaints.push(`foreign socket: ${socket.url()}`);
	});
	page.on('console', (message) => {
		const text = `${message.text()} ${message.location().url}`;
		if (message.type() === 'error' && !expected.test(text)) complaints.push(text);
	});
	page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
	return complaints;
}

interface VisitOptions {
	readonly hull: 'gateway' | 'hub';
	readonly claimed?: boolean;
	/** Console errors that belong to the case: a browser reports each refused request as one. */
	readonly expected?: RegExp;
}

/** Nobody is logged in at first: the browser reports the refused refresh. */
const NO_SESSION = /auth\/refresh/;

async function visit(t: ExecutionContext, options: VisitOptions, walk: (visit: Visit) => Promise<void>): Promise<void> {
	const lack = missing();
	if (lack !== null) {
		t.log(`skipped, missing: ${lack}`);
		t.pass();
		return;
	}
	const { hull, claimed = false, expected = NO_SESSION } = options;
	const profile = await mkdtemp(join(tmpdir(), 'drawbridge-web-'));
	const api = await startMockApi({ hull, claimed, webDir: join(WEB, hull) });
	const context = await chromium.launchPersistentContext(profile, {
		executablePath: CHROMIUM,
		args: FLAGS,
		viewport: DESKTOP,
	});
	try {
		const page = await context.newPage();
		const complaints = listen(page, api, expected);
		const look = async (name: string): Promise<void> => {
			if (SCREENSHOTS === undefined) return;
			await mkdir(SCREENSHOTS, { recursive: true });
			await page.screenshot({ path: join(SCREENSHOTS, `${hull}-${name}.png`) });
		};
		await page.goto(api.url);
		await walk({ page, api, complaints, look });
		t.deepEqual(complaints, []);
	} finally {
		await context.close();
		await api.stop();
		await rm(profile, { recursive: true, force: true });
	}
}

async function claim({ page, look }: Visit): Promise<void> {
	await page.getByLabel('Claim code').fill(MOCK_CLAIM_CODE);
	await page.getByLabel('E-mail').fill('admin@example.org');
	await page.getByLabel('Full name').fill('Ada Installer');
	await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
	await page.getByLabel('Password again').fill(PASSWORD);
	await look('claim');
	await page.getByRole('button', { name: 'Claim' }).click();
	await page.getByRole('link', { name: 'Main feed' }).waitFor();
}

async function login(page: Page): Promise<void> {
	await page.getByLabel('E-mail').fill('admin@example.org');
	await page.getByLabel('Password').fill(PASSWORD);
	await page.getByRole('button', { name: 'Log in' }).click();
	await page.getByRole('link', { name: 'Main feed' }).waitFor();
}

/** Pixels that stick out at the right; 0 means that nobody has to scroll sideways. */
const overhang = (page: Page): Promise<unknown> =>
	page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

const connection = (page: Page, state: string) => page.locator(`.connection[data-state="${state}"]`).waitFor();

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
		t.regex((await page.getByRole('img', { name: 'last hour' }).getAttribute('aria-label')) ?? '', /1 gaps/);
		await page.getByRole('button', { name: 'Voltage L1', exact: true }).click();
		await page.getByRole('heading', { name: 'Last hour: Voltage L1' }).waitFor();
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
		t.is(await row.locator('.q-good').count(), 0);
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
		for (const place of ['devices', 'lines', 'sync', 'add-device', 'devices/dd000000-0000-4000-8000-000000000001']) {
			await page.goto(`${api.url}/#/${place}`);
			await page.locator('main h1').first().waitFor();
			await page.waitForLoadState('networkidle');
			await look(`phone-${place.split('/').length > 1 ? 'device' : place}`);
			t.is(await overhang(page), 0, place);
			const small = await page.evaluate(`[...document.querySelectorAll('nav a, button:not(.link), input, select')]
				.filter((each) => each.type !== 'radio' && each.getBoundingClientRect().height < 44)
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
