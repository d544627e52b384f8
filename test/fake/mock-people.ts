import type { Server } from '@hapi/hapi';

import { PERMISSIONS_OF } from '../../core/identity/permission.ts';
import type { Role } from '../../core/identity/role.ts';
import { refusal } from './mock-answer.ts';

/** What the pages of settings, alerts and commands ask for, over records that live in memory only. */

const now = (): string => new Date().toISOString();
const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

interface MockUser {
	readonly id: string;
	readonly username: string;
	readonly email: string;
	readonly role: Role;
	readonly is_active: boolean;
	readonly full_name: string;
	readonly phone: string;
	readonly organization: string;
	readonly created_at: string;
	readonly last_login: string | null;
	readonly must_change_password: boolean;
}

const ME: MockUser = {
	id: 'aa000000-0000-4000-8000-000000000001',
	username: 'admin',
	email: 'admin@example.org',
	role: 'superadmin',
	is_active: true,
	full_name: 'Ada Installer',
	phone: '',
	organization: '',
	created_at: '2026-01-01T00:00:00Z',
	last_login: '2026-01-02T08:00:00Z',
	must_change_password: false,
};

const OPERATOR: MockUser = {
	...ME,
	id: 'aa000000-0000-4000-8000-000000000002',
	username: 'olivia',
	email: 'olivia@example.org',
	role: 'viewer',
	full_name: 'Olivia Operator',
	last_login: null,
};

/** Made an account and waits. */
const NEWCOMER: MockUser = {
	...OPERATOR,
	id: 'aa000000-0000-4000-8000-000000000004',
	username: 'nina',
	email: 'nina@example.org',
	role: 'user',
	full_name: 'Nina Newcomer',
	is_active: false,
	created_at: ago(7_200_000),
};

export interface MockPeopleOptions {
	/** Level of the person who logs in. */
	readonly role?: Role;
	readonly mustChangePassword?: boolean;
}

const DEVICE = 'dd000000-0000-4000-8000-000000000001';

type Body = Readonly<Record<string, unknown>>;

function isBody(value: unknown): value is Body {
	return typeof value === 'object' && value !== null;
}

const missing = (field: string) => [{ loc: ['body', field], msg: 'is required', type: 'missing' }];

function userRoutes(server: Server, { role = 'superadmin', mustChangePassword = false }: MockPeopleOptions): void {
	let me: MockUser = { ...ME, role, must_change_password: mustChangePassword };
	let others: readonly MockUser[] = [OPERATOR, NEWCOMER];
	const users = (): readonly MockUser[] => [me, ...others];
	const meView = () => ({ ...me, effective_permissions: [...PERMISSIONS_OF[me.role]] });
	const change = (id: unknown, payload: unknown): void => {
		others = others.map((user) => (user.id === id ? Object.assign({}, user, payload) : user));
	};
	server.route([
		{ method: 'GET', path: '/api/v1/users/me', handler: meView },
		{
			method: 'PATCH',
			path: '/api/v1/users/me',
			handler({ payload }) {
				me = Object.assign({}, me, payload);
				return meView();
			},
		},
		{
			method: 'POST',
			path: '/api/v1/users/me/password',
			handler({ payload }, h) {
				if (isBody(payload) && payload['current_password'] === 'wrong')
					return refusal(h, 422, 'BUSINESS_RULE_VIOLATION', 'current_password: is not the current password', [
						{ loc: ['body', 'current_password'], msg: 'is not the current password', type: 'rule-violation' },
					]);
				me = { ...me, must_change_password: false };
				return h.response().code(204);
			},
		},
		{
			method: 'GET',
			path: '/api/v1/users/me/sessions',
			handler: () => [
				{
					id: 's1',
					created_at: ago(60_000),
					last_used_at: now(),
					expires_at: ago(-86_400_000),
					address: '192.168.1.40',
					user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
					current: true,
				},
				{
					id: 's2',
					created_at: ago(3_600_000),
					last_used_at: ago(1_800_000),
					expires_at: ago(-86_400_000),
					address: '192.168.1.77',
					user_agent: 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile',
					current: false,
				},
			],
		},
		{ method: 'DELETE', path: '/api/v1/users/me/sessions', handler: (_, h) => h.response().code(204) },
		{
			method: 'GET',
			path: '/api/v1/users',
			handler: () => ({ items: users(), total: users().length, page: 1, size: 50, pages: 1 }),
		},
		{
			method: 'GET',
			path: '/api/v1/users/',
			handler: () => users().filter(({ is_active: isActive }) => !isActive),
		},
		{
			method: 'PATCH',
			path: '/api/v1/users/{id}',
			handler({ params, payload }) {
				change(params['id'], payload);
				return others.find(({ id }) => id === params['id']) ?? {};
			},
		},
		{
			method: 'POST',
			path: '/api/v1/users',
			handler({ payload }, h) {
				const body = isBody(payload) ? payload : {};
				const password = body['password'];
				if (typeof password !== 'string' || password.length < 8)
					return refusal(h, 422, 'VALIDATION_ERROR', 'password: is too short', missing('password'));
				const user = { ...OPERATOR, id: 'aa000000-0000-4000-8000-000000000003', ...body };
				others = [...others, user];
				return h.response(user).code(201);
			},
		},
		{
			method: 'DELETE',
			path: '/api/v1/users/{id}',
			handler({ params }, h) {
				others = others.filter(({ id }) => id !== params['id']);
				return h.response().code(204);
			},
		},
	]);
}

