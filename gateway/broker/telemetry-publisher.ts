import type { DeviceListener } from '../../core/device/device-events.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import type { DeviceId } from '../../core/kernel/id.ts';
import type { Broker } from '../../core/mqtt/mqtt.ts';
import { EVENT_TYPES } from '../../core/telemetry/reading.ts';
import type { ReadingListener } from '../../core/telemetry/telemetry-service.ts';
import { deviceRoot, encodeTelemetry } from '../../core/telemetry/telemetry-topics.ts';

export interface TelemetryPublisherDeps {
	readonly broker: Pick<Broker, 'publish'>;
	readonly devices: Pick<DeviceService, 'find'>;
}

/**
 * Publishes what is polled on `devices/{uid}/telemetry`: QoS 0, one message for each reading, not retained. Devices that publish
 * by themselves have been heard already and are not repeated.
 */
export function createTelemetryPublisher({ broker, devices }: TelemetryPublisherDeps): {
	readonly reading: ReadingListener;
	readonly device: DeviceListener;
} {
	/** `null`: not polled. */
	const topics = new Map<DeviceId, string | null>();

	function topicOf(id: DeviceId): string | null {
		const known = topics.get(id);
		if (known !== undefined) return known;
		const device = devices.find(id);
		const topic = device?.connection?.driver === 'modbus' ? `${deviceRoot(device.uid)}/telemetry` : null;
		topics.set(id, topic);
		return topic;
	}

	return {
		reading(reading) {
			const topic = topicOf(reading.device);
			if (topic !== null && !EVENT_TYPES.has(reading.telemetryType)) broker.publish(topic, encodeTelemetry(reading));
		},
		device: { changed: ({ id }) => void topics.delete(id) },
	};
}
