import Joi from 'joi';
import type { Namespace, Socket } from 'socket.io';

import type { DeviceListener } from '../device/device-events.ts';
import { DEVICE_UID_PATTERN } from '../device/device-schema.ts';
import type { DeviceService } from '../device/device-service.ts';
import type { Device } from '../device/device.ts';
import { type Clock, type EpochMs, toIso } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { malformed, toRealtimeError } from '../realtime/realtime-error.ts';
import type { RealtimeServer } from '../realtime/realtime-server.ts';
import type { LatestValue, LatestValues } from './latest-values.ts';
import { type PointFactsOf, shownBy } from './point-facts.ts';
import { EVENT_TYPES, type JsonValue, type Quality } from './reading.ts';
import type { ReadingListener } from './telemetry-service.ts';
import { badQualities, latestView, metricsOf } from './telemetry-view.ts';

export interface TelemetryRealtimeDeps {
	readonly realtime: Pick<RealtimeServer, 'namespace' | 'actorOf' | 'cutSlow'>;
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

/** Runs a request of a client and acknowledges it; what it returns comes after the acknowledgement. */
function answer(payload: unknown, ack: unknown, work: (reference: string) => (() => void) | void): void {
	const acknowledge = (body: object): void => {
		if (typeof ack === 'function') Reflect.apply(ack, undefined, [body]);
	};
	const { value, error } = deviceRef.validate(payload);
	if (error !== undefined) return acknowledge(malformed(error.message));
	try {
		const after = work(value.device_uid);
		acknowledge({ success: true });
		after?.();
	} catch (thrown) {
		acknowledge(toRealtimeError(thrown));
	}
}

/** Namespace `/monitoring`: rooms of devices, with what is read from them at the moment it is read. */
export function createTelemetryRealtime({
	realtime,
	devices,
	latest,
	pointFactsOf,
	clock,
	subscriptionsPerClient = DEFAULT_SUBSCRIPTIONS,
}: TelemetryRealtimeDeps): { readonly reading: ReadingListener; readonly device: DeviceListener } {
	const namespace: Namespace = realtime.namespace('/monitoring');
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

	function subscribe(socket: Socket, reference: string): () => void {
		const device = devices.get(reference, realtime.actorOf(socket));
		// A connection is also in a room of its own.
		if (!socket.rooms.has(device.id) && socket.rooms.size > subscriptionsPerClient)
			throw new Fault('rule-violation', `a connection takes ${subscriptionsPerClient} subscriptions at most`);
		void socket.join(device.id);
		return () => {
			for (const event of snapshot(device)) socket.emit('telemetry', event);
		};
	}

	function unsubscribe(socket: Socket, reference: string): void {
		void socket.leave(devices.get(reference, realtime.actorOf(socket)).id);
	}

	namespace.on('connection', (socket) => {
		socket.on('subscribe_device', (payload: unknown, ack: unknown) =>
			answer(payload, ack, (reference) => subscribe(socket, reference)),
		);
		socket.on('unsubscribe_device', (payload: unknown, ack: unknown) =>
			answer(payload, ack, (reference) => unsubscribe(socket, reference)),
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
			changed: ({ id, deletedAt }) => {
				if (deletedAt !== null) namespace.in(id).socketsLeave(id);
			},
		},
	};
}
