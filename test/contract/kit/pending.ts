import test from 'ava';

/** How the titles begin of what the product does not do yet. */
const PENDING: readonly string[] = [];

/** How a test of this title is registered. */
export const titled = (title: string) =>
	PENDING.some((beginning) => title.startsWith(beginning)) ? test.serial.skip : test.serial;
