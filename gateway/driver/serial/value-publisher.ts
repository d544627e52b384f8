import type { Clock } from '../../../core/kernel/clock.ts';
import type { DeviceId } from '../../../core/kernel/id.ts';
import type { DriverSink } from '../driver.ts';
import { lostReading } from '../lost-reading.ts';
import type { DecodedFrame } from './frame-decoder.ts';

/** A device that sends each second is a little early now and then: that must not cost every other reading. */
const EARLY_SHARE = 0.9;

export interface ValuePublisher {
	/** Hands on a frame, unless one of its sort was handed on less than a period ago. */
	publish(frame: DecodedFrame): void;
	/** There are no values now; said once. */
	publishLost(): void;
}

export interface ValuePublisherDeps {
	readonly device: DeviceId;
	/** Keys by record. */
	readonly records: ReadonlyMap<string, readonly string[]>;
	/** Shortest time between two readings of one sort, ms; 0: all are kept. */
	readonly periodMs: number;
	readonly sink: Pick<DriverSink, 'reading'>;
	readonly clock: Clock;
}

export function createValuePublisher({ device, records, periodMs, sink, clock }: ValuePublisherDeps): ValuePublisher {
	const keptMs = new Map<string, number>();
	let isLost = false;
	return {
		publish({ record, keys, values, qualities }) {
			const nowMs = clock.monotonicMs();
			const last = isLost ? undefined : keptMs.get(record);
			isLost = false;
			if (last !== undefined && nowMs - last < EARLY_SHARE * periodMs) return;
			keptMs.set(record, nowMs);
			sink.reading({ device, readAt: clock.now(), telemetryType: 'default', points: keys, values, qualities });
		},
		publishLost() {
			if (isLost) return;
			isLost = true;
			keptMs.clear();
			for (const keys of records.values()) sink.reading(lostReading(device, keys, clock.now()));
		},
	};
}
