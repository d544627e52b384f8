import { spawn, spawnSync } from 'node:child_process';

import type { ExecutionContext } from 'ava';

/** True when the program can be started here. */
const hasProgram = (name: string): boolean => spawnSync(name, ['--help']).error === undefined;

/** Runs a program to its end; answers exit code and output. It is killed after `timeoutMs`. */
export function run(
	name: string,
	args: readonly string[],
	timeoutMs = 60_000,
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
	return new Promise((resolve, reject) => {
		const child = spawn(name, args, { timeout: timeoutMs });
		let out = '';
		let err = '';
		child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
		child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
		child.on('error', reject);
		child.on('close', (code) => resolve({ code, out, err }));
	});
}

/** Skips a test whose peer program is missing, unless peers are demanded. */
export function lacks(t: ExecutionContext, program: string): boolean {
	if (hasProgram(program)) return false;
	// oxlint-disable-next-line node/no-process-env -- the switch that continuous integration sets
	const { CI, DRAWBRIDGE_REQUIRE_PEERS } = process.env;
	if (CI !== undefined && DRAWBRIDGE_REQUIRE_PEERS === '1') t.fail(`${program} is required`);
	t.log(`skipped: ${program} is not installed`);
	t.pass();
	return true;
}
