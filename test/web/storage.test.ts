import test from 'ava';

import { PHONE, overhang } from './browser.ts';
import { login, visit } from './mock-visit.ts';

test.serial('an administrator sees how long the card lasts and what a power cut would cost', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true }, async ({ page, look }) => {
		await login(page);
		await page.getByRole('link', { name: 'Settings' }).click();
		await page.getByRole('link', { name: /^Storage/ }).click();
		await page.getByText('19 years').waitFor();
		await page.getByText('values of 1 s, or 64 KiB of them').waitFor();
		await look('storage');
		await page.setViewportSize(PHONE);
		t.is(await overhang(page), 0);
		await look('storage-phone');
	});
});

test.serial('somebody who may not read the state of the system is not offered it', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, role: 'user' }, async ({ page }) => {
		await login(page);
		await page.getByRole('link', { name: 'Settings' }).click();
		await page.getByRole('link', { name: /^Account/ }).waitFor();
		t.is(await page.getByRole('link', { name: /^Storage/ }).count(), 0);
	});
});