function alertRoutes(server: Server): void {
	let alerts = [
		{
			id: 'a1000000-0000-4000-8000-000000000001',
			rule_id: 'a2000000-0000-4000-8000-000000000001',
			device_id: DEVICE,
			severity: 'critical',
			message: 'Main feed (meter-main): voltage_l1 254.1 is above 253',
			created_at: ago(90_000),
			raised_at: ago(60_000),
			cleared_at: null,
			occurrences: 3,
		},
	];
	let acknowledged: readonly object[] = [];
	let rules: readonly object[] = [
		{
			id: 'a2000000-0000-4000-8000-000000000001',
			name: 'Overvoltage',
			metric: 'voltage_l1',
			condition: 'gt',
			threshold: 253,
			severity: 'critical',
			is_active: true,
			hysteresis: 0,
			gateway_id: null,
			duration_seconds: 10,
			device_id: null,
		},
	];
	server.route([
		{
			method: 'GET',
			path: '/api/v1/monitoring/alerts',
			handler: ({ query }) => (query['acknowledged'] === 'true' ? acknowledged : alerts),
		},
		{
			method: 'POST',
			path: '/api/v1/monitoring/alerts/{id}/acknowledge',
			handler() {
				const [alert] = alerts;
				alerts = [];
				acknowledged = [{ ...alert, acknowledged_at: ago(0), acknowledged_by_email: 'chief@example.com' }];
				return alert ?? {};
			},
		},
		{ method: 'GET', path: '/api/v1/monitoring/alert-rules', handler: () => rules },
		{
			method: 'POST',
			path: '/api/v1/monitoring/alert-rules',
			handler({ payload }, h) {
				if (!isBody(payload) || typeof payload['threshold'] !== 'number')
					return refusal(h, 422, 'VALIDATION_ERROR', 'threshold: must be a number', [
						{ loc: ['body', 'threshold'], msg: 'must be a number', type: 'number.base' },
					]);
				rules = [...rules, { id: 'a2000000-0000-4000-8000-000000000002', is_active: true, ...payload }];
				return h.response(payload).code(201);
			},
		},
	]);
}

function deviceExtras(server: Server): void {
	let knocks = [
		{
			name: 'boiler-7',
			client_id: 'boiler-7',
			address: '192.168.1.91',
			first_seen: ago(600_000),
			last_seen: ago(5_000),
			count: 42,
			why: 'no device of this name',
			adoptable: true,
		},
	];
	let commands: readonly object[] = [];
	server.route([
		{ method: 'GET', path: '/api/v1/mqtt/knocking', handler: () => knocks },
		{
			method: 'POST',
			path: '/api/v1/mqtt/knocking/{name}/adopt',
			handler({ params }, h) {
				knocks = [];
				const name = String(params['name']);
				return h
					.response({ device: { id: DEVICE, name }, credentials: { username: name, password: 'adopted-once-51c' } })
					.code(201);
			},
		},
		{ method: 'GET', path: '/api/v1/devices/{id}/commands', handler: () => commands },
		{
			method: 'POST',
			path: '/api/v1/devices/{id}/commands',
			handler({ payload }, h) {
				const command = {
					id: 'dc000000-0000-4000-8000-000000000001',
					status: 'executed',
					created_at: now(),
					executed_at: now(),
					error: null,
					result: null,
					...(isBody(payload) ? payload : {}),
				};
				commands = [command];
				return h.response(command).code(201);
			},
		},
	]);
}

const ENTRIES = [
	{
		id: '2',
		at: '2026-01-02T08:05:00Z',
		action: 'updateUser',
		outcome: 'done',
		actor: { email: 'admin@example.org' },
		from: '192.168.1.40',
		target: OPERATOR.id,
		reason: null,
		before: { role: 'viewer' },
		after: { role: 'editor' },
		count: 1,
	},
	{
		id: '1',
		at: '2026-01-02T08:00:00Z',
		action: 'login',
		outcome: 'refused',
		actor: null,
		from: '192.168.1.66',
		target: null,
		reason: 'INVALID_CREDENTIALS: the email or the password is wrong',
		before: null,
		after: null,
		count: 12,
	},
];

const OPENAPI = {
	openapi: '3.1.0',
	paths: {
		'/api/v1/devices': {
			get: {
				operationId: 'listDevices',
				tags: ['Devices'],
				summary: 'Devices that the caller may see',
				'x-permission': 'authenticated',
				parameters: [{ name: 'page', in: 'query', schema: { type: 'integer', minimum: 1 } }],
				responses: {
					'200': {
						description: 'OK',
						content: { 'application/json': { schema: { $ref: '#/components/schemas/Page' } } },
					},
				},
			},
		},
	},
	components: {
		schemas: {
			Page: {
				type: 'object',
				required: ['items'],
				properties: {
					items: { type: 'array', items: { $ref: '#/components/schemas/Page' } },
					total: { type: 'integer' },
				},
			},
		},
	},
};

export function peopleRoutes(server: Server, options: MockPeopleOptions): void {
	userRoutes(server, options);
	alertRoutes(server);
	deviceExtras(server);
	server.route([
		{ method: 'GET', path: '/api/v1/audit', handler: () => ENTRIES },
		{ method: 'GET', path: '/api/openapi.json', handler: () => OPENAPI },
	]);
}
