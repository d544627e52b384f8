import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import test from 'ava';

import { createRest } from './kit/rest.ts';
import { waitFor } from './kit/wait-for.ts';

const UP_WITHIN_MS = 120_000;
const DOWN_WITHIN_MS = 3_000;
/** What a loaded machine may take on top: the test is about processes that stay, and only prints the time. */
const DOWN_PATIENCE_MS = 45_000;

/** Parent of a process by its id; null when it is gone, or is only waited for. */
function parentOf(pid: number): number | null {
	try {
		const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8')
			.replace(/^.*\) /s, '')
			.split(' ');
		return state === 'Z' ? null : Number(parent);
	} catch {
		return null;
	}
}

/** All processes below one, as the kernel lists them. */
function descendantsOf(root: number): readonly number[] {
	const parents = readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.map((name) => [Number(name), parentOf(Number(name))] as const);
	const found = [root];
	for (const pid of found)
		for (const [child, parent] of parents) if (parent === pid && !found.includes(child)) found.push(child);
	return found.slice(1);
}

/** Ends a process, which may be gone already. */
function kill(pid: number): void {
	if (parentOf(pid) === null) return;
	try {
		process.kill(pid, 'SIGKILL');
	} catch {
		// It has ended since it was looked for.
	}
}

test.serial(
	'npm start prints both addresses, the codes and a live line, and Ctrl-C leaves nothing running',
	async (t) => {
		t.timeout(UP_WITHIN_MS * 2);
		const data = mkdtempSync(join(tmpdir(), 'drawbridge-start-'));
		t.teardown(() => rmSync(data, { recursive: true, force: true }));
		const npm = spawn('npm', ['start', '--', '--data', data], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
		const pid = npm.pid ?? 0;
		const gone = new Promise<void>((resolve) => {
			npm.once('close', () => resolve());
		});
		t.teardown(() => {
			for (const left of [pid, ...descendantsOf(pid)]) kill(left);
		});
		const lines: string[] = [];
		createInterface({ input: npm.stdout }).on('line', (line) => lines.push(line));
		createInterface({ input: npm.stderr }).on('line', (line) => lines.push(line));
		const find = (pattern: RegExp): RegExpExecArray | null =>
			lines.map((line) => pattern.exec(line)).find((match) => match !== null) ?? null;
		try {
			await waitFor('a live line', UP_WITHIN_MS, () => find(/points\/s/) ?? find(/\d+ points/));
		} catch (error) {
			t.log(lines.join('\n'));
			throw error;
		}
		for (const role of ['gateway', 'hub']) {
			const page = find(new RegExp(`${role} +(http://[a-z0-9.]+:\\d+)/ +claim code \\S+`));
			t.truthy(page, `${role} is introduced in:\n${lines.join('\n')}`);
			t.is((await createRest(page?.[1] ?? '', null).get('/health')).status, 200);
		}
		const children = descendantsOf(pid);
		t.true(children.length >= 4, `${children.length} processes`);

		// A terminal sends Ctrl-C to the whole group of the foreground.
		const startMs = performance.now();
		process.kill(-pid, 'SIGINT');
		await gone;
		await waitFor('all processes have ended', DOWN_PATIENCE_MS, () =>
			children.every((child) => parentOf(child) === null),
		);
		const tookMs = performance.now() - startMs;
		t.log(
			`${children.length} processes ended after ${tookMs.toFixed(0)} ms (${tookMs <= DOWN_WITHIN_MS ? 'within' : 'NOT within'} 3 s)`,
		);
		t.log(find(/points/)?.input ?? '');
	},
);
