import test from 'ava';
import type { Page } from 'playwright-core';

import { DESKTOP, PHONE, overhang } from './browser.ts';
import { type MockVisit, login, visit } from './mock-visit.ts';

/** As high as a person scrolls. */
const TALL = 2_300;

const card = (page: Page, name: string) =>
	page.locator('section').filter({ has: page.getByRole('heading', { name, exact: true }) });

async function lookTall({ page, look }: MockVisit, name: string, height = TALL): Promise<void> {
	const size = page.viewportSize() ?? DESKTOP;
	await page.setViewportSize({ ...size, height });
	await page.evaluate('scrollTo(0, 0)');
	await look(name);
	await page.setViewportSize(size);
}

/** Enters a period of one's own. */
async function enter(part: ReturnType<typeof card>, from: string, to: string): Promise<void> {
	await part.getByLabel('From', { exact: true }).fill(from);
	await part.getByLabel('To', { exact: true }).fill(to);
	await part.getByRole('button', { name: 'Show', exact: true }).click();
}

const MISTAKES = [
	['2026-03-02T10:00', '2026-03-01T10:00', 'Must be later than From.'],
	['1900-01-01T00:00', '1900-01-02T00:00', 'Must be 1 January 2000 or later.'],
	['2999-01-01T00:00', '2999-01-02T00:00', 'Must be in the past.'],
	['2026-01-01T00:00', '2026-03-01T00:00', 'The period may be 31 days long at most.'],
	['', '2026-03-01T10:00', 'Enter a date and a time.'],
] as const;

test.serial('what is missing of a device is told as a bar, in words and with what to do', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true }, async (here) => {
		const { page } = here;
		await login(page);
		await page.getByRole('link', { name: 'Solar roof east' }).click();
		const missing = card(page, 'What is missing, and why');
		await missing.getByText('Dropped: the journal was full').first().waitFor();
		for (const words of ['The gateway was off', 'On its way to the hub', 'a-reason-of-next-year'])
			t.true(await missing.getByText(words).first().isVisible(), words);
		await missing.getByText('it comes by itself').waitFor();
		t.regex((await missing.getByRole('img').getAttribute('aria-label')) ?? '', /: 7 gaps, 4 h 18 min in all\.$/);
		t.is(await missing.getByRole('row').count(), 1 + 7);
		await missing.getByText('7 days', { exact: true }).click();
		await missing.getByText('10 of 87').waitFor();
		await missing.getByRole('button', { name: 'Show 50 more' }).click();
		await missing.getByText('60 of 87').waitFor();
		t.is(await missing.getByRole('row').count(), 1 + 60);
		await missing.getByText('24 h', { exact: true }).click();
		await missing.getByRole('button', { name: /more/ }).waitFor({ state: 'detached' });
		await lookTall(here, 'missing');
		await page.setViewportSize(PHONE);
		t.is(await overhang(page), 0);
		await lookTall(here, 'missing-phone', 3_600);
	});
});

test.serial('a period that cannot be is refused beside its field, and the one before stays', async (t) => {
	await visit(t, { hull: 'hub', claimed: true }, async (here) => {
		const { page } = here;
		await login(page);
		await page.getByRole('link', { name: 'Main feed' }).click();
		const missing = card(page, 'What is missing, and why');
		await missing.getByText('Nothing is missing.').waitFor();
		// With the keyboard alone: the last choice is behind the others.
		await missing.getByRole('radio', { name: '24 h' }).focus();
		for (let press = 0; press < 3; press += 1) await page.keyboard.press('ArrowRight');
		for (const [from, to, words] of MISTAKES) {
			await enter(missing, from, to);
			await missing.getByText(words).waitFor();
			t.is(await missing.locator('[aria-invalid="true"]').count(), 1, words);
		}
		await lookTall(here, 'own-period');
		await page.setViewportSize(PHONE);
		t.is(await overhang(page), 0);
		await enter(missing, '2025-01-01T00:00', '2025-01-02T00:00');
		await missing.getByText(/^The device is known since/).waitFor();
		await enter(missing, '2025-12-31T00:00', '2026-01-02T00:00');
		await missing.getByText(/what is missing is told from then on/).waitFor();
		await enter(missing, '2026-01-05T00:00', '2026-01-06T00:00');
		await missing.getByText(/what is missing is told/).waitFor({ state: 'detached' });
		await missing.getByText('Nothing is missing.').waitFor();
	});
});

