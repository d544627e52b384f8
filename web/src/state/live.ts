import type { Socket } from 'socket.io-client';

import type { DeviceHealthEvent, DeviceStatusEvent, TelemetryEvent } from '../wire.ts';
import type { Connection } from './connection.ts';
import type { Session } from './session.ts';

export interface LiveListeners {
	readonly telemetry: (event: TelemetryEvent) => void;
	readonly deviceHealth: (event: DeviceHealthEvent) => void;
	readonly deviceStatus: (event: DeviceStatusEvent) => void;
	/** The channel is back; whatever happened meanwhile was not heard. */
	readonly reconnected: () => void;
}

/** The live channel: one Socket.IO connection, and the devices this page looks at. */
export interface Live {
	readonly open: () => Promise<void>;
	readonly close: () => void;
	/** Asks for the events of a device until the returned function is called. */
	readonly watch: (deviceId: string) => () => void;
}

export interface LiveDeps {
	readonly session: Session;
	readonly connection: Connection;
	readonly listeners: LiveListeners;
}

const RETRY_MS = 2_000;

export function createLive({ session, connection, listeners }: LiveDeps): Live {
	let socket: Socket | null = null;
	const watchers = new Map<string, number>();

	const ask = (verb: string, deviceId: string): void => {
		if (socket?.connected === true) socket.emit(verb, { device_uid: deviceId });
	};

	/** The server refused the token: get another one, then knock again. */
	async function knockAgain(refused: Socket): Promise<void> {
		const admitted = await session.renew().catch(() => true);
		setTimeout(() => {
			if (admitted && socket === refused) refused.connect();
		}, RETRY_MS);
	}

	function wire(fresh: Socket): void {
		let before = false;
		fresh.on('connect', () => {
			for (const deviceId of watchers.keys()) ask('subscribe_device', deviceId);
			connection.up();
			if (before) listeners.reconnected();
			before = true;
		});
		fresh.on('disconnect', (reason) => {
			if (socket !== fresh) return;
			connection.down();
			// The library does not come back by itself when the server closed the channel on purpose.
			if (reason === 'io server disconnect') void knockAgain(fresh);
		});
		fresh.on('connect_error', () => {
			if (socket !== fresh) return;
			connection.down();
			if (!fresh.active) void knockAgain(fresh);
		});
		fresh.on('telemetry', listeners.telemetry);
		fresh.on('device_health', listeners.deviceHealth);
		fresh.on('device_status', listeners.deviceStatus);
	}

	return {
		async open() {
			connection.connecting();
			const { io } = await import('socket.io-client');
			if (socket !== null || session.phase.value !== 'in') return;
			socket = io('/monitoring', {
				auth: (give) => give({ token: session.token() }),
				reconnectionDelay: 500,
				reconnectionDelayMax: 5_000,
			});
			wire(socket);
		},
		close() {
			const last = socket;
			socket = null;
			last?.disconnect();
			connection.loggedOut();
		},
		watch(deviceId) {
			const before = watchers.get(deviceId) ?? 0;
			watchers.set(deviceId, before + 1);
			if (before === 0) ask('subscribe_device', deviceId);
			let watching = true;
			return () => {
				if (!watching) return;
				watching = false;
				const left = (watchers.get(deviceId) ?? 1) - 1;
				if (left > 0) watchers.set(deviceId, left);
				else {
					watchers.delete(deviceId);
					ask('unsubscribe_device', deviceId);
				}
			};
		},
	};
}
