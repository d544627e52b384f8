import test from 'ava';
import type { Page } from 'playwright-core';
import { setTimeout as sleep } from 'node:timers/promises';

import { PHONE, connection, isSkipped, overhang } from '../web/browser.ts';
import { CURVE_MS, METER, claim, isLive, look, menu, setUp } from './kit/pages-scene.ts';
import { type Rest, login } from './kit/rest.ts';
import { waitFor } from './kit/wait-for.ts';

const WITHIN_MS = 60_000;
const MINUTE_MS = 60_000;

const card = (page: Page, name: string) =>
	page.locator('section').filter({ has: page.getByRole('heading', { name, exact: true }) });

/** An instant as its field takes it: browsers of tests are in UTC. */
const at = (ms: number): string => new Date(ms).toISOString().slice(0, 16);

/** A period from some minutes ago until after now, which the server ends now. */
async function show(page: Page, minutesBack: number): Promise<void> {
	const missing = card(page, 'What is missing, and why');
	await missing.getByText('Own period').click();
	await missing.getByLabel('From', { exact: true }).fill(at(Date.now() - minutesBack * MINUTE_MS));
	await missing.getByLabel('To', { exact: true }).fill(at(Date.now() + 2 * MINUTE_MS));
	await missing.getByRole('button', { name: 'Show', exact: true }).click();
}

/** Waits until the hub calls readings of the meter on their way, or does no more. */
const untilOnItsWay = (hub: Rest, path: string, isWanted: boolean) =>
	waitFor(`on its way: ${isWanted}`, WITHIN_MS, async () => {
		const { body } = await hub.get(path);
		return JSON.stringify(body).includes('in-transit') === isWanted;
	});

test.serial(
	'what the hub lacks is told on its pages while the link is cut, and comes by itself afterwards',
	async (t) => {
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

		await menu(hub, 'Gateways');
		await hub.getByRole('link', { name: 'Plant North' }).click();
		const ledger = card(hub, 'What the hub has');
		await ledger.getByText('Received samples').waitFor();
		await card(hub, 'Clock').getByText('Who says the time').first().waitFor();
		await ledger.getByRole('button', { name: 'Ask for it again' }).click();
		await ledger.getByText(/^Nothing is missing, so nothing was asked for\.|^Asked for/).waitFor();
		await look(hub, 'hub-gateway');
		t.is(await overhang(hub), 0);

		await menu(gateway, 'Sync');
		await card(gateway, 'What the hub has').getByText('Declared lost').waitFor();
		await card(gateway, 'Clock').getByText('Who says the time').first().waitFor();
		await card(gateway, 'Room for values').getByText('History and sums').waitFor();
		await look(gateway, 'gateway-sync', 1_000);

		await menu(hub, 'Devices');
		await hub.getByRole('link', { name: METER }).click();
		const missing = card(hub, 'What is missing, and why');
		await missing.getByRole('img').waitFor();
		const energy = card(hub, 'Consumption');
		await energy.locator('.bars .bar-fill').first().waitFor();
		await energy.getByText('Month', { exact: true }).click();
		await energy.locator('.bars li').nth(27).waitFor();
		await hub.getByText('7 days', { exact: true }).first().click();
		await hub.locator('.chart[aria-label*=", 7 days:"]').waitFor();

		const rest = await login(scene.hub.url());
		const id = new URL(hub.url()).hash.split('/').at(-1) ?? '';
		const path = `/api/v1/devices/${id}/completeness`;
		scene.link.setMode({ kind: 'cut' });
		await connection(hub, 'connected');
		await untilOnItsWay(rest, path, true);
		await show(hub, 5);
		await missing.getByText('On its way to the hub').first().waitFor();
		await missing.getByText('Nothing to do: it comes by itself').waitFor();
		await missing.evaluate('(element) => element.scrollIntoView({ behavior: "instant" })');
		await look(hub, 'hub-completeness');
		await hub.setViewportSize(PHONE);
		t.is(await overhang(hub), 0);

		scene.link.setMode({ kind: 'pass' });
		await untilOnItsWay(rest, path, false);
		await show(hub, 6);
		await missing.getByText('On its way to the hub').first().waitFor({ state: 'detached' });
		await missing.getByRole('img').waitFor();
		for (const { complaints } of visits) t.deepEqual(complaints, []);
	},
);

test.serial('questions about periods that cannot be are answered with the field at fault', async (t) => {
	t.timeout(400_000);
	if (isSkipped(t)) return;
	const scene = await setUp(t, { serial: false, enrolled: false });
	const { page, complaints } = await scene.visit('gateway', /auth\/refresh|422/);
	await claim(page, await scene.gateway.claimCode());
	await isLive(page);
	await page.getByRole('link', { name: METER }).click();
	const missing = card(page, 'What is missing, and why');
	await missing.getByText('what is missing is told from then on').waitFor();
	// What the page itself would refuse: an older page, or somebody else's, may ask it.
	await page.route('**/completeness?*', (route) =>
		route.continue({
			url: route
				.request()
				.url()
				.replace(/from=[^&]*/, 'from=1900-01-01T00:00:00Z'),
		}),
	);
	await missing.getByText('7 days', { exact: true }).click();
	await missing
		.getByRole('alert')
		.getByText(/more than 31 days before to/)
		.waitFor();
	await page.unroute('**/completeness?*');
	await missing.getByText('24 h', { exact: true }).click();
	await missing.getByRole('img').waitFor();
	await menu(page, 'Sync');
	await card(page, 'Room for values').waitFor();
	t.is(await page.getByRole('heading', { name: 'What the hub has' }).count(), 0);
	t.deepEqual(complaints, []);
});
