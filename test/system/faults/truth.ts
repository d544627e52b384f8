import { misattribution } from '../kit/read-counter.ts';
import { member } from '../kit/rest.ts';
import type { TelemetryRecord } from '../kit/telemetry.ts';
import type { CountedSlave } from './counted-slave.ts';
import type { MqttSender } from './mqtt-sender.ts';

/** A span of time by the clock of this process, ms since 1970. */
export interface Span {
	readonly fromMs: number;
	readonly toMs: number;
}

/** A time in which a clock of the product stood that far from this process's. */
export interface ClockSpan extends Span {
	readonly offsetMs: number;
}

/** One numbered value as it really was: read or published not before `fromMs`, and not after `toMs`. */
export interface Occurrence extends Span {
	readonly n: number;
	/** It was promised to be kept. What was read and not promised may be lost in a time that a fault explains. */
	readonly isAcknowledged: boolean;
}

/** What a device has really said. */
export interface DeviceTruth {
	readonly uid: string;
	/** What was given and not acknowledged has to be kept all the same, where no fault explains its loss. */
	readonly keepsAll: boolean;
	occurrences(): readonly Occurrence[];
	/** The number in a record of this device; null: it has no value, as when a read failed. */
	numberOf(record: TelemetryRecord): number | null;
	/** What is wrong with the content of a record; null: nothing. */
	mistake(record: TelemetryRecord): string | null;
}

const numberIn = (record: TelemetryRecord, name: string): number | null => {
	const value = member(record.payload, name);
	return typeof value === 'number' ? value : null;
};

export const slaveTruth = (uid: string, slave: CountedSlave): DeviceTruth => ({
	uid,
	keepsAll: true,
	occurrences: () =>
		slave.answers().map((fromMs, index, all) => ({
			n: index + 1,
			fromMs,
			// The gateway asks again after it has taken the answer.
			toMs: all[index + 1] ?? Number.POSITIVE_INFINITY,
			isAcknowledged: false,
		})),
	numberOf: (record) => numberIn(record, 'reads'),
	mistake: (record) => misattribution(record, slave.unitId),
});

export const senderTruth = (sender: MqttSender): DeviceTruth => ({
	uid: sender.uid,
	keepsAll: false,
	occurrences: () =>
		sender.messages().map(({ sentMs, ackedMs }, n) => ({
			n,
			fromMs: sentMs,
			toMs: ackedMs ?? Number.POSITIVE_INFINITY,
			isAcknowledged: ackedMs !== null,
		})),
	numberOf: (record) => numberIn(record, 'n'),
	mistake(record) {
		const n = numberIn(record, 'n');
		if (n === null) return null;
		const unit = member(record.payload, 'unit');
		return unit === sender.uid ? null : `${record.id} has a value of ${String(unit)}`;
	},
});
