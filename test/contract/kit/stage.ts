import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Role } from '../../../core/identity/role.ts';
import { member } from '../../system/kit/rest.ts';
import { waitFor } from '../../system/kit/wait-for.ts';
import type { Box } from './box.ts';
import type { ApiRequest } from './case.ts';
import type { Operation } from './document.ts';
import { type Answer, type Call, send } from './http-client.ts';
import { freshAddress, type People, type Person } from './people.ts';

/** A box, its people, and what cases need of both. */
export interface Stage {
	readonly box: Box;
	readonly people: People;
	/** Tokens of the administrator that were issued so long ago that both have expired. */
	readonly expired: Pick<Person, 'accessToken' | 'refreshToken'>;
	/** Calls an operation. @param token of the caller; `null`: without one */
	send(operation: Operation, request: ApiRequest, token: string | null): Promise<Answer>;
	/** Calls an operation without a token, from the one address that is in a hurry, and without patience. */
	hurry(operation: Operation, request: ApiRequest): Promise<Answer>;
	/** Calls an operation as somebody of this level. */
	sendAs(role: Role, operation: Operation, request: ApiRequest): Promise<Answer>;
	/** Any other call below `/api/v1`, e.g. to see what one has done. */
	callAs(role: Role, method: string, path: string, body?: unknown): Promise<Answer>;
	/** The same as `callAs`, without patience when there were too many calls. */
	callOnceAs(role: Role, method: string, path: string): Promise<Answer>;
	/** A device of this owner, of the administrator when `null`; answers its id. */
	newDevice(owner: Person | null, more?: Readonly<Record<string, unknown>>): Promise<string>;
	/** A command for the device; answers its id. */
	newCommand(device: string): Promise<string>;
	/** A record of telemetry. */
	newTelemetry(device: string, payload: Readonly<Record<string, number>>, recordedAt?: string): Promise<void>;
	/** An alert that nobody has acknowledged; answers its id. */
	newAlert(): Promise<string>;
	/** A text that was not used before. */
	unique(prefix: string): string;
}

const BASE = '/api/v1';
const ALERT_WITHIN_MS = 30_000;
const LONGEST_WAIT_SECONDS = 2;

/** Nobody else calls from there. */
const HASTY_ADDRESS = '127.250.0.1';

const filled = (template: string, values: Readonly<Record<string, string>>): string =>
	template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));

/** The `id` in a success. @throws Error with the text of any other answer */
function idIn({ status, text, body }: Answer): string {
	const id = member(body, 'id');
	if (status >= 300 || typeof id !== 'string') throw new Error(`no id in ${status} ${text}`);
	return id;
}

function callOf(method: string, path: string, token: string | null, request: ApiRequest): Call {
	const payload = request.rawBody ?? (request.body === undefined ? undefined : JSON.stringify(request.body));
	const query = new URLSearchParams(request.query).toString();
	return {
		method,
		path: `${BASE}${path}${query === '' ? '' : `?${query}`}`,
		headers: {
			...(payload === undefined ? {} : { 'content-type': 'application/json' }),
			...(token === null ? {} : { authorization: `Bearer ${token}` }),
			...request.headers,
		},
		...(payload === undefined ? {} : { payload }),
	};
}

const operationCall = (operation: Operation, request: ApiRequest, token: string | null): Call =>
	callOf(operation.method, filled(operation.path, request.path ?? {}), token, request);

export function createStage(box: Box, people: People, expired: Stage['expired']): Stage {
	const hastyAgent = new Agent({ keepAlive: true });
	let made = 0;

	function unique(prefix: string): string {
		made += 1;
		return `${prefix}-${made}`;
	}

	/** Waits once where the limit of an account asks for it: a fast machine calls more often than a person. */
	async function patiently(call: Call): Promise<Answer> {
		const answer = await send(box.httpPort, { ...call, from: freshAddress() });
		const waitSeconds = Number(answer.header('retry-after'));
		if (answer.status !== 429 || waitSeconds > LONGEST_WAIT_SECONDS) return answer;
		await sleep(waitSeconds * 1_000);
		return send(box.httpPort, { ...call, from: freshAddress() });
	}

	const callAs: Stage['callAs'] = async (role, method, path, body) =>
		patiently(callOf(method, path, (await people.of(role)).accessToken, body === undefined ? {} : { body }));

	const asChief = (method: string, path: string, body?: unknown): Promise<Answer> =>
		callAs('superadmin', method, path, body);

	async function newDevice(owner: Person | null, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
		const named = { device_uid: unique('device'), name: 'A device', device_type: 'meter' };
		return idIn(
			await asChief('POST', '/devices', { ...named, ...(owner === null ? {} : { owner_id: owner.id }), ...more }),
		);
	}

	async function newTelemetry(
		device: string,
		payload: Readonly<Record<string, number>>,
		recordedAt?: string,
	): Promise<void> {
		const time = recordedAt === undefined ? {} : { recorded_at: recordedAt };
		idIn(await asChief('POST', `/devices/${device}/telemetry`, { telemetry_type: 'environment', payload, ...time }));
	}

	async function alertOf(device: string): Promise<string | null> {
		const { body } = await asChief('GET', '/monitoring/alerts?limit=200');
		const own = Array.isArray(body) ? body.find((alert: unknown) => member(alert, 'device_id') === device) : undefined;
		return own === undefined ? null : String(member(own, 'id'));
	}

	const sendWith: Stage['send'] = (operation, request, token) => patiently(operationCall(operation, request, token));

	return {
		box,
		people,
		expired,
		unique,
		callAs,
		callOnceAs: async (role, method, path) =>
			send(box.httpPort, { ...callOf(method, path, (await people.of(role)).accessToken, {}), from: freshAddress() }),
		newDevice,
		newTelemetry,
		sendAs: async (role, operation, request) => sendWith(operation, request, (await people.of(role)).accessToken),
		send: sendWith,
		hurry: (operation, request) =>
			send(box.httpPort, { ...operationCall(operation, request, null), from: HASTY_ADDRESS, agent: hastyAgent }),
		newCommand: async (device) =>
			idIn(await asChief('POST', `/devices/${device}/commands`, { command_name: 'restart' })),
		async newAlert() {
			const group = randomUUID();
			const metric = unique('heat').replace('-', '_');
			const rule = { name: 'Too hot', metric, condition: 'gt', threshold: 40, device_group_id: group };
			idIn(await asChief('POST', '/monitoring/alert-rules', rule));
			const device = await newDevice(null, { group_id: group });
			await newTelemetry(device, { [metric]: 50 });
			return waitFor('the alert is raised', ALERT_WITHIN_MS, () => alertOf(device));
		},
	};
}
