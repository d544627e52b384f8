import type { Namespace, Socket } from 'socket.io';

import type { AuditEvent, AuditLog } from '../audit/audit.ts';
import { mayCommand, maySee } from '../device/device-access.ts';
import type { DeviceListener } from '../device/device-events.ts';
import type { DeviceService } from '../device/device-service.ts';
import type { Device } from '../device/device.ts';
import type { Actor } from '../identity/role.ts';
import { Fault, messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';
import { type RealtimeError, toRealtimeError } from '../realtime/realtime-error.ts';
import type { RealtimeServer } from '../realtime/realtime-server.ts';
import type { Command, CommandPayload } from './command.ts';
import { commandable } from './command-access.ts';
import { commandView, DEFAULT_TTL_MS, type SendCommand, sendCommand } from './command-schema.ts';
import type { CommandService } from './command-service.ts';

/** Devices whose answers one connection may wait for. */
const DEVICES_PER_CLIENT = 1_000;

const EVENT = 'send_command';

export interface CommandRealtimeDeps {
	readonly realtime: Pick<RealtimeServer, 'namespace' | 'on' | 'actorOf' | 'cutSlow'>;
	readonly commands: Pick<CommandService, 'create'>;
	readonly devices: Pick<DeviceService, 'find' | 'get'>;
	readonly audit: AuditLog;
	readonly log: Logger;
	readonly devicesPerClient?: number;
}

/** Somebody answered a command of this device; `data` carries its `command_id`. */
export type ResponseListener = (device: Device, data: CommandPayload) => void;

const eventOf = (socket: Socket, actor: Actor): Omit<AuditEvent, 'outcome' | 'reason' | 'target' | 'after'> => ({
	action: EVENT,
	actor: { userId: actor.userId, email: actor.email },
	tenantId: actor.tenantId,
	from: socket.handshake.address,
	before: null,
	requestId: null,
});

/** Namespace `/device`: commands in, and the answers of devices out to the connections that commanded them. */
export function createCommandRealtime({
	realtime,
	commands,
	devices,
	audit,
	log,
	devicesPerClient = DEVICES_PER_CLIENT,
}: CommandRealtimeDeps): { readonly response: ResponseListener; readonly device: DeviceListener } {
	const namespace: Namespace = realtime.namespace('/device');
	const { rooms } = namespace.adapter;

	function noteRefusal(socket: Socket, actor: Actor, reference: string, { error }: RealtimeError): void {
		audit.refused({
			...eventOf(socket, actor),
			outcome: 'refused',
			target: reference,
			reason: `${error.code}: ${error.message}`,
			after: null,
		});
	}

	async function noteCreation(socket: Socket, actor: Actor, command: Command): Promise<void> {
		try {
			const after = { device_id: command.device, ...commandView(command) };
			const { id: target, tenantId } = command;
			await audit.record({ ...eventOf(socket, actor), tenantId, outcome: 'done', target, reason: null, after });
		} catch (error) {
			log.error('audit-not-written', { action: EVENT, reason: messageOf(error) });
		}
	}

	async function send(socket: Socket, actor: Actor, { device_uid: reference, command }: SendCommand): Promise<object> {
		const device = commandable(devices, reference, actor);
		// A connection is also in a room of its own.
		if (!socket.rooms.has(device.id) && socket.rooms.size > devicesPerClient)
			throw new Fault('rule-violation', `a connection commands ${devicesPerClient} devices at most`);
		// Before the command is on its way, so that no answer is missed.
		await socket.join(device.id);
		const draft = { name: command.action, payload: command.payload, ttlMs: DEFAULT_TTL_MS };
		const queued = await commands.create(device, draft, actor);
		await noteCreation(socket, actor, queued);
		return { command_id: queued.id, status: 'pending' };
	}

	namespace.on('connection', (socket) =>
		realtime.on(socket, EVENT, sendCommand, async (request, actor) => {
			try {
				return { body: await send(socket, actor, request) };
			} catch (thrown) {
				if (thrown instanceof Fault) noteRefusal(socket, actor, request.device_uid, toRealtimeError(thrown));
				throw thrown;
			}
		}),
	);

	/** Rights may have been taken since the command was sent. */
	function mayHear(socket: Socket, device: Device): boolean {
		try {
			const actor = realtime.actorOf(socket);
			return maySee(actor, device) && mayCommand(actor, device);
		} catch {
			return false;
		}
	}

	return {
		response(device, data) {
			const ids = rooms.get(device.id);
			if (ids === undefined) return;
			for (const id of ids) {
				const socket = namespace.sockets.get(id);
				if (socket !== undefined && mayHear(socket, device))
					socket.emit('device_response', { device_uid: device.uid, device_id: device.id, data });
			}
			realtime.cutSlow(namespace, device.id);
		},
		device: {
			changed: ({ id, deletedAt }) => {
				if (deletedAt !== null) namespace.in(id).socketsLeave(id);
			},
		},
	};
}
