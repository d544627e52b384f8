import type { Device, DeviceHealth } from '../../core/device/device.ts';
import type { Journal } from '../../core/journal/journal.ts';
import type { Clock, EpochMs } from '../../core/kernel/clock.ts';
import type { DeviceId } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { LossReason, StreamRange } from '../../core/ledger/stream-range.ts';
import type { UplinkFeature } from '../../core/link/link-feature.ts';
import type { BootEnd } from '../../core/link/link-messages.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import type { SettleTime } from '../../core/time/settle.ts';
import type { LinkState, createLinkConnection } from './link-connection.ts';
import type { EpochRange } from './not-journalled.ts';
import type { SealedReadings } from './sealed-again.ts';
import type { UplinkStore } from './uplink-store.ts';

/** What the way up to the hub is made of. */
export interface UplinkDeps {
	readonly store: UplinkStore;
	readonly journal: Journal;
	/** @param deflateLevel 1 (fastest) to 9 (smallest) */
	readonly encode: (readings: readonly Reading[], deflateLevel: number) => Uint8Array;
	/** The last sequence number handed out in this epoch. */
	readonly lastSeq: () => number;
	readonly devices: () => readonly Device[];
	readonly healthOf: (device: DeviceId) => DeviceHealth | null;
	/** Where the link is reached instead of where the hub says; empty and 0: as the hub says. Asked for with each connection. */
	readonly reachedAt: () => { readonly link_host: string; readonly link_port: number };
	/** What people call this gateway; asked for with each connection. */
	readonly name: () => string;
	readonly version: string;
	readonly backfillBytesPerSecond: number;
	/** Readings under the time that is known now; those of an unknown time stay here. */
	readonly settle: SettleTime;
	/** Finds what the hub asks for and the journal has no more. */
	readonly findSealed: SealedReadings;
	/** What was ever on disk here, from a boot on: the numbers of each boot up to its highest, oldest boot first. */
	readonly known: (fromEpoch: number) => readonly EpochRange[];
	/** When a range was read at the earliest; `null` where nobody can know. */
	readonly readAt: (range: EpochRange) => EpochMs | null;
	/** Told of samples that will never reach the hub. */
	readonly declared: (range: StreamRange, reason: LossReason) => void;
	/** How far boots came, from one on and before another. */
	readonly bootsOf: (from: number, before: number) => readonly BootEnd[];
	/** Makes the connection; by default over MQTT and TLS. */
	readonly makeLink?: typeof createLinkConnection;
	/** From 0 to 1, for the jitter of the start. */
	readonly random?: () => number;
	/** What else talks to the hub; alarms first. */
	readonly features: readonly UplinkFeature[];
	readonly clock: Clock;
	readonly log: Logger;
}

/** How the way up stands. */
export interface UplinkStatus {
	readonly enrolled: boolean;
	readonly hubUrl: string | null;
	readonly state: LinkState['state'] | 'not-enrolled';
	readonly since: EpochMs | null;
	readonly lastError: string | null;
	readonly backlogSamples: number;
	readonly oldestOwedAt: EpochMs | null;
	readonly acknowledgedThroughAt: EpochMs | null;
	/** Samples that will never reach the hub: by quota, full disk or damage. */
	readonly lostSamples: number;
}
