import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { connection, isSkipped } from '../web/browser.ts';
import { claim, isLive, look, menu, setUp } from './kit/pages-scene.ts';

test.serial('a person carries the backlog of a gateway to its hub, and the receipt back', async (t) => {
	t.timeout(400_000);
	if (isSkipped(t)) return;
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-carry-'));
	t.teardown(() => rmSync(folder, { recursive: true, force: true }));
	const file = join(folder, 'a.bundle');
	const scene = await setUp(t, { serial: false, enrolled: true });
	const gateway = await scene.visit('gateway');
	await claim(gateway.page, await scene.gateway.claimCode());
	await connection(gateway.page, 'connected');
	await isLive(gateway.page);
	scene.link.setMode({ kind: 'cut' });
	await menu(gateway.page, 'Sync');
	await gateway.page.getByText('Offline', { exact: true }).first().waitFor();
	const downloading = gateway.page.waitForEvent('download');
	await gateway.page.getByRole('button', { name: 'Export bundle' }).click();
	await (await downloading).saveAs(file);
	await gateway.page.getByRole('button', { name: 'Export bundle' }).waitFor();
	await look(gateway.page, 'gateway-carry', 1_100);

	const hub = await scene.visit('hub');
	await claim(hub.page, await scene.hub.claimCode());
	await connection(hub.page, 'connected');
	await menu(hub.page, 'Gateways');
	await hub.page.getByRole('button', { name: 'Import bundle' }).click();
	const wrong = join(folder, 'b.bundle');
	writeFileSync(wrong, 'no bundle at all');
	await hub.page.getByLabel('Bundle', { exact: true }).setInputFiles(wrong);
	await hub.page.getByRole('button', { name: 'Import', exact: true }).click();
	await hub.page.getByText('Refused. bundle: the file is no bundle').waitFor();

	await hub.page.getByLabel('Bundle', { exact: true }).setInputFiles(file);
	await hub.page.getByRole('button', { name: 'Import', exact: true }).click();
	await hub.page.getByText('Here already').waitFor({ timeout: 30_000 });
	const receipt = (await hub.page.locator('dialog code').textContent()) ?? '';
	await look(hub.page, 'hub-import');

	await gateway.page.getByLabel('Receipt of the hub').fill('nonsense');
	await gateway.page.getByRole('button', { name: 'Take receipt' }).click();
	await gateway.page.getByText('must be two parts with a dot between').waitFor();
	await gateway.page.getByLabel('Receipt of the hub').fill(receipt);
	await gateway.page.getByRole('button', { name: 'Take receipt' }).click();
	await gateway.page.getByText(/^The hub holds [\d,. ]+ samples of this gateway$/).waitFor();
	t.regex(receipt, /^[\w-]+\.[\w-]+$/);
	t.deepEqual(
		[gateway.complaints, hub.complaints].flat().filter((complaint) => !complaint.includes('422')),
		[],
	);
});
