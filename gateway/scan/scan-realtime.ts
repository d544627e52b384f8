import Joi from 'joi';
import type { Namespace, Socket } from 'socket.io';

import { type Actor, may, refuseGuest } from '../../core/identity/role.ts';
import { Fault } from '../../core/kernel/fault.ts';
import type { RealtimeServer } from '../../core/realtime/realtime-server.ts';
import type { Scan } from './scan.ts';
import { scanSummary } from './scan-schema.ts';

export interface ScanRealtimeDeps {
	readonly realtime: Pick<RealtimeServer, 'namespace' | 'on' | 'actorOf' | 'cutSlow'>;
}

const ROOM = 'scans';

const nothing = Joi.object<object>({}).options({ stripUnknown: true });

/** @throws Fault `forbidden` */
function refuseStranger(actor: Actor): void {
	if (!may(actor, 'devices:write')) throw new Fault('forbidden', 'this needs the permission devices:write');
	refuseGuest(actor);
}

/** Namespace `/scan`: how far scans are, for whoever may start them. @returns what is told of each change */
export function createScanRealtime({ realtime }: ScanRealtimeDeps): (scan: Scan) => void {
	const namespace: Namespace = realtime.namespace('/scan', leaveStranger);
	const { rooms } = namespace.adapter;

	/** The person behind the connection may do something else than before. */
	function leaveStranger(socket: Socket): void {
		try {
			refuseStranger(realtime.actorOf(socket));
		} catch {
			void socket.leave(ROOM);
		}
	}

	namespace.on('connection', (socket) => {
		realtime.on(socket, 'watch_scans', nothing, (_payload, actor) => {
			refuseStranger(actor);
			void socket.join(ROOM);
		});
	});

	return (scan) => {
		if (!rooms.has(ROOM)) return;
		namespace.to(ROOM).emit('scan_progress', scanSummary(scan));
		realtime.cutSlow(namespace, ROOM);
	};
}
