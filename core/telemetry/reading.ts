import type { EpochMs } from '../kernel/clock.ts';
import type { DeviceId, GatewayId } from '../kernel/id.ts';

/** How far a value can be trusted. The order is the wire code (index); add at the end only. */
export const QUALITIES = ['good', 'stale', 'out_of_range', 'substituted', 'comm_error'] as const;

export type Quality = (typeof QUALITIES)[number];

/** Structured values come only from MQTT and REST telemetry (reference 000 allows them). */
export type JsonValue = number | boolean | string | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** What a point may hold. 64-bit integers beyond 2^53 are `bigint`, so that they stay exact; `null` is "no value". */
export type SampleValue = JsonValue | bigint;

/**
 * Telemetry types that tell of events (MQTT topics `status`, `log`, `response`) and not of values: they are stored, but they are
 * nobody's latest value and no realtime telemetry.
 */
export const EVENT_TYPES: ReadonlySet<string> = new Set(['status', 'log', 'response']);

/** What a driver, a device message or an API call hands in: values of one device, taken at one instant. */
export interface ReadingDraft {
	readonly device: DeviceId;
	/** The instant the values were read or measured. Never re-stamped later. */
	readonly readAt: EpochMs;
	/** `telemetry_type` of reference 002; `default` unless the source names one. */
	readonly telemetryType: string;
	/** Point keys. Drivers share one array per request plan, so identity tells "same shape". */
	readonly points: readonly string[];
	/** One value for each point, in the same order. */
	readonly values: readonly SampleValue[];
	/** One quality for each point; `null` when all are good, which is nearly always. */
	readonly qualities: readonly Quality[] | null;
}

/**
 * A draft with its identity. Each of its samples is `(origin, epoch, firstSeq + index)`: unique in the fleet for ever, so that
 * a receiver can be handed the same range twice and count it once.
 */
export interface Reading extends ReadingDraft {
	/** The gateway that read it. */
	readonly origin: GatewayId;
	/** Number of the boot of that gateway's journal; a sequence number is never used twice within an epoch. */
	readonly epoch: number;
	/** Sequence number of the first sample. Starts at 1 in each epoch; without holes. */
	readonly firstSeq: number;
}

export const lastSeq = (reading: Reading): number => reading.firstSeq + reading.values.length - 1;
