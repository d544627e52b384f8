import type { Clock } from '../../../core/kernel/clock.ts';
import type { DeviceId } from '../../../core/kernel/id.ts';
import type { DriverSink } from '../driver.ts';
import { lostReading } from '../lost-reading.ts';
import type { DecodedRead } from './codec/register-decoder.ts';
import type { ReadRequest } from './plan/request-plan.ts';
import type { ReadSlot } from './plan/read-book.ts';
import type { ModbusAnswer } from './wire/modbus-line.ts';

/** Hands on what one device answered, and says once when values are not to be had any more. */
export interface PointPublisher {
	publish(slot: ReadSlot, answer: ModbusAnswer): void;
	/** The points of this request have no value now; said again only after they had one. */
	publishLost(slot: ReadSlot): void;
}

export interface PointPublisherDeps {
	readonly device: DeviceId;
	readonly read: (request: ReadRequest, data: Buffer) => DecodedRead;
	readonly sink: Pick<DriverSink, 'reading'>;
	readonly clock: Clock;
	/** Nothing is handed on any more. */
	readonly hasEnded: () => boolean;
}

export function createPointPublisher({ device, read, sink, clock, hasEnded }: PointPublisherDeps): PointPublisher {
	/** Keys whose last published value is "no value, communication error". */
	const lost = new Set<string>();
	return {
		publish({ request }, answer) {
			const { keys } = request;
			const { values, qualities } = read(request, answer.data);
			if (lost.size > 0) for (const key of keys) lost.delete(key);
			sink.reading({ device, readAt: answer.readAt, telemetryType: 'default', points: keys, values, qualities });
		},
		publishLost({ request: { keys } }) {
			if (hasEnded() || keys.every((key) => lost.has(key))) return;
			for (const key of keys) lost.add(key);
			sink.reading(lostReading(device, keys, clock.now()));
		},
	};
}
