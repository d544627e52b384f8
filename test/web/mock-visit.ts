import { join } from 'node:path';

import type { ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';

import { MOCK_CLAIM_CODE, type MockApi, type MockApiOptions, startMockApi } from '../fake/mock-api.ts';
import { type Visit as BrowserVisit, WEB, isSkipped, launchBrowser, screenshotFolder, takePicture } from './browser.ts';

export const MOCK_PASSWORD = 'correct horse battery';

/** A tab on a server that lives in memory. */
export interface MockVisit extends BrowserVisit {
	readonly api: MockApi;
	readonly look: (name: string) => Promise<void>;
}

export interface MockVisitOptions extends Omit<MockApiOptions, 'webDir' | 'port'> {
	/** Console errors that belong to the case: a browser reports each refused request as one. */
	readonly expected?: RegExp;
}

/** Walks through the pages of a mocked hull; whatever they must not do fails the test. */
export async function visit(
	t: ExecutionContext,
	options: MockVisitOptions,
	walk: (visit: MockVisit) => Promise<void>,
): Promise<void> {
	if (isSkipped(t)) return;
	const { expected, ...mock } = options;
	const pictures = screenshotFolder();
	const folder = pictures === undefined ? undefined : join(pictures, 'mock');
	const api = await startMockApi({ ...mock, webDir: join(WEB, mock.hull) });
	const browser = await launchBrowser();
	try {
		const here = await browser.visit({ url: api.url, ...(expected !== undefined && { expected }) });
		await walk({ ...here, api, look: (name) => takePicture(here.page, folder, `${mock.hull}-${name}`) });
		t.deepEqual(here.complaints, []);
	} finally {
		await browser.close();
		await api.stop();
	}
}

/** Claims the mocked hull and waits for its devices. */
export async function claim({ page, look }: MockVisit): Promise<void> {
	await page.getByLabel('Claim code').fill(MOCK_CLAIM_CODE);
	await page.getByLabel('E-mail').fill('admin@example.org');
	await page.getByLabel('Full name').fill('Ada Installer');
	await page.getByLabel('Password', { exact: true }).fill(MOCK_PASSWORD);
	await page.getByLabel('Password again').fill(MOCK_PASSWORD);
	await look('claim');
	await page.getByRole('button', { name: 'Claim' }).click();
	await page.getByRole('link', { name: 'Main feed' }).waitFor();
}

/** Fills the login page and sends it. */
export async function logIn(page: Page): Promise<void> {
	await page.getByLabel('E-mail').fill('admin@example.org');
	await page.getByLabel('Password').fill(MOCK_PASSWORD);
	await page.getByRole('button', { name: 'Log in' }).click();
}

/** Logs in and waits for the devices. */
export async function login(page: Page): Promise<void> {
	await logIn(page);
	await page.getByRole('link', { name: 'Main feed' }).waitFor();
}
