import type { Server } from '@hapi/hapi';
import test, { type ExecutionContext } from 'ava';

import { createHttpServer, part } from '../../core/http/server.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import type { Component, ComponentState } from '../../core/system/health.ts';
import { createMetrics, type Metrics } from '../../core/system/metrics.ts';
import { ROLES } from '../../core/identity/role.ts';
import { createLogger } from '../../core/system/pino-logger.ts';
import { systemRoutes } from '../../core/system/system-routes.ts';
import { createManualClock } from '../fake/manual-clock.ts';

const tokens = {
	verify(token: string) {
		const role = ROLES.find((known) => known === token.split('.')[0]);
		if (role === undefined) throw new Fault('bad-credentials', 'the access token is not valid');
		return { ...actorOfRole(role), mustChangePassword: token.endsWith('.due') };
	},
};

interface Box {
	readonly server: Server;
	readonly metrics: Metrics;
	readonly set: (name: string, state: ComponentState) => void;
	readonly start: (isStarted: boolean) => void;
}

async function box(t: ExecutionContext): Promise<Box> {
	const clock = createManualClock();
	const metrics = createMetrics();
	const states = new Map<string, ComponentState>();
	let isStarted = true;
	const component = (name: string, isEssential: boolean): Component => ({
		name,
		isEssential,
		state: () => states.get(name) ?? { isConnected: true, reason: null },
	});
	const options = {
		service: 'drawbridge-gateway',
		version: '1.2.3',
		clock,
		metrics,
		isStarted: () => isStarted,
		components: [
			component('documents', true),
			component('telemetry', true),
			component('mqtt', false),
			component('uplink', false),
		],
	};
	const server = await createHttpServer({ log: silentLog, tokens, web: null, parts: [part(systemRoutes, options)] });
	t.teardown(() => server.stop());
	clock.advance(5_000);
	return {
		server,
		metrics,
		set: (name, state) => void states.set(name, state),
		start: (started) => {
			isStarted = started;
		},
	};
}

async function read(server: Server, url: string): Promise<unknown> {
	const parsed: unknown = JSON.parse((await server.inject(url)).payload);
	return parsed;
}

test('health says for each component whether it is connected, and why not', async (t) => {
	const { server, set } = await box(t);
	t.deepEqual(await read(server, '/health'), {
		status: 'ok',
		service: 'drawbridge-gateway',
		version: '1.2.3',
		timestamp: '2026-01-01T00:00:05.000Z',
		uptime_seconds: 5,
		documents: 'connected',
		telemetry: 'connected',
		mqtt: 'connected',
		uplink: 'connected',
		reasons: {},
	});
	set('mqtt', { isConnected: false, reason: '0.0.0.0:1883 is in use by another program' });
	t.like(await read(server, '/health'), {
		status: 'degraded',
		mqtt: 'disconnected',
		uplink: 'connected',
		reasons: { mqtt: '0.0.0.0:1883 is in use by another program' },
	});
	t.is((await server.inject('/health')).statusCode, 200);
	t.deepEqual(await read(server, '/api/v1/system/health'), {
		status: 'ok',
		service: 'drawbridge-gateway',
		version: '1.2.3',
	});
});

test('the box is ready when it has started and its stores work; the others only inform', async (t) => {
	const { server, set, start } = await box(t);
	const statusOf = async () => (await server.inject('/readiness')).statusCode;
	t.is(await statusOf(), 200);
	set('uplink', { isConnected: false, reason: 'no hub' });
	t.is(await statusOf(), 200);
	start(false);
	t.is(await statusOf(), 503);
	start(true);
	set('telemetry', { isConnected: false, reason: 'disk full' });
	t.is(await statusOf(), 503);
	t.deepEqual(await read(server, '/readiness'), {
		status: 'not_ready',
		checks: { documents: 'connected', telemetry: 'disconnected', mqtt: 'connected', uplink: 'disconnected' },
		timestamp: '2026-01-01T00:00:05.000Z',
	});
});

test('metrics are for this machine and for callers with the permission', async (t) => {
	const { server } = await box(t);
	const statusOf = async (remoteAddress: string, headers: Readonly<Record<string, string>> = {}) =>
		(await server.inject({ url: '/metrics', remoteAddress, headers })).statusCode;
	for (const local of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) t.is(await statusOf(local), 200, local);
	for (const remote of ['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1']) t.is(await statusOf(remote), 401, remote);
	t.is(await statusOf('127.0.0.1', { 'x-forwarded-for': '192.0.2.1' }), 401);
	t.is(await statusOf('192.0.2.1', { authorization: 'Bearer manager.b.c' }), 200);
	t.is(await statusOf('192.0.2.1', { authorization: 'Bearer editor.b.c' }), 403);
	t.is(await statusOf('192.0.2.1', { authorization: 'Bearer x.y.z' }), 401);
	t.is(await statusOf('192.0.2.1', { authorization: 'Bearer manager.b.due' }), 403);
});

test('a feature adds its numbers; one that fails leaves out its own only', async (t) => {
	const { server, metrics } = await box(t);
	let requests = 3;
	metrics.add({
		name: 'line_requests_total',
		help: 'Requests sent.',
		kind: 'counter',
		labels: ['line'],
		read: () => [{ value: requests, labels: { line: 'tcp a:502' } }],
	});
	metrics.add({
		name: 'broken',
		help: 'Fails.',
		kind: 'gauge',
		labels: ['x'],
		read: () => {
			throw new RangeError('no');
		},
	});
	metrics.add({ name: 'journal_bytes', help: 'Size.', kind: 'gauge', read: () => [{ value: 7 }] });
	const scrape = async () => server.inject({ url: '/metrics', remoteAddress: '127.0.0.1' });
	await scrape();
	requests = 5;
	const answer = await scrape();
	t.regex(String(answer.headers['content-type']), /^text\/plain; version=0\.0\.4/);
	t.regex(answer.payload, /^drawbridge_line_requests_total\{line="tcp a:502"\} 5$/m);
	t.regex(answer.payload, /^drawbridge_journal_bytes 7$/m);
	t.notRegex(answer.payload, /^drawbridge_broken\{/m);
	t.regex(answer.payload, /^process_resident_memory_bytes /m);
	t.notThrows(() => createMetrics());
});

test('a log line is one line of JSON with level, time, event and fields, and nothing below the level', (t) => {
	const lines: string[] = [];
	const log = createLogger({ level: 'info', destination: { write: (line: string) => void lines.push(line) } });
	log.debug('frame');
	log.child({ part: 'bus' }).warn('unit-silent', { unitId: 3, text: 'two\nlines' });
	t.is(lines.length, 1);
	const line: unknown = JSON.parse(lines[0] ?? '');
	const { time, ...rest }: { time?: unknown } = { ...(typeof line === 'object' ? line : {}) };
	t.regex(String(time), /^\d{4}-.*Z$/);
	t.deepEqual(rest, { level: 'warn', part: 'bus', unitId: 3, text: 'two\nlines', event: 'unit-silent' });
	t.is(lines[0]?.indexOf('\n'), (lines[0]?.length ?? 0) - 1);
});
