import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import Joi from 'joi';

import { noteChange } from '../audit/audit-note.ts';
import type { DeviceService } from '../device/device-service.ts';
import { actorOf, anyUser, ownerOr } from '../http/access.ts';
import { withCursorHeaders } from '../http/cursor-headers.ts';
import type { Clock, EpochMs } from '../kernel/clock.ts';
import { fieldFault } from '../kernel/fault.ts';
import { isPlausibleInstant } from '../telemetry/timestamp-input.ts';
import { commandable } from './command-access.ts';
import {
	commandAnswer,
	type CommandBody,
	commandCreate,
	type CommandListQuery,
	commandListParams,
	commandListQuery,
	commandParams,
	commandPatch,
	type CommandPatchBody,
	commandView,
	toCommandCursor,
	toDraft,
} from './command-schema.ts';
import type { CommandService } from './command-service.ts';

export interface CommandRoutesDeps {
	readonly commands: Pick<CommandService, 'create' | 'get' | 'newest' | 'update'>;
	readonly devices: Pick<DeviceService, 'get'>;
	readonly clock: Pick<Clock, 'now'>;
}

type Wire<P, Q = unknown> = Request<{
	Params: { device_id: string; command_id: string };
	Query: Q;
	Payload: P;
}>;

/** Commands of one device (reference 002): the queue as its makers and polling devices see it. */
export const commandRoutes: Plugin<CommandRoutesDeps> = {
	name: 'command-routes',
	register(server, { commands, devices, clock }) {
		const deviceOf = (request: Pick<Wire<unknown>, 'auth' | 'params'>) =>
			commandable(devices, request.params.device_id, actorOf(request));

		async function create(request: Wire<CommandBody>, h: ResponseToolkit) {
			const device = deviceOf(request);
			const command = await commands.create(device, toDraft(request.payload), actorOf(request));
			const view = commandView(command);
			const after = { device_id: device.id, tenant_id: device.tenantId, ...view };
			noteChange(request, { target: command.id, before: null, after });
			return h.response(view).code(201);
		}

		function list(request: Wire<unknown, CommandListQuery>, h: ResponseToolkit) {
			const device = devices.get(request.params.device_id, actorOf(request));
			const { limit, cursor = null } = request.query;
			const found = commands.newest(device.id, cursor, limit + 1);
			const page = found.slice(0, limit);
			const last = page.at(-1);
			const next = found.length > limit && last !== undefined ? toCommandCursor(last) : null;
			return withCursorHeaders(h.response(page.map(commandView)), request, limit, next);
		}

		function executedAtOf({ status, executed_at: at }: CommandPatchBody): EpochMs | null {
			if (at === undefined || status !== 'executed') return null;
			if (!isPlausibleInstant(at, clock.now()))
				throw fieldFault('rule-violation', 'executed_at', 'must not be more than a day ahead, or before 1970');
			return at;
		}

		async function update(request: Wire<CommandPatchBody>) {
			const device = deviceOf(request);
			const id = request.params.command_id;
			const before = commandView(commands.get(device.id, id));
			const executedAt = executedAtOf(request.payload);
			const { status } = request.payload;
			const error = status === 'failed' ? `set to failed by ${actorOf(request).email}` : null;
			const view = commandView(await commands.update(device.id, id, { status, executedAt, error }));
			noteChange(request, { target: id, before, after: { tenant_id: device.tenantId, ...view } });
			return view;
		}

		const tag = 'Commands';
		const base = '/devices/{device_id}/commands';
		const byCommander = ownerOr('devices:command');
		server.route({
			method: 'POST',
			path: base,
			options: {
				...byCommander,
				app: {
					...byCommander.app,
					api: {
						operationId: 'createCommand',
						tag,
						summary: 'Send a command to a device',
						answers: { 201: commandAnswer },
					},
				},
				validate: { params: commandListParams, payload: commandCreate },
				handler: create,
			},
		});
		server.route({
			method: 'GET',
			path: base,
			options: {
				...anyUser,
				app: {
					...anyUser.app,
					api: {
						operationId: 'listCommands',
						tag,
						summary: 'Commands of a device, newest first',
						answers: { 200: Joi.array().items(commandAnswer) },
					},
				},
				validate: { params: commandListParams, query: commandListQuery },
				handler: list,
			},
		});
		server.route({
			method: 'PATCH',
			path: `${base}/{command_id}`,
			options: {
				...byCommander,
				app: {
					...byCommander.app,
					api: {
						operationId: 'updateCommand',
						tag,
						summary: 'Update the status of a command',
						answers: { 200: commandAnswer },
					},
				},
				validate: { params: commandParams, payload: commandPatch },
				handler: update,
			},
		});
	},
};
