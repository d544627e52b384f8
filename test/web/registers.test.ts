import test from 'ava';
import type { Page } from 'playwright-core';

import { waitFor } from '../system/kit/wait-for.ts';
import { DESKTOP, PHONE, connection } from './browser.ts';
import { visit } from './mock-visit.ts';
import { fitsPhone, goTo, open } from './phone.ts';

const WITHIN_MS = 20_000;
/** Of the scan of the mock, until it is done. */
const STEPS = 4;

/** Of a page that has to ask. */
const SEVERAL_PERIODS_MS = 5_000;

/** Questions for one scan so far. */
function countQuestions(page: Page): () => number {
	let asked = 0;
	page.on('request', (each) => {
		if (each.method() === 'GET' && /\/api\/v1\/scans\/[0-9a-f-]{36}$/.test(each.url())) asked += 1;
	});
	return () => asked;
}

async function startSweep(page: Page): Promise<void> {
	await page.getByLabel('Line or device').selectOption('tcp 192.168.10.21:502');
	await page.getByLabel('Function').selectOption('4');
	await page.getByRole('button', { name: 'Start' }).click();
}

test.serial('registers are swept: mistakes at their fields, progress, and a table that leads to a try', async (t) => {
	const stepped = { hull: 'gateway', claimed: true, scans: 'stepped', expected: /422|auth\/refresh/ } as const;
	await visit(t, stepped, async ({ page, look, api }) => {
		await page.clock.install();
		await open(page, 'lines');
		await page.getByRole('link', { name: /^tcp/ }).click();
		await page.getByRole('link', { name: 'Which registers answer' }).click();
		const line = page.getByLabel('Line or device');
		await line.locator('option:checked', { hasText: 'tcp 192.168.10.21:502' }).waitFor({ state: 'attached' });
		await line.selectOption('');
		await page.getByRole('button', { name: 'Start' }).click();
		await page.getByText('line is required').waitFor();
		t.is(await line.getAttribute('aria-invalid'), 'true');
		await line.selectOption('tcp 192.168.10.21:502');
		await page.getByLabel('To address').fill('70000');
		await page.getByRole('button', { name: 'Start' }).click();
		await page.getByText('must be less than or equal to 65535').waitFor();
		t.is(await page.getByLabel('To address').getAttribute('aria-invalid'), 'true');
		await page.getByLabel('To address').fill('999');
		await page.getByText('More', { exact: true }).press('Enter');
		await page.getByLabel('Ask for each address, also where many were refused').check();
		await fitsPhone(t, page);
		await look('registers-form-phone');

		const request = page.waitForRequest((each) => each.method() === 'POST' && each.url().endsWith('/scans'));
		const questions = countQuestions(page);
		await startSweep(page);
		t.like((await request).postDataJSON(), {
			kind: 'registers',
			line: 'tcp 192.168.10.21:502',
			unit_id: 1,
			function: 4,
			from: 0,
			to: 999,
			timeout_ms: 500,
			pause_ms: 20,
			thorough: true,
		});
		await page.getByText('What answers is shown when the scan has ended').waitFor();
		await waitFor('the page hears of the scan', WITHIN_MS, () => Promise.resolve(api.tellsScans()));
		api.stepScan();
		await page.getByText('864 of 3456').waitFor();
		await fitsPhone(t, page);
		await look('registers-running-phone');
		api.stepScan();
		await page.getByText('1728 of 3456').waitFor();
		const before = questions();
		await page.clock.fastForward(SEVERAL_PERIODS_MS);
		api.stepScan();
		await page.getByText('2592 of 3456').waitFor();
		t.is(questions(), before, 'progress is told, and not asked for');
		api.stepScan();
		await page.locator('[data-registers="66"]').waitFor();

		await page.getByText('4366', { exact: true }).waitFor();
		await page.getByText('230.1', { exact: true }).waitFor();
		await page.getByText('-10', { exact: true }).waitFor();
		await fitsPhone(t, page);
		await look('registers-phone');
		await page.getByLabel('Leave out those that are 0').check();
		await page.getByText('6 of 66').waitFor();
		await page.setViewportSize(DESKTOP);
		await look('registers');
		await page.setViewportSize(PHONE);
		await page.getByRole('link', { name: 'Try address 2' }).click();
		await page.getByRole('heading', { name: 'Try a register' }).waitFor();
		t.is(await page.getByLabel('Address').inputValue(), '2');
		t.is(await page.getByLabel('Function').inputValue(), '4');
		t.is(await page.getByLabel('Unit id').inputValue(), '1');
		await page.getByRole('button', { name: 'Read' }).click();
		await page.getByText('230.1 looks like a phase voltage in V').waitFor();
	});
});

test.serial('a scan of which nobody tells is asked for again and again, and is stopped', async (t) => {
	const muted = { hull: 'gateway', claimed: true, scans: 'muted' } as const;
	await visit(t, muted, async ({ page }) => {
		await open(page, 'registers');
		const questions = countQuestions(page);
		await startSweep(page);
		await page.locator('[data-registers="66"]').waitFor();
		t.true(questions() >= 4, `${questions()} questions`);
		await goTo(page, 'registers');
		await startSweep(page);
		await page.getByRole('button', { name: 'Stop the scan' }).press('Enter');
		await page.getByText('cancelled by admin@example.org').waitFor();
		await page.locator('[data-registers="66"]').waitFor();
	});
});

test.serial('a scan that is told goes on being told after the connection was lost', async (t) => {
	const expected = /503|socket\.io|auth\/refresh|ERR_/;
	await visit(t, { hull: 'gateway', claimed: true, scans: 'stepped', expected }, async ({ page, api }) => {
		await open(page, 'registers');
		await startSweep(page);
		const isTold = () => Promise.resolve(api.tellsScans());
		await waitFor('the page hears of the scan', WITHIN_MS, isTold);
		api.cut();
		await connection(page, 'restarting');
		t.false(api.tellsScans());
		api.restore();
		await waitFor('the page hears of the scan again', WITHIN_MS, isTold);
		for (let step = 0; step < STEPS; step += 1) api.stepScan();
		await page.locator('[data-registers="66"]').waitFor();
	});
});

test.serial('whoever may not set up devices sweeps nothing', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, role: 'viewer' }, async ({ page }) => {
		await open(page, 'lines');
		await page.getByRole('link', { name: /^tcp/ }).click();
		await page.getByRole('link', { name: 'Main feed' }).waitFor();
		t.is(await page.getByRole('link', { name: 'Which registers answer' }).count(), 0);
		await goTo(page, 'registers');
		await page.getByText('There is no such page.').waitFor();
	});
});
