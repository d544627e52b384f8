import type { DeviceListener } from '../../core/device/device-events.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import type { Device } from '../../core/device/device.ts';
import type { Clock, EpochMs } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import type { DeviceId } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { MqttMessage, PublishVerdict } from '../../core/mqtt/mqtt.ts';
import { OLDEST_READING_MS } from '../../core/time/possible-time.ts';
import type { TelemetryService } from '../../core/telemetry/telemetry-service.ts';
import {
	type DeviceTopic,
	deviceTopicOf,
	parseLog,
	parseResponse,
	parseStatus,
	parseTelemetry,
	type ResponseMessage,
} from '../../core/telemetry/telemetry-topics.ts';
import { isPlausibleInstant } from '../../core/telemetry/timestamp-input.ts';
import type { Metrics } from '../../core/telemetry/telemetry-schema.ts';
import type { LocalAccount } from './mqtt-account.ts';
import { createPointsMemory } from './points-memory.ts';
import { createRepeatMemory } from './repeat-memory.ts';

export interface DeviceTopicsDeps {
	readonly devices: Pick<DeviceService, 'has' | 'find' | 'markSeen' | 'setStatus' | 'patch'>;
	readonly telemetry: Pick<TelemetryService, 'accept'>;
	readonly clock: Clock;
	readonly log: Logger;
	/** A device has answered a command; told after the answer is durable. */
	readonly onResponse: (device: Device, response: ResponseMessage) => void;
}

/** Messages since the start. */
export interface DeviceTopicsStats {
	readonly accepted: number;
	readonly refused: number;
	/** Sent again after a lost acknowledgement, and not counted twice. */
	readonly repeated: number;
}

/** A device that only sends rubbish is logged this often. */
const LOG_EVERY_MS = 10_000;

/** What devices say on their four topics; each is durable before it is acknowledged. */
export function createDeviceTopics({ devices, telemetry, clock, log, onResponse }: DeviceTopicsDeps) {
	const count = { accepted: 0, refused: 0, repeated: 0 };
	const repeats = createRepeatMemory();
	const points = createPointsMemory();
	const loggedAtMs = new Map<string, number>();
	/** Devices that have put themselves into maintenance, since the start: only they end it. What people have set, people end. */
	const inOwnMaintenance = new Set<DeviceId>();

	function instantOf(at: EpochMs | null): EpochMs {
		const now = clock.now();
		if (at !== null && !isPlausibleInstant(at, now))
			throw new Fault('rule-violation', 'timestamp is more than a day ahead, or before 1970');
		// The clock of a device that was never set says nothing.
		return at === null || at < OLDEST_READING_MS ? now : at;
	}

	function store(device: DeviceId, telemetryType: string, at: EpochMs | null, fields: Metrics): Promise<unknown> {
		const names = points.shared(device, Object.keys(fields));
		const draft = {
			device,
			readAt: instantOf(at),
			telemetryType,
			points: names,
			values: names.map((name) => fields[name] ?? null),
			qualities: null,
		};
		return telemetry.accept(draft, 'prompt');
	}

	const handlers: Readonly<Record<DeviceTopic, (device: DeviceId, payload: Buffer) => Promise<unknown>>> = {
		telemetry(device, payload) {
			const { at, telemetryType, fields } = parseTelemetry(payload);
			return store(device, telemetryType, at, fields);
		},
		async status(device, payload) {
			const { status } = parseStatus(payload);
			// First what may be done again: when storing fails, the device sends the message once more.
			if (status === 'maintenance' || inOwnMaintenance.has(device)) await devices.patch(device, { status });
			await store(device, 'status', null, { status });
			if (status === 'maintenance') inOwnMaintenance.add(device);
			else devices.setStatus(device, status);
		},
		log(device, payload) {
			const { at, fields } = parseLog(payload);
			return store(device, 'log', at, fields);
		},
		async response(device, payload) {
			const response = parseResponse(payload);
			await store(device, 'response', response.at, response.fields);
			const known = devices.find(device);
			if (known !== null) onResponse(known, response);
		},
	};

	function refuse(uid: string, topic: string, rule: string): PublishVerdict {
		count.refused += 1;
		const now = clock.monotonicMs();
		if (now - (loggedAtMs.get(uid) ?? Number.NEGATIVE_INFINITY) >= LOG_EVERY_MS) {
			loggedAtMs.set(uid, now);
			log.warn('mqtt-message-refused', { device: uid, topic, rule, refused: count.refused });
		}
		return 'discard';
	}

	/**
	 * Takes a message in; resolves when it is durable. One that breaks a rule is refused: acknowledged (else it would be sent for
	 * ever), logged with its rule, counted and dropped. Rejects when it cannot be stored. HOT: nothing but this waits for the handler's promise.
	 */
	async function receive(account: LocalAccount, message: MqttMessage): Promise<PublishVerdict> {
		if (account.kind !== 'device') throw new Fault('forbidden', 'a reader publishes nothing');
		const { uid, device } = account;
		const kind = deviceTopicOf(uid, message.topic);
		if (kind === null || !devices.has(device)) throw new Fault('forbidden', `${message.topic} belongs to no device`);
		// An empty retained message only clears what was retained (3.1.1 section 3.3.1.3).
		if (message.retain && message.payload.length === 0) return 'deliver';
		const first = repeats.first(uid, message);
		try {
			if (first !== null) {
				await first;
				count.repeated += 1;
				return 'discard';
			}
			const taking = handlers[kind](device, message.payload);
			repeats.note(uid, message, taking);
			await taking;
			count.accepted += 1;
			devices.markSeen(device, clock.now());
			return 'deliver';
		} catch (error) {
			if (first === null) repeats.forget(uid, message);
			if (!(error instanceof Fault) || error.reason !== 'rule-violation') throw error;
			return refuse(uid, message.topic, error.message);
		}
	}

	return {
		receive,
		stats: (): DeviceTopicsStats => ({ ...count }),
		/** To be added to the listeners of the device service. */
		device: {
			status: ({ id, status }) => status !== 'maintenance' && inOwnMaintenance.delete(id),
			changed: ({ id, deletedAt }) => deletedAt !== null && inOwnMaintenance.delete(id),
		} satisfies DeviceListener,
	};
}

export type DeviceTopics = ReturnType<typeof createDeviceTopics>;
