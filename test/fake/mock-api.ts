import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';

import { type Request, type ResponseToolkit, type Server, server as hapi } from '@hapi/hapi';
import { Server as SocketServer } from 'socket.io';

import { type FieldMistake, refusal } from './mock-answer.ts';
import { type FakeDevice, addedDevice, fakeDevices, latestOf, linesOf, seriesOf, uplinkOf } from './mock-fleet.ts';
import { peopleRoutes } from './mock-people.ts';

export interface MockApiOptions {
	readonly hull: 'gateway' | 'hub';
	/** Folder of the built user interface. */
	readonly webDir: string;
	readonly claimed?: boolean;
	/** 0: a free one. */
	readonly port?: number;
}

/** The routes and events that the user interface needs, over devices that live in memory only. */
export interface MockApi {
	readonly url: string;
	/** Drops every live connection and refuses new ones until `restore`. */
	readonly cut: () => void;
	readonly restore: () => void;
	/** No more live values of this device; nobody says that it is gone. */
	readonly silence: (uid: string) => void;
	readonly stop: () => Promise<void>;
}

export const MOCK_CLAIM_CODE = 'DRAW-1234-5678';
const PERIOD_MS = 1_000;
const TOKENS = { access_token: 'mock-access', refresh_token: 'mock-refresh', token_type: 'bearer', expires_in: 1800 };
const TYPES: Readonly<Record<string, string>> = {
	'.html': 'text/html; charset=utf-8',
	'.js': 'text/javascript; charset=utf-8',
	'.css': 'text/css; charset=utf-8',
	'.svg': 'image/svg+xml',
};

interface State {
	claimed: boolean;
	loggedIn: boolean;
	enrolled: boolean;
	away: boolean;
	devices: readonly FakeDevice[];
}

type Body = Readonly<Record<string, unknown>>;

function isBody(value: unknown): value is Body {
	return typeof value === 'object' && value !== null;
}

const missing = (h: ResponseToolkit) => refusal(h, 404, 'RESOURCE_NOT_FOUND', 'there is no such device');

const bodyOf = (request: Request): Body => (isBody(request.payload) ? request.payload : {});

function mistakesOf(body: Body, fields: readonly (readonly string[])[]): readonly FieldMistake[] {
	return fields.flatMap((loc) => {
		let value: unknown = body;
		for (const key of loc) value = isBody(value) ? value[key] : undefined;
		return value === undefined || value === '' || value === null
			? [{ loc: ['body', ...loc], msg: `${loc.join('.')} is required`, type: 'any.required' }]
			: [];
	});
}

const loggedIn = (h: ResponseToolkit) => h.response(TOKENS).state('refresh_token', 'mock-refresh');

function identityRoutes(server: Server, state: State): void {
	server.state('refresh_token', { isHttpOnly: true, isSecure: false, isSameSite: 'Strict', path: '/' });
	server.route([
		{
			method: 'GET',
			path: '/api/v1/setup',
			handler: () => ({ claimed: state.claimed, certificate_authority_sha256: 'A1:B2:C3:D4' }),
		},
		{
			method: 'POST',
			path: '/api/v1/setup/claim',
			handler(request, h) {
				const body = bodyOf(request);
				const errors = mistakesOf(body, [['claim_code'], ['email'], ['full_name'], ['password']]);
				if (body['claim_code'] !== MOCK_CLAIM_CODE)
					return refusal(h, 422, 'VALIDATION_ERROR', 'claim_code is not the code of this machine', [
						{
							loc: ['body', 'claim_code'],
							msg: 'this is not the claim code of this machine',
							type: 'claim_code.wrong',
						},
					]);
				if (errors.length > 0) return refusal(h, 422, 'VALIDATION_ERROR', 'the claim is incomplete', errors);
				state.claimed = true;
				state.loggedIn = true;
				return loggedIn(h);
			},
		},
		{
			method: 'POST',
			path: '/api/v1/auth/login',
			handler(_, h) {
				state.loggedIn = true;
				return loggedIn(h);
			},
		},
		{
			method: 'POST',
			path: '/api/v1/auth/refresh',
			handler: (request, h) =>
				state.loggedIn && request.state['refresh_token'] === 'mock-refresh'
					? loggedIn(h)
					: refusal(h, 401, 'NOT_AUTHENTICATED', 'no refresh token'),
		},
		{
			method: 'POST',
			path: '/api/v1/auth/logout',
			handler(_, h) {
				state.loggedIn = false;
				return h.response().code(204).unstate('refresh_token');
			},
		},
	]);
}

