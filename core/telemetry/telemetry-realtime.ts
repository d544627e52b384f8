import Joi from 'joi';
import type { Namespace, Socket } from 'socket.io';

import { maySee } from '../device/device-access.ts';
import type { DeviceListener } from '../device/device-events.ts';
import { DEVICE_UID_PATTERN } from '../device/device-schema.ts';
import type { DeviceService } from '../device/device-service.ts';
import type { Actor } from '../identity/role.ts';
import type { Device } from '../device/device.ts';
import { type Clock, type EpochMs, toIso } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { RealtimeServer } from '../realtime/realtime-server.ts';
import type { LatestValue, LatestValues } from './latest-values.ts';
import { type PointFactsOf, shownBy } from './point-facts.ts';
import { EVENT_TYPES, type JsonValue, type Quality } from './reading.ts';
import type { ReadingListener } from './telemetry-service.ts';
import { badQualities, latestView, metricsOf } from './telemetry-view.ts';

export interface TelemetryRealtimeDeps {
	readonly realtime: Pick<RealtimeServer, 'namespace' | 'on' | 'actorOf' | 'isBehind' | 'cutSlow'>;
	readonly devices: Pick<DeviceService, 'find' | 'get'>;
	readonly latest: Pick<LatestValues, 'of'>;
	readonly pointFactsOf: PointFactsOf;
	readonly clock: Clock;
	/** Devices one connection may be subscribed to. */
	readonly subscriptionsPerClient?: number;
}

/** Event `telemetry` of `/monitoring`. `quality` names only the points that are not good. */
export interface TelemetryEvent {
	readonly device_uid: string;
	readonly device_id: string;
	readonly data: Readonly<Record<string, JsonValue>>;
	readonly quality?: Readonly<Record<string, Quality>>;
}

const DEFAULT_SUBSCRIPTIONS = 1_000;
/** Most events of one snapshot: a subscriber must not look slow because of what was sent to it at once. */
const SNAPSHOT_EVENTS = 200;

interface ReadTogether {
	readonly readAt: EpochMs;
	readonly metrics: Readonly<Record<string, JsonValue>>;
	/** Of those that are not good; `null` when all are. */
	readonly quality: Readonly<Record<string, Quality>> | null;
}

const telemetryEvent = ({ id, uid }: Device, { readAt, metrics, quality }: ReadTogether): TelemetryEvent => ({
	device_uid: uid,
	device_id: id,
	data: { ...metrics, timestamp: toIso(readAt) },
	...(quality === null ? {} : { quality }),
});

const deviceRef = Joi.object<{ device_uid: string }>({
	device_uid: Joi.string().pattern(DEVICE_UID_PATTERN).required(),
}).options({ stripUnknown: true });

