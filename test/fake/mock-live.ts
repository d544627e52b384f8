import type { Socket, Server as SocketServer } from 'socket.io';

import { type FakeDevice, latestOf } from './mock-fleet.ts';
import type { MockScan } from './mock-scan.ts';

export interface MockLiveDeps {
	readonly sockets: SocketServer;
	readonly devices: () => readonly FakeDevice[];
	/** True while this access token is good. */
	readonly isGood: (token: unknown) => boolean;
	/** Life of an access token, and so of a connection that names no other, ms. */
	readonly tokenMs: number;
	readonly scan: MockScan;
	/** `told`: a step each second; `stepped`: only by `stepScan`; `muted`: nobody is told, each question is a step. */
	readonly scans: 'told' | 'stepped' | 'muted';
}

export interface MockLive {
	/** Connections of `/monitoring` since the start. */
	readonly connections: () => number;
	/** Whether somebody hears of the scan. */
	readonly tellsScans: () => boolean;
	/** The scan goes one step on, and whoever watches is told. */
	readonly stepScan: () => void;
	/** Tells everybody who has joined a room of their own. */
	readonly notify: (event: object) => void;
	readonly stop: () => void;
}

const PERIOD_MS = 1_000;
const SCAN_ROOM = 'scans';

function textOf(payload: unknown, name: string): string {
	if (typeof payload !== 'object' || payload === null) return '';
	const value: unknown = Reflect.get(payload, name);
	return typeof value === 'string' ? value : '';
}

/** Values once a second to the rooms of the devices, and connections that end with their token, as the product's do. */
export function startMockLive({ sockets, devices, isGood, tokenMs, scan, scans: pace }: MockLiveDeps): MockLive {
	const ends = new Map<Socket['conn'], ReturnType<typeof setTimeout>>();
	let connections = 0;
	const monitoring = sockets.of('/monitoring');
	const news = sockets.of('/notification');
	const scans = sockets.of('/scan');

	function armEnd({ conn }: Socket): void {
		clearTimeout(ends.get(conn));
		ends.set(
			conn,
			setTimeout(() => {
				ends.delete(conn);
				for (const namespace of [monitoring, news, scans])
					for (const socket of namespace.sockets.values()) if (socket.conn === conn) socket.disconnect(true);
			}, tokenMs),
		);
	}

	for (const namespace of [monitoring, news, scans])
		namespace.use((socket, next) => {
			next(isGood(socket.handshake.auth['token']) ? undefined : new Error('NOT_AUTHENTICATED'));
		});
	monitoring.on('connection', (socket) => {
		connections += 1;
		armEnd(socket);
		socket.on('authenticate', (payload: unknown) => {
			if (isGood(textOf(payload, 'token'))) armEnd(socket);
		});
		socket.on('subscribe_device', (payload: unknown) => void socket.join(textOf(payload, 'device_uid')));
		socket.once('disconnect', () => clearTimeout(ends.get(socket.conn)));
	});
	news.on('connection', (socket) => {
		socket.on('join_user_room', (payload: unknown) => void socket.join(textOf(payload, 'user_id')));
	});

	scans.on('connection', (socket) => {
		socket.on('watch_scans', (_: unknown, acknowledge: (answer: object) => void) => {
			if (pace !== 'muted') void socket.join(SCAN_ROOM);
			acknowledge({ success: pace !== 'muted' });
		});
	});
	const tellsScans = (): boolean => scans.adapter.rooms.has(SCAN_ROOM);
	function stepScan(): void {
		if (!tellsScans() || !scan.isRunning()) return;
		scan.look();
		scans.to(SCAN_ROOM).emit('scan_progress', scan.summary());
	}

	const timer = setInterval(() => {
		if (pace === 'told') stepScan();
		for (const device of devices()) {
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

	return {
		connections: () => connections,
		tellsScans,
		stepScan,
		notify(event) {
			for (const socket of news.sockets.values()) if (socket.rooms.size > 1) socket.emit('notification', event);
		},
		stop() {
			clearInterval(timer);
			for (const end of ends.values()) clearTimeout(end);
		},
	};
}
