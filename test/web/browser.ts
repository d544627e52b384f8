import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ExecutionContext } from 'ava';
import { type Page, chromium } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';

/** Names that every browser of a test finds on loopback: a page of such a name gets what a browser gives on a plain LAN, and no more. */
export const LAN_NAMES = { gateway: 'gateway.test', hub: 'hub.test' } as const;

const FLAGS = [
	'--no-sandbox',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
	`--host-resolver-rules=${Object.values(LAN_NAMES)
		.map((name) => `MAP ${name} 127.0.0.1`)
		.join(',')}`,
];

/** Where a browser of a test is. */
const TIME_ZONE = 'UTC';
/** Longest wait for a page to show something, or for the browser itself: for a machine that does other things too. */
const WITHIN_MS = 60_000;

/** The built pages. */
export const WEB = fileURLToPath(new URL('../../web/', import.meta.url));
export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 360, height: 740 };

/** Nobody is logged in at first: the browser reports the refused refresh. */
export const NO_SESSION = /auth\/refresh/;

function setting(name: string): string | undefined {
	// oxlint-disable-next-line node/no-process-env -- where to leave pictures, and what must be there, is the caller's choice
	return process.env[name];
}

/** Folder that wants pictures; undefined: nobody does. */
export const screenshotFolder = (): string | undefined => setting('DRAWBRIDGE_SCREENSHOTS');

/**
 * What a test of the pages lacks here; `null` when it can run.
 * @throws Error where everything must be there (`CI` set and `DRAWBRIDGE_REQUIRE_PEERS=1`)
 */
function lack(): string | null {
	const wanted = [CHROMIUM, join(WEB, 'gateway/index.html'), join(WEB, 'hub/index.html')];
	const missing = wanted.filter((path) => !existsSync(path));
	if (missing.length === 0) return null;
	const isRequired = setting('CI') !== undefined && setting('DRAWBRIDGE_REQUIRE_PEERS') === '1';
	if (isRequired) throw new Error(`missing: ${missing.join(', ')}`);
	return missing.join(', ');
}

/** Says that a test is skipped because something is missing; `false` when it can run. */
export function isSkipped(t: ExecutionContext): boolean {
	const missing = lack();
	if (missing === null) return false;
	t.log(`skipped, missing: ${missing}`);
	t.pass();
	return true;
}

/** One tab, and what it did that it must not. */
export interface Visit {
	readonly page: Page;
	/** Requests to other hosts, messages of level error that were not expected, uncaught errors. */
	readonly complaints: readonly string[];
	/** Messages of level error so far, expected or not. */
	readonly errors: () => number;
	/** Requests so far. */
	readonly requests: () => number;
}

export interface VisitOptions {
	readonly url: string;
	/** Console errors that belong to the case: a browser reports each refused request as one. */
	readonly expected?: RegExp;
}

export interface Browser {
	/** Opens a tab of its own and goes to the address. */
	visit(options: VisitOptions): Promise<Visit>;
	close(): Promise<void>;
}

const hostOf = (url: string): string => new URL(url).host;

function watch(page: Page, { url, expected = NO_SESSION }: VisitOptions): Omit<Visit, 'page'> {
	const complaints: string[] = [];
	let errors = 0;
	let requests = 0;
	page.on('request', (request) => {
		requests += 1;
		if (hostOf(request.url()) !== hostOf(url)) complaints.push(`foreign request: ${request.url()}`);
	});
	page.on('websocket', (socket) => {
		if (hostOf(socket.url()) !== hostOf(url)) complaints.push(`foreign socket: ${socket.url()}`);
	});
	page.on('console', (message) => {
		if (message.type() !== 'error') return;
		errors += 1;
		const text = `${message.text()} ${message.location().url}`;
		if (!expected.test(text)) complaints.push(text);
	});
	page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
	return { complaints, errors: () => errors, requests: () => requests };
}

/** A browser with an empty profile. Its owner closes it. */
export async function launchBrowser(): Promise<Browser> {
	const profile = await mkdtemp(join(tmpdir(), 'drawbridge-web-'));
	const context = await chromium.launchPersistentContext(profile, {
		executablePath: CHROMIUM,
		args: FLAGS,
		viewport: DESKTOP,
		// A day of 24 hours, wherever and whenever the test runs.
		timezoneId: TIME_ZONE,
		timeout: WITHIN_MS,
	});
	context.setDefaultTimeout(WITHIN_MS);
	return {
		async visit(options) {
			const page = await context.newPage();
			const seen = watch(page, options);
			await page.goto(options.url);
			return { page, ...seen };
		},
		async close() {
			await context.close();
			await rm(profile, { recursive: true, force: true });
		},
	};
}

/** Leaves a picture of what is visible in a folder; nothing when there is none. */
export async function takePicture(page: Page, folder: string | undefined, name: string): Promise<void> {
	if (folder === undefined) return;
	await mkdir(folder, { recursive: true });
	await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Pixels that stick out at the right; 0 means that nobody has to scroll sideways. */
export const overhang = (page: Page): Promise<unknown> =>
	page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

/** Waits until the page says this of its connection. */
export const connection = (page: Page, state: string): Promise<void> =>
	page.locator(`.connection[data-state="${state}"]`).waitFor();
