import type { ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';

import { PHONE, overhang } from './browser.ts';
import { login } from './mock-visit.ts';

const FINGER_PX = 44;

/** What a finger has to hit and is too small for one, by its name. */
const tooSmall = (page: Page): Promise<unknown> =>
	page.evaluate(`[...document.querySelectorAll(
		'main button, main .button, main select, main summary, main .tick, main .choice label, main input:not([type=checkbox], [type=radio])',
	)]
		.filter((element) => element.checkVisibility())
		.map((element) => ({ element, height: element.getBoundingClientRect().height }))
		.filter(({ height }) => height < ${FINGER_PX})
		.map(({ element, height }) => element.outerHTML.slice(0, 80) + ': ' + height)`);

/** Nobody scrolls sideways, and a finger hits whatever it has to. */
export async function fitsPhone(t: ExecutionContext, page: Page): Promise<void> {
	t.is(await overhang(page), 0);
	t.deepEqual(await tooSmall(page), []);
}

/** A phone whose person is logged in, at a page. */
export async function open(page: Page, place: string): Promise<void> {
	await login(page);
	await page.setViewportSize(PHONE);
	await goTo(page, place);
	await page.locator('main h1').first().waitFor();
}

/** Another page, for somebody who is logged in. */
export const goTo = (page: Page, place: string): Promise<unknown> =>
	page.goto(`${page.url().replace(/#.*/, '')}#/${place}`);