/** Namespace `/monitoring`: rooms of devices, with what is read from them at the moment it is read. */
export function createTelemetryRealtime({
	realtime,
	devices,
	latest,
	pointFactsOf,
	clock,
	subscriptionsPerClient = DEFAULT_SUBSCRIPTIONS,
}: TelemetryRealtimeDeps): { readonly reading: ReadingListener; readonly device: DeviceListener } {
	const namespace: Namespace = realtime.namespace('/monitoring', leaveUnseen);
	const { rooms } = namespace.adapter;

	/**
	 * The newest value of every point: one event per instant at which values were read, oldest first. A device whose points have more
	 * instants than `SNAPSHOT_EVENTS` gets those of the newest; REST has all.
	 */
	function snapshot(device: Device): readonly TelemetryEvent[] {
		const values = latest.of(device.id) ?? new Map<string, LatestValue>();
		const byInstant = new Map<EpochMs, [string, LatestValue][]>();
		for (const entry of values) {
			const { readAt } = entry[1];
			const sameInstant = byInstant.get(readAt);
			if (sameInstant === undefined) byInstant.set(readAt, [entry]);
			else sameInstant.push(entry);
		}
		const shownOf = shownBy(device, pointFactsOf);
		const now = clock.now();
		return [...byInstant]
			.toSorted(([one], [other]) => one - other)
			.slice(-SNAPSHOT_EVENTS)
			.map(([readAt, entries]) => {
				const views = entries.map(([point, value]) => [point, latestView(value, shownOf(point), now)] as const);
				const bad = views.filter(([, { quality }]) => quality !== 'good');
				return telemetryEvent(device, {
					readAt,
					metrics: Object.fromEntries(views.map(([point, { value }]) => [point, value])),
					quality: bad.length === 0 ? null : Object.fromEntries(bad.map(([point, { quality }]) => [point, quality])),
				});
			});
	}

	/** What sends a client the latest values of a device; made at its first subscription. */
	const senders = new WeakMap<Socket, (device: string) => void>();

	/** Sends latest values while the client keeps up. At most its subscriptions wait, however often it asks. */
	function createSender(socket: Socket): (device: string) => void {
		const owed = new Set<string>();
		let isSending = false;
		function send(): void {
			// Handing packets over says `drain` by itself.
			if (isSending) return;
			isSending = true;
			for (const id of owed) {
				if (realtime.isBehind(socket)) break;
				owed.delete(id);
				const device = socket.rooms.has(id) ? devices.find(id) : null;
				if (device !== null) for (const event of snapshot(device)) socket.emit('telemetry', event);
			}
			isSending = false;
		}
		socket.conn.on('drain', send);
		socket.once('disconnect', () => socket.conn.off('drain', send));
		return (device) => {
			owed.add(device);
			send();
		};
	}

	function senderOf(socket: Socket): (device: string) => void {
		const known = senders.get(socket);
		if (known !== undefined) return known;
		const sender = createSender(socket);
		senders.set(socket, sender);
		return sender;
	}

	function subscribe(socket: Socket, reference: string, actor: Actor): () => void {
		const device = devices.get(reference, actor);
		// A connection is also in a room of its own.
		if (!socket.rooms.has(device.id) && socket.rooms.size > subscriptionsPerClient)
			throw new Fault('rule-violation', `a connection takes ${subscriptionsPerClient} subscriptions at most`);
		void socket.join(device.id);
		return () => senderOf(socket)(device.id);
	}

	function unsubscribe(socket: Socket, reference: string, actor: Actor): void {
		void socket.leave(devices.get(reference, actor).id);
	}

	/** Leaves the rooms of devices that the person behind the connection may not see any more. */
	function leaveUnseen(socket: Socket): void {
		const actor = realtime.actorOf(socket);
		for (const room of socket.rooms) {
			if (room === socket.id) continue;
			const device = devices.find(room);
			if (device === null || !maySee(actor, device)) void socket.leave(room);
		}
	}

	/** The device has another owner or tenant: whoever may not see it any more hears nothing of it from now on. */
	function sendAwayStrangers(device: Device): void {
		for (const id of rooms.get(device.id) ?? []) {
			const socket = namespace.sockets.get(id);
			if (socket === undefined) continue;
			try {
				if (!maySee(realtime.actorOf(socket), device)) void socket.leave(device.id);
			} catch {
				// Its token has ended, and with it the connection in a moment.
				void socket.leave(device.id);
			}
		}
	}

	namespace.on('connection', (socket) => {
		realtime.on(socket, 'subscribe_device', deviceRef, ({ device_uid: reference }, actor) => ({
			after: subscribe(socket, reference, actor),
		}));
		realtime.on(socket, 'unsubscribe_device', deviceRef, ({ device_uid: reference }, actor) =>
			unsubscribe(socket, reference, actor),
		);
	});

	function tell(event: string, room: string, body: object): void {
		if (!rooms.has(room)) return;
		namespace.to(room).emit(event, body);
		realtime.cutSlow(namespace, room);
	}

	return {
		reading(reading) {
			if (!rooms.has(reading.device) || EVENT_TYPES.has(reading.telemetryType)) return;
			const device = devices.find(reading.device);
			if (device === null) return;
			const { readAt } = reading;
			const body = telemetryEvent(device, { readAt, metrics: metricsOf(reading), quality: badQualities(reading) });
			tell('telemetry', reading.device, body);
		},
		device: {
			status: ({ id, uid, status }) => tell('device_status', id, { device_uid: uid, device_id: id, status }),
			health: ({ id, uid }, { state, since, reason }) =>
				tell('device_health', id, { device_uid: uid, device_id: id, state, since: toIso(since), reason }),
			changed(device) {
				if (device.deletedAt !== null) namespace.in(device.id).socketsLeave(device.id);
				else if (rooms.has(device.id)) sendAwayStrangers(device);
			},
		},
	};
}