function deviceRoutes(server: Server, state: State): void {
	const find = (request: Request): FakeDevice | undefined => {
		const id: unknown = request.params['id'];
		return state.devices.find(({ view }) => view.id === id || view.device_uid === id);
	};
	server.route([
		{
			method: 'GET',
			path: '/api/v1/devices',
			handler: () => ({
				items: state.devices.map(({ view }) => view),
				total: state.devices.length,
				page: 1,
				size: 100,
				pages: 1,
			}),
		},
		{
			method: 'POST',
			path: '/api/v1/devices',
			handler(request, h) {
				const body = bodyOf(request);
				const connection = body['connection'];
				const modbus = isBody(connection) && connection['driver'] === 'modbus';
				const errors = mistakesOf(body, [
					['name'],
					...(modbus
						? [
								['connection', 'line', 'host'],
								['connection', 'template'],
							]
						: []),
				]);
				if (errors.length > 0) return refusal(h, 422, 'VALIDATION_ERROR', 'the device is incomplete', errors);
				const device = addedDevice(String(body['name']), modbus ? 'modbus' : 'mqtt');
				state.devices = [...state.devices, device];
				return h.response(device.view).code(201);
			},
		},
		{ method: 'GET', path: '/api/v1/devices/{id}', handler: (request, h) => find(request)?.view ?? missing(h) },
		{
			method: 'GET',
			path: '/api/v1/devices/{id}/latest',
			handler(request, h) {
				const device = find(request);
				return device === undefined ? missing(h) : latestOf(device, Date.now());
			},
		},
		{
			method: 'GET',
			path: '/api/v1/devices/{id}/series',
			handler(request, h) {
				const device = find(request);
				return device === undefined ? missing(h) : seriesOf(device, String(request.query['points']), Date.now());
			},
		},
		{
			method: 'POST',
			path: '/api/v1/devices/{id}/mqtt-credentials',
			handler: (request, h) => {
				const device = find(request);
				return device === undefined ? missing(h) : { username: device.view.device_uid, password: 'shown-once-9f2c71' };
			},
		},
	]);
}

function gatewayRoutes(server: Server, state: State): void {
	server.route([
		{ method: 'GET', path: '/api/v1/uplink', handler: () => uplinkOf(state.enrolled, Date.now()) },
		{
			method: 'POST',
			path: '/api/v1/uplink/enrol',
			handler(request, h) {
				const errors = mistakesOf(bodyOf(request), [['hub_url'], ['code']]);
				if (errors.length > 0) return refusal(h, 422, 'VALIDATION_ERROR', 'the enrolment is incomplete', errors);
				state.enrolled = true;
				return uplinkOf(true, Date.now());
			},
		},
		{ method: 'GET', path: '/api/v1/lines', handler: linesOf },
		{
			method: 'GET',
			path: '/api/v1/templates',
			handler: () => [
				{ key: 'eastron-sdm630', manufacturer: 'Eastron', model: 'SDM630', mistakes: [] },
				{ key: 'broken', manufacturer: 'Acme', model: 'X1', mistakes: ['points 3 and 4 overlap'] },
			],
		},
	]);
}

function hubRoutes(server: Server): void {
	const gateway = { id: 'a1000000-0000-4000-8000-000000000001', name: 'Plant North', online: true, devices: 5 };
	server.route([
		{
			method: 'GET',
			path: '/api/v1/gateways',
			handler: () => [
				{
					...gateway,
					last_seen_at: new Date().toISOString(),
					received_samples: 18_204_113,
					missing_samples: 0,
					declared_lost_samples: 0,
				},
				{
					...gateway,
					id: 'a2000000-0000-4000-8000-000000000002',
					name: 'Pump house',
					online: false,
					devices: 1,
					last_seen_at: new Date(Date.now() - 5_400_000).toISOString(),
					received_samples: 911_402,
					missing_samples: 3_600,
					declared_lost_samples: 120,
				},
			],
		},
		{
			method: 'POST',
			path: '/api/v1/gateways/enrolment-codes',
			handler: (_, h) =>
				h.response({ code: 'ENROL-7QK2-M4XD', expires_at: new Date(Date.now() + 3_600_000).toISOString() }).code(201),
		},
	]);
}

