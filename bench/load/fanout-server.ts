import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';

import { WebSocketServer } from 'ws';

import { PERMISSIONS_OF } from '../../core/identity/permission.ts';
import { systemTimer } from '../../core/journal/set-timer.ts';
import { epochMs, systemClock, toIso } from '../../core/kernel/clock.ts';
import { DEFAULT_TENANT, deviceUid, newDeviceId, newGatewayId } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { createRealtimeServer, DEFAULT_REALTIME_LIMITS } from '../../core/realtime/realtime-server.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { createTelemetryRealtime } from '../../core/telemetry/telemetry-realtime.ts';
import { listenOnLoopback } from '../../gateway/simulator/listen.ts';
import { plainDevice } from '../../test/fake/plain-device.ts';
import { requiredArguments } from './arguments.ts';

/**
 * Program: tells all who listen of the readings of one device, as fast as they take them: `--kind drawbridge` by the product's realtime
 * server, `--kind ws` by the smallest server that `ws` allows. The receiver says on the control port what the slowest client has.
 */
const IN_FLIGHT = 20;
const HOUR_MS = 3_600_000;

const { kind } = requiredArguments(['kind']);
const http = createHttpServer((_request, response) => void response.writeHead(404).end());
const points = ['voltage', 'current', 'power', 'reactive_power', 'frequency', 'energy'];
const device = plainDevice({ id: newDeviceId(), uid: deviceUid('bench') });
const origin = newGatewayId();

function readingOf(number: number): Reading {
	const values = [230.12, 5.21, 1_196.5, 12.5, 50.01, number];
	const readAt = systemClock.now();
	return {
		device: device.id,
		readAt,
		telemetryType: 'default',
		points,
		values,
		qualities: null,
		origin,
		epoch: 1,
		firstSeq: number,
	};
}

/** The product: its realtime server and its namespace `/monitoring`, with one device and a token that anybody may use. */
function product(): (number: number) => void {
	const realtime = createRealtimeServer({
		listener: http,
		tokens: {
			verify: () => ({
				userId: 'bench',
				email: 'bench@example.com',
				role: 'viewer',
				tenantId: DEFAULT_TENANT,
				permissions: PERMISSIONS_OF.viewer,
			}),
			expiresAt: () => epochMs(systemClock.now() + HOUR_MS),
		},
		audit: { refused: () => undefined },
		clock: systemClock,
		setTimer: systemTimer,
		log: silentLog,
		limits: DEFAULT_REALTIME_LIMITS,
	});
	const { reading } = createTelemetryRealtime({
		realtime,
		devices: { find: () => device, get: () => device },
		latest: { of: () => null },
		pointFactsOf: () => null,
		clock: systemClock,
	});
	return (number) => reading(readingOf(number));
}

/** The floor: one text per event, sent to each. */
function plain(): (number: number) => void {
	const server = new WebSocketServer({ server: http, perMessageDeflate: false });
	return (number) => {
		const { readAt, values } = readingOf(number);
		const metrics = Object.fromEntries(points.map((point, index) => [point, values[index]]));
		const data = { ...metrics, timestamp: toIso(readAt) };
		const text = JSON.stringify(['telemetry', { device_uid: device.uid, device_id: device.id, data }]);
		for (const client of server.clients) client.send(text);
	};
}

const send = kind === 'ws' ? plain() : product();

/** Each measurement has a control connection of its own. */
const control = createServer((socket) => {
	let sent = 0;
	socket.on('error', () => socket.destroy());
	socket.on('data', (chunk: Buffer) => {
		const received = Number(chunk.toString().trim().split('\n').at(-1));
		while (sent - received < IN_FLIGHT) send((sent += 1));
	});
});
const port = await listenOnLoopback(http, 0);
const controlPort = await listenOnLoopback(control, 0);
console.log(JSON.stringify({ event: 'ready', port, control_port: controlPort }));
process.once('SIGTERM', () => process.exit(0));
