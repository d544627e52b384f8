import test from 'ava';

import { DESKTOP, PHONE, isSkipped, overhang } from '../web/browser.ts';
import { claim, look, menu, setUp } from './kit/pages-scene.ts';
import { login } from './kit/rest.ts';
import { waitFor } from './kit/wait-for.ts';

const LOOK_HEIGHT = 1_150;
const WITHIN_MS = 10_000;

test.serial('an operator imports a configuration, changes it, sees what that does, and gives a drift up', async (t) => {
	t.timeout(400_000);
	if (isSkipped(t)) return;
	const scene = await setUp(t, { serial: true, enrolled: true });
	const atGateway = await scene.visit('gateway', /auth\/refresh/);
	await claim(atGateway.page, await scene.gateway.claimCode());
	await menu(atGateway.page, 'Sync');
	await atGateway.page.getByText('Online', { exact: true }).waitFor();
	await atGateway.page.getByText('What it has, no revision of the hub').waitFor();

	const atHub = await scene.visit('hub', /auth\/refresh|422/);
	const { page } = atHub;
	await claim(page, await scene.hub.claimCode());
	await menu(page, 'Gateways');
	await page.getByRole('link', { name: 'Plant North' }).click();
	await page.getByText('Not managed').waitFor();
	await page.getByRole('button', { name: 'Import as revision 1' }).click();
	await page.getByText('As wanted').waitFor();

	await page.getByRole('button', { name: 'New revision' }).click();
	const dialog = page.getByRole('dialog');
	const text = dialog.getByLabel('Document');
	const wanted = await waitFor('the document is there', WITHIN_MS, async () => {
		const value = await text.inputValue();
		return value.includes('Cellar') ? value : null;
	});
	await text.fill('{');
	await dialog.getByRole('button', { name: 'Make revision' }).click();
	await dialog.getByText('This is not valid JSON.').waitFor();
	await text.fill(wanted.replace('"retention_days": 365', '"retention_days": 0'));
	await dialog.getByRole('button', { name: 'Make revision' }).click();
	await dialog.getByText(/retention_days/).waitFor();
	await look(page, 'hub-configuration-edit', LOOK_HEIGHT);
	await text.fill(wanted.replace('"name": "Cellar"', '"name": "Cellar, boiler room"'));
	await dialog.getByLabel('Comment').fill('a better name');
	await dialog.getByRole('button', { name: 'Make revision' }).click();
	await dialog.waitFor({ state: 'detached' });

	await page.getByRole('row', { name: 'Revision 2' }).getByRole('button', { name: 'Apply' }).click();
	await dialog.getByText('/devices/cellar/name').waitFor();
	await look(page, 'hub-configuration-apply', LOOK_HEIGHT);
	await dialog.getByRole('button', { name: 'Apply' }).click();
	await dialog.waitFor({ state: 'detached' });
	await page.getByText('Revision 2 was put into force.').waitFor();

	const gateway = await login(scene.gateway.url());
	t.is((await gateway.patch('/api/v1/devices/cellar', { name: 'By the installer' })).status, 200);
	await page.getByText('By the installer').waitFor();
	await look(page, 'hub-configuration', LOOK_HEIGHT);
	await atGateway.page.getByText('By the installer').waitFor();
	await look(atGateway.page, 'gateway-configuration', LOOK_HEIGHT);
	await page.setViewportSize(PHONE);
	t.is(await overhang(page), 0);
	await look(page, 'hub-configuration-phone', LOOK_HEIGHT);
	await atGateway.page.setViewportSize(PHONE);
	t.is(await overhang(atGateway.page), 0);

	const hub = await login(scene.hub.url());
	const id = new URL(page.url()).hash.split('/').at(-1) ?? '';
	const patch = [{ op: 'replace', path: '/devices/cellar/name', value: 'By the hub' }];
	t.is((await hub.post(`/api/v1/gateways/${id}/configuration/revisions`, { patch, base: 'running' })).status, 201);
	await page.setViewportSize(DESKTOP);
	await page.getByRole('row', { name: 'Revision 3' }).getByRole('button', { name: 'Apply' }).click();
	await dialog.getByText(/Changed on both sides: /).waitFor();
	await dialog.getByRole('button', { name: 'Apply' }).click();
	await dialog.waitFor({ state: 'detached' });
	await page.getByText('Needs a decision', { exact: true }).waitFor();
	await page.getByRole('button', { name: 'Hub', exact: true }).click();
	await look(page, 'hub-configuration-conflict', LOOK_HEIGHT);
	const conflicts = page.locator('section').filter({ hasText: 'Changed on both sides' });
	await conflicts.getByRole('button', { name: 'Apply' }).click();
	await page.getByText('Revision 3 was put into force.').waitFor();
	await page.getByText('Values of the gateway that were replaced').waitFor();
	t.like((await gateway.get('/api/v1/devices/cellar')).body, { name: 'By the hub' });

	t.is((await gateway.patch('/api/v1/devices/cellar', { name: 'Once more' })).status, 200);
	await page.getByRole('button', { name: 'Give up these changes' }).click();
	await dialog.getByRole('button', { name: 'Give up these changes' }).click();
	await page.getByText('As wanted').waitFor();
	await page.getByText('Once more').waitFor();
	await atGateway.page.getByText('None', { exact: true }).waitFor();
	t.deepEqual(atHub.complaints, []);
	t.deepEqual(atGateway.complaints, []);
});