function healthRoutes(server: Server, hull: MockApiOptions['hull']): void {
	const reasons = { uplink: 'The hub does not answer since 14:02; values are kept and sent later.' };
	server.route([
		{
			method: 'GET',
			path: '/health',
			handler: () => ({
				status: hull === 'gateway' ? 'degraded' : 'ok',
				documents: 'connected',
				telemetry: 'connected',
				...(hull === 'gateway' ? { uplink: 'disconnected', reasons } : { reasons: {} }),
			}),
		},
		{ method: 'GET', path: '/readiness', handler: () => ({ status: 'ready' }) },
	]);
}

function webRoute(server: Server, webDir: string): void {
	server.route({
		method: 'GET',
		path: '/{path*}',
		async handler(request, h) {
			const asked: unknown = request.params['path'];
			const name = typeof asked === 'string' && asked !== '' ? normalize(asked) : 'index.html';
			const content = await readFile(join(webDir, name)).catch(() => null);
			if (content === null || name.startsWith('..')) return refusal(h, 404, 'RESOURCE_NOT_FOUND', 'no such file');
			return h
				.response(content)
				.type(TYPES[extname(name)] ?? 'application/octet-stream')
				.header('content-security-policy', "default-src 'self'; style-src 'self'");
		},
	});
}

/** Values once a second to the rooms of the devices, as the product does. */
function startLive(sockets: SocketServer, state: State): ReturnType<typeof setInterval> {
	const monitoring = sockets.of('/monitoring');
	monitoring.use((socket, next) => {
		next(
			socket.handshake.auth['token'] === TOKENS.access_token && !state.away
				? undefined
				: new Error('NOT_AUTHENTICATED'),
		);
	});
	monitoring.on('connection', (socket) => {
		socket.on('subscribe_device', (ask: unknown) => {
			if (isBody(ask) && typeof ask['device_uid'] === 'string') void socket.join(ask['device_uid']);
		});
	});
	return setInterval(() => {
		for (const device of state.devices) {
			if (device.silent) continue;
			const { values } = latestOf(device, Date.now());
			const data: Record<string, unknown> = { timestamp: new Date().toISOString() };
			const quality: Record<string, string> = {};
			for (const [point, value] of Object.entries(values)) {
				data[point] = value.value;
				if (value.quality !== 'good') quality[point] = value.quality;
			}
			const { id, device_uid } = device.view;
			monitoring.to([id, device_uid]).emit('telemetry', { device_uid, device_id: id, data, quality });
		}
	}, PERIOD_MS);
}

export async function startMockApi({ hull, webDir, claimed = false, port = 0 }: MockApiOptions): Promise<MockApi> {
	const state: State = { claimed, loggedIn: claimed, enrolled: false, away: false, devices: fakeDevices(hull) };
	const server = hapi({ host: '127.0.0.1', port });
	server.ext('onRequest', (_, h) =>
		state.away ? h.response({ detail: 'not ready' }).code(503).takeover() : h.continue,
	);
	identityRoutes(server, state);
	deviceRoutes(server, state);
	gatewayRoutes(server, state);
	peopleRoutes(server);
	if (hull === 'hub') hubRoutes(server);
	healthRoutes(server, hull);
	webRoute(server, webDir);
	const sockets = new SocketServer(server.listener);
	const timer = startLive(sockets, state);
	await server.start();
	return {
		url: server.info.uri,
		cut() {
			state.away = true;
			sockets.of('/monitoring').disconnectSockets(true);
		},
		silence(uid) {
			state.devices = state.devices.map((device) =>
				device.view.device_uid === uid ? { ...device, silent: true } : device,
			);
		},
		restore() {
			state.away = false;
		},
		async stop() {
			clearInterval(timer);
			await sockets.close();
			await server.stop({ timeout: 500 });
		},
	};
}