test.serial('a device that speaks when it likes is never called complete', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true }, async ({ page }) => {
		await login(page);
		await page.getByRole('link', { name: 'Office climate' }).click();
		await page.getByText('its silence says nothing').waitFor();
		t.is(await page.getByRole('heading', { name: 'Consumption' }).count(), 0);
	});
});

test.serial('a chart goes from an hour to a year, and to a period of one’s own', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true }, async (here) => {
		const { page } = here;
		await login(page);
		await page.getByRole('link', { name: 'Main feed' }).click();
		await page.locator('.chart canvas').waitFor();
		const history = page.locator('section').filter({ has: page.locator('.chart-title') });
		const label = (): Promise<string | null> => history.getByRole('img').getAttribute('aria-label');
		for (const [name, said, note] of [
			['24 h', /, 24 h: lowest/, /^lowest/],
			['7 days', /, 7 days: lowest/, /^shaded: from lowest to highest/],
			['30 days', /, 30 days: lowest/, /^shaded/],
			['1 year', /, 1 year: lowest .*; 1 gap\./, /^shaded/],
		] as const) {
			await history.getByText(name, { exact: true }).click();
			await page.locator(`.chart[aria-label*=", ${name}:"]`).waitFor();
			t.regex((await label()) ?? '', said);
			t.regex((await history.locator('.chart-note').textContent()) ?? '', note);
			await here.look(`chart-${name.replace(' ', '-')}`);
		}
		await history.getByText('Own period', { exact: true }).click();
		await enter(history, '2026-02-02T00:00', '2026-02-01T00:00');
		await history.getByText('Must be later than From.').waitFor();
		t.regex((await label()) ?? '', /1 year/);
		await enter(history, '2026-02-01T00:00', '2026-02-03T12:00');
		await page.locator('.chart[aria-label*="Feb 1, 2026"]').waitFor();
		await page.setViewportSize(PHONE);
		t.is(await overhang(page), 0);
		await here.look('chart-phone');
	});
});

test.serial('what a counter has counted stands in bars of a day, a month and a year, of any time zone', async (t) => {
	await visit(t, { hull: 'hub', claimed: true }, async (here) => {
		const { page } = here;
		const zones = new Set<string | null>();
		page.on('request', (request) => {
			const url = new URL(request.url());
			if (url.pathname.endsWith('/aggregate')) zones.add(url.searchParams.get('tz'));
		});
		await login(page);
		await page.getByRole('link', { name: 'Main feed' }).click();
		const energy = card(page, 'Consumption');
		const bars = energy.locator('.bars li');
		await bars.nth(23).waitFor();
		t.is(await bars.count(), 24);
		t.true(await energy.getByRole('button', { name: 'Later' }).isDisabled());
		await energy.getByRole('button', { name: 'Earlier' }).click();
		await energy.getByText(/^Resets or exchanges of the counter: 1\./).waitFor();
		// Of yesterday: of today the hour may be to come.
		await bars
			.nth(3)
			.filter({ hasText: /^03:00: [\d.]+ kWh/ })
			.waitFor();
		t.is(await bars.nth(2).textContent(), '02:00: no values');
		await energy.getByText('Month', { exact: true }).click();
		await bars.nth(27).waitFor();
		await energy.getByLabel('Time zone').selectOption('Europe/Istanbul');
		await energy.getByText('Year', { exact: true }).click();
		await energy.getByRole('button', { name: 'Earlier' }).click();
		await energy.getByText('As numbers').click();
		await energy.getByRole('cell').first().waitFor();
		await energy.getByLabel('Counter').selectOption('energy_export_total');
		await bars.first().waitFor();
		await lookTall(here, 'energy');
		t.true(zones.has('Europe/Istanbul'));
		await page.setViewportSize(PHONE);
		t.is(await overhang(page), 0);
		await lookTall(here, 'energy-phone', 3_600);
	});
});

