import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';
import Joi from 'joi';

import { brokerProbe } from '../../core/box/box-components.ts';
import { readSettings } from '../../config/read-settings.ts';
import { shownSettings } from '../../config/shown-settings.ts';
import { createHttpServer, part } from '../../core/http/server.ts';
import { ROLES } from '../../core/identity/role.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { createDataUsage } from '../../core/system/data-usage.ts';
import { createMonitoringHealth, PROBE_TIMEOUT_MS, PROBED } from '../../core/system/monitoring-health.ts';
import { monitoringRoutes } from '../../core/system/monitoring-routes.ts';
import { healthAnswer, infoAnswer } from '../../core/system/monitoring-schema.ts';
import type { UplinkStatus } from '../../gateway/uplink/uplink-deps.ts';
import { collectorCounts, uplinkProbe } from '../../gateway/gateway-status.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { startBroker } from '../fake/mqtt-peer.ts';
import { createManualTimer } from '../fake/manual-timer.ts';

type Name = (typeof PROBED)[number];

const SECRET = 'K7Q2-SECRET-CODE';

async function box(t: ExecutionContext) {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-monitoring-'));
	writeFileSync(join(folder, 'file'), 'x'.repeat(1_000));
	const timer = createManualTimer();
	const { clock, setTimer } = timer;
	const asked: Name[] = [];
	const answers: Record<Name, () => Promise<number | null>> = {
		documents: async () => null,
		telemetry: async () => null,
		mqtt: async () => null,
		uplink: async () => 38.12345,
	};
	const state = { isEnrolled: true, failedLines: 0, counted: 0 };
	const component = (name: Name) => ({
		isInUse: () => name !== 'uplink' || state.isEnrolled,
		probe: () => {
			asked.push(name);
			return answers[name]();
		},
	});
	const settings = readSettings({
		role: 'gateway',
		environment: {
			DRAWBRIDGE_UPLINK_ENROLMENT_CODE: SECRET,
			DRAWBRIDGE_UPLINK_HUB_URL: `https://me:${SECRET}@hub.example`,
		},
	});
	const server = await createHttpServer({
		log: silentLog,
		web: null,
		tokens: {
			verify(token) {
				const role = ROLES.find((known) => token === `r.${known}.x`);
				if (role === undefined) throw new Fault('bad-credentials', 'the access token is not valid');
				return actorOfRole(role);
			},
		},
		parts: [
			part(
				monitoringRoutes,
				{
					service: 'drawbridge-gateway',
					version: '1.2.3',
					clock,
					health: createMonitoringHealth({
						components: {
							documents: component('documents'),
							telemetry: component('telemetry'),
							mqtt: component('mqtt'),
							uplink: component('uplink'),
						},
						pipelines: () => ({ running: 3, stopped: 2, error: state.failedLines }),
						activeDevices: ({ role }) => {
							state.counted += 1;
							return role === 'user' ? 1 : 42;
						},
						activeAlerts: () => 3,
						clock,
						setTimer,
					}),
					settings: {
						...shownSettings('gateway', settings),
						access_token_expire_seconds: 1_800,
						rate_limit_per_minute: 60,
					},
					dataUsage: createDataUsage({ folder, clock }),
				},
				'/api/v1',
			),
		],
	});
	t.teardown(async () => {
		await server.stop();
		rmSync(folder, { recursive: true });
	});
	const call = async (path: string, role: string | null = 'viewer') => {
		const headers = role === null ? {} : { authorization: `Bearer r.${role}.x` };
		const answer = await server.inject({ url: `/api/v1${path}`, headers });
		const body: Readonly<Record<string, unknown>> = Object(answer.result);
		return { status: answer.statusCode, body, text: answer.payload };
	};
	return { ...timer, call, answers, asked, state };
}

test('the state of the box is what each component has answered', async (t) => {
	const { call } = await box(t);
	const { status, body } = await call('/monitoring/health');
	t.is(status, 200);
	Joi.assert(body, healthAnswer);
	t.deepEqual(body, {
		status: 'ok',
		timestamp: '2026-01-01T00:00:00.000Z',
		documents: 'connected',
		telemetry: 'connected',
		mqtt: 'connected',
		uplink: 'connected',
		active_devices: 42,
		active_alerts: 3,
		components: {
			documents: { status: 'up', response_time_ms: 0 },
			telemetry: { status: 'up', response_time_ms: 0 },
			mqtt: { status: 'up', response_time_ms: 0 },
			uplink: { status: 'up', response_time_ms: 38.123 },
			pipelines: { status: 'healthy', running: 3, stopped: 2, error: 0 },
		},
	});
});

