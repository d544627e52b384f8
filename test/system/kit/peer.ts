import type { ExecutionContext } from 'ava';

import { findProgram } from '../../../demo/program.ts';

/**
 * Path of an independent program that a test talks to. Null when it is not installed: the test says so and passes, except
 * where peers are demanded (`CI` set and `DRAWBRIDGE_REQUIRE_PEERS=1`), where it fails.
 */
export function findPeer(t: ExecutionContext, name: string): string | null {
	const path = findProgram(name);
	if (path !== null) return path;
	// oxlint-disable-next-line node/no-process-env -- how a test run is told to accept no missing peer
	const { CI, DRAWBRIDGE_REQUIRE_PEERS } = process.env;
	if (CI !== undefined && CI !== '' && DRAWBRIDGE_REQUIRE_PEERS === '1') t.fail(`${name} is not installed`);
	else t.pass();
	t.log(`skipped: ${name} is not installed`);
	return null;
}
