import { randomBytes } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import Jwt from '@hapi/jwt';

import { createPasswords } from '../core/identity/password.ts';
import { portOf, startChild } from '../demo/child.ts';
import { claim, member } from '../test/system/kit/rest.ts';
import { createStage } from '../test/system/kit/stage.ts';
import { runHttpLoad } from './load/http-load.ts';
import { usageOf } from './load/process-usage.ts';
import { median, type Row, table } from './table.ts';

const CONNECTIONS = 32;
/** Authenticated, limited, guarded and audited as it is, at least this share of a route without anything. */
const LEAST_SHARE = 0.8;
const LOGINS = 8;
/** Hashing is done by other threads: nothing else may wait for it. */
const MOST_ADDED_MS = 20;

export interface HttpOptions {
	readonly rounds: number;
	readonly warmSeconds: number;
	/** Of one measurement; there are three in a round. */
	readonly seconds: number;
}

interface Target {
	readonly name: string;
	readonly port: number;
	readonly pid: number;
	readonly path: string;
	readonly token: string;
}

interface Measured {
	readonly name: string;
	readonly rate: number;
	readonly cpuMicros: number;
}

async function measure({ name, pid, ...target }: Target, seconds: number): Promise<Measured> {
	const before = usageOf(pid);
	const rate = await runHttpLoad({ ...target, connections: CONNECTIONS, ms: seconds * 1_000 });
	const cpuMs = usageOf(pid).cpuMs - before.cpuMs;
	return { name, rate, cpuMicros: (cpuMs * 1_000) / (rate * seconds) };
}

/** As the product's command has it. */
const MEMORY_FLAG = '--max-semi-space-size=4';

const DEVICE_SERVER = fileURLToPath(new URL('load/device-server.js', import.meta.url));

/** A hub with one device, and the two peers that answer the same bytes. The caller ends them. */
async function startTargets(endings: (() => Promise<void>)[]): Promise<readonly Target[]> {
	const stage = createStage({ teardown: (end) => void endings.push(end) });
	const http = { host: '127.0.0.1', port: 0, requests_per_second: 100_000 };
	const hub = await stage.spawnHub({ http });
	const rest = await claim(hub.url(), await hub.claimCode());
	const device = { device_uid: 'bench-1', name: 'Bench', device_type: 'meter', metadata: { room: 'cellar', phase: 3 } };
	const made = await rest.post('/api/v1/devices', device);
	const path = `/api/v1/devices/${String(member(made.body, 'id'))}`;
	const body = Buffer.from(JSON.stringify((await rest.get(path)).body)).toString('base64url');
	const key = randomBytes(32);
	const jwt = Jwt.token.generate({ iss: 'drawbridge', sub: 'x' }, { key, algorithm: 'HS256' }, { ttlSec: 3_600 });
	const peer = async (kind: 'bare' | 'jwt'): Promise<Target> => {
		const args = [MEMORY_FLAG, DEVICE_SERVER, '--kind', kind, '--body', body, '--key', key.toString('base64url')];
		const child = startChild({ name: kind, args });
		endings.push(() => child.stop());
		const port = portOf(await child.ready(), 'http_port');
		return {
			name: kind === 'bare' ? 'hapi, bare route' : 'hapi with @hapi/jwt',
			port,
			pid: child.pid,
			path,
			token: jwt,
		};
	};
	const own = { name: 'drawbridge', port: hub.port('http_port'), pid: hub.child().pid, path, token: rest.token ?? '' };
	return [await peer('bare'), await peer('jwt'), own];
}

async function compareRates({ rounds, warmSeconds, seconds }: HttpOptions) {
	const endings: (() => Promise<void>)[] = [];
	try {
		const targets = await startTargets(endings);
		for (const target of targets) await measure(target, warmSeconds);
		const measured: Measured[] = [];
		for (let round = 0; round < rounds; round += 1)
			for (const target of targets) measured.push(await measure(target, seconds));
		const middle = (name: string, of: (one: Measured) => number): number =>
			median(measured.filter((one) => one.name === name).map(of));
		const [bare, , own] = targets.map(({ name }) => ({
			rate: middle(name, ({ rate }) => rate),
			cpuMicros: middle(name, ({ cpuMicros }) => cpuMicros),
		}));
		const rows = targets.map(({ name }) => ({
			server: name,
			'requests/s': middle(name, ({ rate }) => rate),
			'cpu µs/request': middle(name, ({ cpuMicros }) => cpuMicros),
			'share by rate': middle(name, ({ rate }) => rate) / (bare?.rate ?? Number.NaN),
			'share by cpu': (bare?.cpuMicros ?? Number.NaN) / middle(name, ({ cpuMicros }) => cpuMicros),
		}));
		// A server has one thread: on a machine of its own both are one number, on a busy one its own processor time wanders less.
		return { rows, share: (bare?.cpuMicros ?? Number.NaN) / (own?.cpuMicros ?? Number.NaN) };
	} finally {
		for (const end of endings.toReversed()) await end();
	}
}

/** How long the event loop of this process waits while something is done, ms. */
async function delayDuring(
	work: () => Promise<unknown>,
): Promise<{ readonly p99Ms: number; readonly maxMs: number; readonly ms: number }> {
	const delay = monitorEventLoopDelay({ resolution: 1 });
	const fromMs = performance.now();
	delay.enable();
	await work();
	delay.disable();
	return { p99Ms: delay.percentile(99) / 1e6, maxMs: delay.max / 1e6, ms: performance.now() - fromMs };
}

/** Some people log in at the same moment; meanwhile the process should go on as if nothing were. */
async function measureLogins(): Promise<{ readonly rows: readonly Row[]; readonly addedMs: number }> {
	const passwords = createPasswords();
	const password = 'a bench of oak and iron';
	const hash = await passwords.hash(password);
	const one = await delayDuring(() => passwords.verify(hash, password));
	const all = await delayDuring(() =>
		Promise.all(Array.from({ length: LOGINS }, () => passwords.verify(hash, password))),
	);
	const idle = await delayDuring(() => sleep(all.ms));
	const row = (what: string, { ms, p99Ms, maxMs }: typeof one): Row => ({
		meanwhile: what,
		'took ms': ms,
		'event loop p99 ms': p99Ms,
		'event loop max ms': maxMs,
	});
	return {
		rows: [row('nothing', idle), row('one login', one), row(`${LOGINS} logins at once`, all)],
		addedMs: all.p99Ms - idle.p99Ms,
	};
}

/** What a request costs that is authenticated, beside hapi alone; and what logins do to everything else. */
export async function runHttpBench(options: HttpOptions) {
	const { rows, share } = await compareRates(options);
	const logins = await measureLogins();
	return {
		report: [
			table(rows),
			`\nlimit: at least ${LEAST_SHARE} of the bare route, by processor time; reached ${share.toFixed(2)}\n`,
			table(logins.rows),
			`\nlimit: ${LOGINS} logins add at most ${MOST_ADDED_MS} ms to the p99 of the event loop; reached ${logins.addedMs.toFixed(1)}`,
		].join('\n'),
		isWithinLimits: share >= LEAST_SHARE && logins.addedMs <= MOST_ADDED_MS,
	};
}
