import type { Device, DeviceHealth } from '../../core/device/device.ts';
import type { DeviceId } from '../../core/kernel/id.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { ReadingDraft } from '../../core/telemetry/reading.ts';
import type { LineCounters } from './line-meter.ts';

/** Where drivers put what they read. Neither may throw or wait. */
export interface DriverSink {
	reading(draft: ReadingDraft): void;
	health(device: DeviceId, health: DeviceHealth): void;
}

/** Counters of one line since the start, for the API and for `/metrics`. Times in ms. */
export interface LineStats extends Readonly<LineCounters> {
	/** e.g. `tcp 192.168.1.20:502` or `rtu /dev/ttyUSB0 9600 8N1`. */
	readonly line: string;
	readonly state: 'closed' | 'opening' | 'open' | 'failed';
	/** Why it is not open: a sentence that names the port and, when known, who holds it. */
	readonly reason: string | null;
	readonly skippedPeriods: number;
	/** Who has the line for himself, e.g. a scan; polls wait meanwhile. */
	readonly leasedTo: string | null;
	/** What the line cannot keep up with, as a sentence: `needs 1.6 s per 1 s ...`. */
	readonly overrun: string | null;
	/** Share of the last 10 s in which the line was in use, 0 to 1. */
	readonly utilisation: number;
	readonly latencyP50Ms: number | null;
	readonly latencyP99Ms: number | null;
}

/** How the reading of one device goes, beyond the counters of its unit. */
export interface DevicePollStats {
	readonly device: DeviceId;
	readonly unitId: number;
	/** Share of its periods that are skipped, while these are too many; `null` while the line keeps up. */
	readonly skippedShare: number | null;
	/** How long the next request would wait for its answer, ms. */
	readonly timeoutMs: number;
}

/** A field protocol of the gateway: it is handed all its devices and keeps reading them until it is stopped. */
export interface Driver extends Stoppable {
	/** Makes these the devices that are read: unchanged ones keep running undisturbed, others start, change or stop. */
	apply(devices: readonly Device[]): Promise<void>;
	lines(): readonly LineStats[];
}
