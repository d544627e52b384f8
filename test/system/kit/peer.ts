import type { ExecutionContext } from 'ava';

import { findProgram } from '../../../demo/program.ts';

/**
 * Says that something independent which a test needs is not installed. The test passes, except where peers are demanded (`CI` set and
 * `DRAWBRIDGE_REQUIRE_PEERS=1`), where it fails.
 */
export function lackPeer(t: ExecutionContext, name: string): void {
	// oxlint-disable-next-line node/no-process-env -- how a test run is told to accept no missing peer
	const { CI, DRAWBRIDGE_REQUIRE_PEERS } = process.env;
	if (CI !== undefined && CI !== '' && DRAWBRIDGE_REQUIRE_PEERS === '1') t.fail(`${name} is not installed`);
	else t.pass();
	t.log(`skipped: ${name} is not installed`);
}

/** Path of an independent program that a test talks to; null when it is not installed, which the test then has said. */
export function findPeer(t: ExecutionContext, name: string): string | null {
	const path = findProgram(name);
	if (path === null) lackPeer(t, name);
	return path;
}