test.serial('an operator sees the ledger and the clock of a gateway, and asks for what is missing', async (t) => {
	const expected = /auth\/refresh|409/;
	await visit(t, { hull: 'hub', claimed: true, expected }, async (here) => {
		const { page } = here;
		await login(page);
		await page.getByRole('link', { name: 'Gateways' }).click();
		await page.getByRole('link', { name: 'Plant North' }).click();
		const ledger = card(page, 'What the hub has');
		await ledger.getByText('Lost when the power failed').first().waitFor();
		t.is(await ledger.getByText('Dropped: the disk was full').count(), 0);
		await ledger.getByRole('button', { name: 'Ask for it again' }).click();
		await ledger.getByText('Asked for 4,007 samples again.').waitFor();
		await ledger.getByText('10 of 16').waitFor();
		await ledger.getByText('Starts of the gateway').last().click();
		await ledger.getByText('10 of 30').waitFor();
		const clock = card(page, 'Clock');
		await clock.getByText('1.2 s behind').waitFor();
		await clock.getByText('How readings were stamped').click();
		await clock.getByText('+2 h 17 min, estimated').waitFor();
		await lookTall(here, 'gateway-page');
		await page.setViewportSize(PHONE);
		t.is(await overhang(page), 0);
		await lookTall(here, 'gateway-page-phone', 4_000);
		await page.getByRole('link', { name: 'Gateways' }).first().click();
		await page.getByRole('link', { name: 'Pump house' }).click();
		await clock.getByText('The gateway has not spoken since the hub was started.').waitFor();
		await ledger.getByRole('button', { name: 'Ask for it again' }).click();
		await ledger.getByText('the gateway is not connected').waitFor();
	});
});

test.serial('somebody who only looks sees the ledger of a gateway and can ask for nothing', async (t) => {
	await visit(t, { hull: 'hub', claimed: true, role: 'viewer' }, async ({ page }) => {
		await login(page);
		await page.getByRole('link', { name: 'Gateways' }).click();
		await page.getByRole('link', { name: 'Plant North' }).click();
		await page.getByText('Declared lost').waitFor();
		t.is(await page.getByRole('button', { name: 'Ask for it again' }).count(), 0);
		t.is(await page.getByRole('heading', { name: 'Configuration' }).count(), 0);
	});
});

test.serial('a long verdict fits on a phone', async (t) => {
	await visit(t, { hull: 'hub', claimed: true }, async ({ page, look }) => {
		await login(page);
		await page.getByRole('link', { name: 'Gateways' }).click();
		await page.getByRole('link', { name: 'Pump house' }).click();
		await page.getByText('The hub has everything but what was read just now.').waitFor();
		await page.setViewportSize(PHONE);
		t.is(await overhang(page), 0);
		await look('phone-ledger-verdict');
	});
});

test.serial('a gateway says what its clock means for readings, and how much room they have', async (t) => {
	await visit(t, { hull: 'gateway', claimed: true, timeless: true }, async (here) => {
		const { page } = here;
		await login(page);
		await page.getByRole('link', { name: 'Sync' }).click();
		await page.getByText('Readings wait until the time is known').waitFor();
		await page.getByText('The clock of the machine stands before 2024.').waitFor();
		await card(page, 'Room for values').getByText('366 MiB').waitFor();
		t.is(await page.getByRole('heading', { name: 'What the hub has' }).count(), 0);
		await page.getByText('39.3 MiB of 256 MiB').waitFor();
		await page.getByLabel('Address of the hub').fill('https://hub.example:8101');
		await page.getByLabel('Enrolment code').fill('ABCD');
		await page.getByRole('button', { name: 'Enrol' }).click();
		await card(page, 'What the hub has').getByText('Lost when the power failed').first().waitFor();
		await lookTall(here, 'sync');
		await page.setViewportSize(PHONE);
		t.is(await overhang(page), 0);
		await lookTall(here, 'sync-phone', 4_000);
	});
	await visit(t, { hull: 'gateway', claimed: true }, async ({ page }) => {
		await login(page);
		await page.getByRole('link', { name: 'Sync' }).click();
		await page.getByText('Readings are stamped with the right time.').waitFor();
		t.true(await page.getByText('0.4 s ahead').isVisible());
	});
});

test.serial('what is shown stays while the server is away, and what was never there says so', async (t) => {
	const expected = /auth\/refresh|503|socket\.io|ERR_/;
	await visit(t, { hull: 'gateway', claimed: true, expected }, async ({ page, api }) => {
		await login(page);
		await page.getByRole('link', { name: 'Solar roof east' }).click();
		const missing = card(page, 'What is missing, and why');
		await missing.getByText('The gateway was off').first().waitFor();
		api.cut();
		await page.locator('.connection[data-state="restarting"]').waitFor();
		t.true(await missing.getByText('The gateway was off').first().isVisible());
		await missing.getByText('7 days', { exact: true }).click();
		await missing.getByText('The server cannot be reached.').waitFor();
		api.restore();
		await page.locator('.connection[data-state="connected"]').waitFor({ timeout: 45_000 });
		await missing.getByText('10 of 87').waitFor({ timeout: 30_000 });
	});
});
