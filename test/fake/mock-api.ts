import { type Request, type ResponseToolkit, type Server, server as hapi } from '@hapi/hapi';
import { Server as SocketServer } from 'socket.io';

import { requestLimit } from '../../core/http/request-limit.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { type FieldMistake, refusal } from './mock-answer.ts';
import { type FakeDevice, addedDevice, fakeDevices, latestOf, manyDevices, seriesOf, uplinkOf } from './mock-fleet.ts';
import { fieldRoutes } from './mock-field.ts';
import { historyRoutes } from './mock-history.ts';
import { hubLedgerRoutes, ownLedgerRoutes } from './mock-ledger.ts';
import { configurationRoutes } from './mock-configuration.ts';
import { healthRoutes, hubRoutes, webRoute } from './mock-hull.ts';
import { startMockLive } from './mock-live.ts';
import { createMockScan } from './mock-scan.ts';
import { storageOf } from './mock-storage.ts';
import { type MockPeopleOptions, peopleRoutes } from './mock-people.ts';

export interface MockApiOptions extends MockPeopleOptions {
	readonly hull: 'gateway' | 'hub';
	/** Folder of the built user interface. */
	readonly webDir: string;
	readonly claimed?: boolean;
	/** 0: a free one. */
	readonly port?: number;
	readonly registration?: 'open' | 'approval' | 'closed';
	/** Life of an access token, s. */
	readonly tokenSeconds?: number;
	/** The clock of the machine was never set. */
	readonly timeless?: boolean;
	/** So many equal meters instead of the usual devices, behind the product's own limit of requests. */
	readonly crowd?: number;
	/** How a scan goes on; absent: a step each second. */
	readonly scans?: 'told' | 'stepped' | 'muted';
}

/** The routes and events that the user interface needs, over devices that live in memory only. */
export interface MockApi {
	readonly url: string;
	/** Drops every live connection and refuses new ones until `restore`. */
	readonly cut: () => void;
	readonly restore: () => void;
	/** No more live values of this device; nobody says that it is gone. */
	readonly silence: (uid: string) => void;
	/** Answers 429 to so many of the next questions for devices. */
	readonly refuse: (requests: number) => void;
	/** News for whoever is logged in. */
	readonly notify: (event: object) => void;
	/** One step of a scan, and whether somebody hears of it. */
	readonly stepScan: () => void;
	readonly tellsScans: () => boolean;
	/** Live connections, and access tokens given out, since the start. */
	readonly connections: () => number;
	readonly tokens: () => number;
	readonly stop: () => Promise<void>;
}

