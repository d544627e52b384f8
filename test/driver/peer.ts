import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** Debian's interpreter: the packages of the distribution are not seen by others. */
const PYTHON = '/usr/bin/python3';

/** Asked once: the process stands still meanwhile, and with it the tests that run beside. */
const found = new Map<string, boolean>();

function isThere(command: string, ...args: readonly string[]): boolean {
	const call = [command, ...args].join(' ');
	const known = found.get(call) ?? spawnSync(command, args).status === 0;
	found.set(call, known);
	return known;
}

export const hasSocat = (): boolean => isThere('socat', '-V');
export const hasPymodbus = (): boolean => isThere(PYTHON, '-c', 'import pymodbus.server, serial');
export const hasPython = (): boolean => isThere(PYTHON, '-V');

/** Skips with a printed reason, unless peers are required. @returns whether the test may go on. */
export function needs(t: ExecutionContext, what: string, isPresent: boolean): boolean {
	if (isPresent) return true;
	const { CI, DRAWBRIDGE_REQUIRE_PEERS } = environment();
	if (CI !== undefined && DRAWBRIDGE_REQUIRE_PEERS === '1') t.fail(`${what} is required and missing`);
	t.log(`skipped: ${what} is not installed`);
	t.pass();
	return false;
}

// oxlint-disable-next-line node/no-process-env -- the run of the tests is told by it which peers must be there
const environment = (): Readonly<Record<string, string | undefined>> => process.env;

const pause = (ms: number): Promise<void> =>
	new Promise((resolve) => {
		setTimeout(resolve, ms);
	});

async function end(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const gone = once(child, 'exit');
	child.kill('SIGKILL');
	await gone;
}

/** Starts a program that prints a line once it is ready. Killed at the end of the test. */
export async function startPython(
	t: ExecutionContext,
	script: string,
	...args: readonly string[]
): Promise<ChildProcess> {
	const child = spawn(PYTHON, ['-u', '-c', script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
	t.teardown(() => end(child));
	const errors: Buffer[] = [];
	child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
	const first = await Promise.race([
		once(child.stdout, 'data').then(() => true),
		once(child, 'exit').then(() => false),
	]);
	if (!first) throw new Error(`the peer ended: ${Buffer.concat(errors).toString()}`);
	return child;
}

/** A pair of pseudo-terminals, connected like the two ends of a serial line. */
export async function startPtyPair(
	t: ExecutionContext,
): Promise<{ readonly near: string; readonly far: string; cut(): Promise<void> }> {
	const folder = await mkdtemp(join(tmpdir(), 'serial-line-'));
	const near = join(folder, 'near');
	const far = join(folder, 'far');
	const socat = spawn('socat', [`pty,raw,echo=0,link=${near}`, `pty,raw,echo=0,link=${far}`], { stdio: 'ignore' });
	t.teardown(async () => {
		await end(socat);
		await rm(folder, { recursive: true, force: true });
	});
	for (let tries = 0; tries < 2_000; tries += 1) {
		const ready = await Promise.all(
			[near, far].map((path) =>
				stat(path).then(
					() => true,
					() => false,
				),
			),
		);
		if (ready.every(Boolean)) return { near, far, cut: () => end(socat) };
		await pause(20);
	}
	throw new Error('socat made no pseudo-terminals');
}
