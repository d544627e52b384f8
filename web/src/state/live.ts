import { type ReadonlySignal, effect, signal } from '@preact/signals';
import type { Manager, Socket } from 'socket.io-client';

import type { DeviceHealthEvent, DeviceStatusEvent, NotificationEvent, TelemetryEvent } from '../wire.ts';
import type { Connection } from './connection.ts';
import { later } from './later.ts';
import type { Session } from './session.ts';

export interface LiveListeners {
	readonly telemetry: (event: TelemetryEvent) => void;
	readonly deviceHealth: (event: DeviceHealthEvent) => void;
	readonly deviceStatus: (event: DeviceStatusEvent) => void;
	readonly notification: (event: NotificationEvent) => void;
	/** The channel is back; whatever happened meanwhile was not heard. */
	readonly reconnected: () => void;
}

/** The live channel: one Socket.IO connection, the devices this page looks at, and the news for the person. */
export interface Live {
	/** Opens it for this user; nothing when it is open. */
	readonly open: (userId: string) => Promise<void>;
	readonly close: () => void;
	/** The connection, for pages with a namespace of their own; `null`: there is none. */
	readonly manager: ReadonlySignal<Manager | null>;
	/** Asks for the events of a device until the returned function is called. */
	readonly watch: (deviceId: string) => () => void;
}

export interface LiveDeps {
	readonly session: Session;
	readonly connection: Connection;
	readonly listeners: LiveListeners;
}

/** Two namespaces of one connection. */
interface Channel {
	readonly monitoring: Socket;
	readonly news: Socket;
}

const RETRY_MS = 2_000;

export function createLive({ session, connection, listeners }: LiveDeps): Live {
	let channel: Channel | null = null;
	let opening = false;
	const open = signal<Manager | null>(null);
	const watchers = new Map<string, number>();

	const ask = (verb: string, deviceId: string): void => {
		if (channel?.monitoring.connected === true) channel.monitoring.emit(verb, { device_uid: deviceId });
	};

	// The connection ends with its token; with the next one it goes on.
	effect(() => {
		if (session.tokens.value > 0 && channel?.monitoring.connected === true)
			channel.monitoring.emit('authenticate', { token: session.token() });
	});

	/** The server refused the token: get another one, then knock again. */
	async function knockAgain(refused: Channel): Promise<void> {
		const admitted = await session.renew().catch(() => true);
		await later(RETRY_MS);
		if (admitted && channel === refused) refused.monitoring.connect();
	}

	function wire(fresh: Channel, userId: string): void {
		const { monitoring, news } = fresh;
		let before = false;
		monitoring.on('connect', () => {
			for (const deviceId of watchers.keys()) ask('subscribe_device', deviceId);
			// It does not come back by itself when the server closed it on purpose.
			if (!news.active) news.connect();
			connection.up();
			if (before) listeners.reconnected();
			before = true;
		});
		monitoring.on('disconnect', (reason) => {
			if (channel !== fresh) return;
			connection.down();
			if (reason === 'io server disconnect') void knockAgain(fresh);
		});
		monitoring.on('connect_error', () => {
			if (channel !== fresh) return;
			connection.down();
			if (!monitoring.active) void knockAgain(fresh);
		});
		monitoring.on('telemetry', listeners.telemetry);
		monitoring.on('device_health', listeners.deviceHealth);
		monitoring.on('device_status', listeners.deviceStatus);
		news.on('connect', () => news.emit('join_user_room', { user_id: userId }));
		news.on('notification', listeners.notification);
	}

	async function connect(userId: string): Promise<void> {
		const { Manager } = await import('socket.io-client');
		if (session.phase.value !== 'in') return;
		const manager = new Manager(location.origin, { reconnectionDelay: 500, reconnectionDelayMax: 5_000 });
		const auth = (give: (proof: object) => void): void => give({ token: session.token() });
		channel = {
			monitoring: manager.socket('/monitoring', { auth }),
			news: manager.socket('/notification', { auth }),
		};
		wire(channel, userId);
		open.value = manager;
	}

	return {
		manager: open,
		async open(userId) {
			if (channel !== null || opening) return;
			opening = true;
			connection.connecting();
			try {
				await connect(userId);
			} finally {
				opening = false;
			}
		},
		close() {
			const last = channel;
			channel = null;
			open.value = null;
			last?.monitoring.disconnect();
			last?.news.disconnect();
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