export const MOCK_CLAIM_CODE = 'DRAW-1234-5678';
const TOKEN_SECONDS = 1_800;
interface State {
	claimed: boolean;
	loggedIn: boolean;
	enrolled: boolean;
	away: boolean;
	/** Access tokens given out; the newest is the good one. */
	tokens: number;
	readonly tokenSeconds: number;
	readonly registration: NonNullable<MockApiOptions['registration']>;
	/** Questions for devices that are still to be refused. */
	refusing: number;
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

const goodToken = ({ tokens }: State): string => `mock-access-${tokens}`;

function loggedIn(state: State, h: ResponseToolkit) {
	state.tokens += 1;
	const tokens = {
		access_token: goodToken(state),
		refresh_token: 'mock-refresh',
		token_type: 'bearer',
		expires_in: state.tokenSeconds,
	};
	return h.response(tokens).state('refresh_token', 'mock-refresh');
}

function identityRoutes(server: Server, state: State): void {
	server.state('refresh_token', { isHttpOnly: true, isSecure: false, isSameSite: 'Strict', path: '/' });
	server.route([
		{
			method: 'GET',
			path: '/api/v1/setup',
			handler: () => ({
				claimed: state.claimed,
				version: '0.1.0',
				registration: state.registration,
				certificate_authority_sha256: 'A1:B2:C3:D4',
			}),
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
				return loggedIn(state, h);
			},
		},
		{
			method: 'POST',
			path: '/api/v1/auth/register',
			handler: (request, h) =>
				state.registration === 'open'
					? loggedIn(state, h).code(201)
					: h.response({ ...bodyOf(request), status: 'awaiting_approval' }).code(202),
		},
		{
			method: 'POST',
			path: '/api/v1/auth/login',
			handler(_, h) {
				state.loggedIn = true;
				return loggedIn(state, h);
			},
		},
		{
			method: 'POST',
			path: '/api/v1/auth/refresh',
			handler: (request, h) =>
				state.loggedIn && request.state['refresh_token'] === 'mock-refresh'
					? loggedIn(state, h)
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
			handler(_, h) {
				if (state.refusing > 0) {
					state.refusing -= 1;
					return refusal(h, 429, 'RATE_LIMITED', 'too many requests; try again in 1 s').header('retry-after', '1');
				}
				return {
					items: state.devices.map(({ view }) => view),
					total: state.devices.length,
					page: 1,
					size: 100,
					pages: 1,
				};
			},
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
				const [from, to] = [request.query['from'], request.query['to']].map((text: unknown) =>
					Date.parse(String(text)),
				);
				return device === undefined
					? missing(h)
					: seriesOf(device, String(request.query['points']), from ?? 0, to ?? Date.now());
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
		{
			method: 'DELETE',
			path: '/api/v1/uplink',
			handler(_, h) {
				state.enrolled = false;
				return h.response().code(204);
			},
		},
		{ method: 'GET', path: '/api/v1/system/storage', handler: storageOf },
	]);
}

export async function startMockApi(options: MockApiOptions): Promise<MockApi> {
	const { hull, webDir, claimed = false, port = 0, tokenSeconds = TOKEN_SECONDS, crowd } = options;
	const state: State = {
		claimed,
		loggedIn: claimed,
		enrolled: false,
		away: false,
		tokens: 0,
		tokenSeconds,
		registration: options.registration ?? 'closed',
		refusing: 0,
		devices: crowd === undefined ? fakeDevices(hull) : manyDevices(crowd, hull),
	};
	const server = hapi({ host: '127.0.0.1', port });
	server.ext('onRequest', (_, h) =>
		state.away ? h.response({ detail: 'not ready' }).code(503).takeover() : h.continue,
	);
	if (crowd !== undefined) {
		await server.register({ plugin: requestLimit, options: { requestsPerSecond: 30, clock: systemClock } });
	}
	identityRoutes(server, state);
	deviceRoutes(server, state);
	gatewayRoutes(server, state);
	const scan = createMockScan();
	fieldRoutes(server, scan, options.scans === 'muted');
	historyRoutes(server, (id) => state.devices.find(({ view }) => view.id === id));
	ownLedgerRoutes(server, () => options.timeless !== true);
	peopleRoutes(server, options);
	if (hull === 'hub') {
		hubRoutes(server);
		hubLedgerRoutes(server, (id) => String(id).startsWith('a1'));
	}
	healthRoutes(server, hull);
	configurationRoutes(server);
	webRoute(server, webDir);
	const sockets = new SocketServer(server.listener);
	const live = startMockLive({
		sockets,
		devices: () => state.devices,
		isGood: (token) => token === goodToken(state) && !state.away,
		tokenMs: tokenSeconds * 1_000,
		scan,
		scans: options.scans ?? 'told',
	});
	await server.start();
	return {
		url: server.info.uri,
		cut() {
			state.away = true;
			for (const namespace of ['/monitoring', '/scan']) sockets.of(namespace).disconnectSockets(true);
		},
		silence(uid) {
			state.devices = state.devices.map((device) =>
				device.view.device_uid === uid ? { ...device, silent: true } : device,
			);
		},
		refuse(requests) {
			state.refusing = requests;
		},
		notify: live.notify,
		stepScan: live.stepScan,
		tellsScans: live.tellsScans,
		connections: live.connections,
		tokens: () => state.tokens,
		restore() {
			state.away = false;
		},
		async stop() {
			live.stop();
			await sockets.close();
			await server.stop({ timeout: 500 });
		},
	};
}