test('a component that fails, or does not answer in time, is down and the box degraded', async (t) => {
	for (const name of PROBED) {
		const served = await box(t);
		const { call, answers } = served;
		answers[name] =
			name === 'mqtt' ? () => new Promise<null>(() => undefined) : () => Promise.reject(new Error('no such store'));
		const asking = call('/monitoring/health');
		for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
		if (name === 'mqtt') {
			while (served.asked.length < PROBED.length) await new Promise(setImmediate);
			served.advance(PROBE_TIMEOUT_MS);
		}
		const { body } = await asking;
		t.like(body, {
			status: 'degraded',
			[name]: 'disconnected',
			components: { [name]: { status: 'down', response_time_ms: null } },
		});
	}
});

test('a gateway without a hub is disconnected and in order; a line that failed is not', async (t) => {
	const served = await box(t);
	const { call, state } = served;
	state.isEnrolled = false;
	t.like((await call('/monitoring/health')).body, {
		status: 'ok',
		uplink: 'disconnected',
		components: { uplink: { status: 'down', response_time_ms: null } },
	});
	state.failedLines = 1;
	served.advance(1_000);
	t.like((await call('/monitoring/health')).body, {
		status: 'degraded',
		components: { pipelines: { status: 'degraded', error: 1 } },
	});
});

test('asking often asks the components once a second, and counts once for everybody who sees the same', async (t) => {
	const served = await box(t);
	await Promise.all(Array.from({ length: 20 }, () => served.call('/monitoring/health')));
	t.like((await served.call('/monitoring/health', 'user')).body, { active_devices: 1 });
	t.is(served.asked.length, 4);
	t.is(served.state.counted, 2);
	served.advance(1_000);
	await served.call('/monitoring/health');
	t.is(served.asked.length, 8);
});

test('the settings in force are shown to the superadmin in the words of the file, and no secret among them', async (t) => {
	const { call } = await box(t);
	const { status, body, text } = await call('/system/info', 'superadmin');
	t.is(status, 200);
	Joi.assert(body, infoAnswer);
	t.false(text.includes(SECRET));
	t.like(body, {
		service: 'drawbridge-gateway',
		version: '1.2.3',
		settings: {
			access_token_expire_seconds: 1_800,
			rate_limit_per_minute: 60,
			journal: { flush_interval_ms: 1_000 },
			uplink: { hub_url: 'https://hub.example' },
		},
		data: { used_bytes: 1_000 },
	});
});

test('health is for whoever is logged in, settings are for whoever may configure the system', async (t) => {
	const { call } = await box(t);
	t.is((await call('/monitoring/health', null)).status, 401);
	t.is((await call('/monitoring/health', 'user')).status, 200);
	t.is((await call('/system/info', null)).status, 401);
	for (const role of ['admin', 'manager', 'viewer']) t.is((await call('/system/info', role)).status, 403, role);
});

test('each line is a collector that runs, stands or has failed', (t) => {
	const line = {
		line: 'l',
		reason: null,
		requests: 0,
		answers: 0,
		timeouts: 0,
		exceptions: 0,
		crcErrors: 0,
		strayFrames: 0,
		foreignFrames: 0,
		echoFrames: 0,
		noiseBytes: 0,
		quarantines: 0,
		skippedPeriods: 0,
		leasedTo: null,
		overrun: null,
		utilisation: 0,
		latencyP50Ms: null,
		latencyP99Ms: null,
	};
	const states = ['open', 'opening', 'closed', 'failed', 'failed'] as const;
	t.deepEqual(collectorCounts(states.map((state) => Object.assign({}, line, { state }))), {
		running: 2,
		stopped: 1,
		error: 2,
	});
});

test('a broker is asked by a message that passes through it, and one that does not listen is down', async (t) => {
	const { broker, stop } = await startBroker();
	const listening = { state: 'listening', host: '::', port: 1, reason: null } as const;
	const probe = brokerProbe(() => listening, broker);
	t.true(probe.isInUse());
	t.is(await probe.probe(), null);
	const waiting = { ...listening, state: 'waiting', reason: 'the port is in use' } as const;
	await t.throwsAsync(brokerProbe(() => waiting, broker).probe(), { message: 'the port is in use' });
	await stop();
	await t.throwsAsync(probe.probe(), { message: /stopped/ });
});

test('the way to the hub is known by its last round trip, and only while there is a hub', async (t) => {
	const status: UplinkStatus = {
		enrolled: true,
		hubUrl: null,
		state: 'online',
		since: null,
		lastError: null,
		backlogSamples: 0,
		oldestOwedAt: null,
		acknowledgedThroughAt: null,
		lostSamples: 0,
	};
	const probeOf = (changes: Partial<UplinkStatus>) =>
		uplinkProbe(
			() => Object.assign({}, status, changes),
			() => 38,
		);
	t.is(await probeOf({}).probe(), 38);
	t.false(probeOf({ enrolled: false, state: 'not-enrolled' }).isInUse());
	await t.throwsAsync(probeOf({ state: 'offline', lastError: 'no route' }).probe(), { message: 'no route' });
});
