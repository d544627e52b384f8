import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import test from 'ava';

import { portOf, startChild } from '../../demo/child.ts';
import { waitFor } from '../system/kit/wait-for.ts';
import { isRunning } from './is-running.ts';

const CHILD = pathToFileURL(join(process.cwd(), 'dist', 'demo', 'child.js')).href;

/** Starts a process of its own, tells its id, and waits. */
const STARTER = `
import(${JSON.stringify(CHILD)}).then(async ({ startChild }) => {
	const inner = startChild({ name: 'inner', args: ['-e', 'console.log(JSON.stringify({ event: "ready" })); setInterval(() => {}, 1000)'] });
	await inner.ready();
	console.log(JSON.stringify({ event: 'ready', inner_pid: inner.pid }));
});
setInterval(() => {}, 1000);
`;

test('a process ends with the one that started it, even when that is killed', async (t) => {
	const starter = startChild({ name: 'starter', args: ['-e', STARTER] });
	t.teardown(() => starter.stop());
	const innerPid = portOf(await starter.ready(), 'inner_pid');
	t.true(isRunning(innerPid));
	await starter.kill9();
	await waitFor('the inner process ends', 45_000, () => !isRunning(innerPid));
	t.pass();
});

test('a process that ignores SIGTERM is killed, one that obeys is not', async (t) => {
	const ready = 'console.log(JSON.stringify({ event: "ready" })); setInterval(() => {}, 1000);';
	const deaf = startChild({ name: 'deaf', args: ['-e', `process.on('SIGTERM', () => {}); ${ready}`] });
	const polite = startChild({
		name: 'polite',
		args: ['-e', `process.on('SIGTERM', () => process.exit(3)); ${ready}`],
		graceMs: 30_000,
	});
	await Promise.all([deaf.ready(), polite.ready()]);
	await Promise.all([deaf.stop(), polite.stop()]);
	t.deepEqual(await deaf.exited, { code: null, signal: 'SIGKILL' });
	t.deepEqual(await polite.exited, { code: 3, signal: null });
});

test('settings of the product in the environment are not handed on, those that are given are', async (t) => {
	const child = startChild({
		name: 'env',
		args: [
			'-e',
			'console.log(JSON.stringify({ event: "ready", a: process.env.DRAWBRIDGE_A, names: Object.keys(process.env).filter((name) => name.startsWith("DRAWBRIDGE_")).join() }))',
		],
		env: { DRAWBRIDGE_A: '1' },
	});
	t.teardown(() => child.stop());
	t.like(await child.ready(), { a: '1', names: 'DRAWBRIDGE_A' });
});

test('a program that ends before it is ready is reported with its last words', async (t) => {
	const child = startChild({ name: 'short', args: ['-e', 'console.error("no room"); process.exit(9)'] });
	await t.throwsAsync(child.ready(), { message: /short ended \(9\)[^]*no room/ });
});
