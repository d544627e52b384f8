import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { listenOnLoopback } from '../gateway/simulator/listen.ts';
import type { BrokerProcess } from './mqtt-rig.ts';

const START_MS = 500;

/** Mosquitto without logins, without persistence and without limits of its queues; `null` where it is not installed. */
export async function startMosquitto(): Promise<BrokerProcess | null> {
	if (spawnSync('mosquitto', ['-h']).error !== undefined) return null;
	const probe = createServer();
	const port = await listenOnLoopback(probe, 0);
	await new Promise((resolve) => probe.close(resolve));
	const folder = await mkdtemp(join(tmpdir(), 'mosquitto-bench-'));
	const path = join(folder, 'mosquitto.conf');
	const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'persistence false', 'log_type none'];
	await writeFile(
		path,
		[...lines, 'max_queued_messages 0', 'max_inflight_messages 0', 'set_tcp_nodelay true', ''].join('\n'),
	);
	const child = spawn('taskset', ['-c', '0', 'mosquitto', '-c', path], { stdio: 'ignore' });
	await sleep(START_MS);
	return {
		name: 'mosquitto',
		pid: child.pid ?? 0,
		port,
		passwords: [],
		memory: () => Promise.reject(new Error('not asked of Mosquitto')),
		async stop() {
			const exited = once(child, 'exit');
			child.kill('SIGTERM');
			await exited;
			await rm(folder, { recursive: true, force: true });
		},
	};
}
