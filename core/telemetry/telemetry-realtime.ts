import Joi from 'joi';
import type { Namespace, Socket } from 'socket.io';

import type { DeviceListener } from '../device/device-events.ts';
import { DEVICE_UID_PATTERN } from '../device/device-schema.ts';
import type { DeviceService } from '../device/device-service.ts';
import type { Device } from '../device/device.ts';
import { type Clock, type EpochMs, epochMs, toIso } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { malformed, toRealtimeError } from '../realtime/realtime-error.ts';
import type { RealtimeServer } from '../realtime/realtime-server.ts';
import type { LatestValues } from './latest-values.ts';
import { EVENT_TYPES, type JsonValue, type Quality } from './reading.ts';
import type { ReadingListener } from './telemetry-service.ts';
import { badQualities, latestView, metricsOf, staleAfterMs } from './telemetry-view.ts';

export interface TelemetryRealtimeDeps {
	readonly realtime: Pick<RealtimeServer, 'namespace' | 'actorOf' | 'cutSlow'>;
	readonly devices: Pick<DeviceService, 'find' | 'get'>;
	readonly latest: Pick<LatestValues, 'of'>;
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
	clock,
	subscriptionsPerClient = DEFAULT_SUBSCRIPTIONS,
}: TelemetryRealtimeDeps): { readonly reading: ReadingListener; readonly device: DeviceListener } {
	const namespace: Namespace = realtime.namespace('/monitoring');
	const { rooms } = namespace.adapter;

	/** The newest value of every point, in one event; its time is that of the newest. */
	function snapshot(device: Device): TelemetryEvent | null {
		const values = latest.of(device.id);
		if (values === null || values.size === 0) return null;
		const staleMs = staleAfterMs(device);
		const now = clock.now();
		let newest: EpochMs = epochMs(0);
		const data: [string, JsonValue][] = [];
		const bad: [string, Quality][] = [];
		for (const [point, value] of values) {
			const view = latestView(value, null, staleMs, now);
			data.push([point, view.value]);
			if (view.quality !== 'good') bad.push([point, view.quality]);
			if (value.readAt > newest) newest = value.readAt;
		}
		return {
			device_uid: device.uid,
			device_id: device.id,
			data: { ...Object.fromEntries(data), timestamp: toIso(newest) },
			...(bad.length === 0 ? {} : { quality: Object.fromEntries(bad) }),
		};
	}

	function subscribe(socket: Socket, reference: string): () => void {
		const device = devices.get(reference, realtime.actorOf(socket));
		// A connection is also in a room of its own.
		if (!socket.rooms.has(device.id) && socket.rooms.size > subscriptionsPerClient)
			throw new Fault('rule-violation', `a connection takes ${subscriptionsPerClient} subscriptions at most`);
		void socket.join(device.id);
		return () => {
			const event = snapshot(device);
			if (event !== null) socket.emit('telemetry', event);
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
			const quality = badQualities(reading);
			const body: TelemetryEvent = {
				device_uid: device.uid,
				device_id: reading.device,
				data: { ...metricsOf(reading), timestamp: toIso(reading.readAt) },
				...(quality === null ? {} : { quality }),
			};
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
