import type { Device } from '../../core/device/device.ts';
import type { DeviceId, GatewayId } from '../../core/kernel/id.ts';
import { Fault, messageOf } from '../../core/kernel/fault.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { MAX_DEVICES } from '../../core/device/device-service.ts';
import type { Range } from '../../core/ledger/range-set.ts';
import type { StreamRange } from '../../core/ledger/stream-range.ts';
import { lastSeq, type Reading } from '../../core/telemetry/reading.ts';
import type { TelemetryService } from '../../core/telemetry/telemetry-service.ts';
import type { Ledger } from '../../core/ledger/ledger.ts';

export type Lane = 'live' | 'backfill';

export interface HubIngestDeps {
	readonly telemetry: Pick<TelemetryService, 'acceptStamped'>;
	readonly ledger: Ledger;
	/** The device as the hub knows it; `null` when its document has not arrived. */
	readonly deviceOf: (id: DeviceId) => Pick<Device, 'gatewayId'> | null;
	readonly decode: (block: Uint8Array) => readonly Reading[];
	/** Told of ranges that are on disk; collects and sends the acknowledgement. */
	readonly acknowledge: (range: StreamRange) => void;
	readonly log: Logger;
	/** Devices of one gateway that may be ahead of their documents. */
	readonly maxUnknown?: number;
}

/** What one block did; for counters. */
export interface IngestResult {
	readonly stored: number;
	readonly duplicates: number;
	readonly refused: number;
}

const rangeOf = (reading: Reading): StreamRange => ({
	origin: reading.origin,
	epoch: reading.epoch,
	first: reading.firstSeq,
	last: lastSeq(reading),
});

const samplesOf = (readings: readonly Reading[]): number =>
	readings.reduce((sum, { values }) => sum + values.length, 0);

/** The part of a reading that covers a range of its sequence numbers. */
function part(reading: Reading, { first, last }: Range): Reading {
	if (first === reading.firstSeq && last === lastSeq(reading)) return reading;
	const from = first - reading.firstSeq;
	const to = last - reading.firstSeq + 1;
	return {
		...reading,
		firstSeq: first,
		points: reading.points.slice(from, to),
		values: reading.values.slice(from, to),
		qualities: reading.qualities?.slice(from, to) ?? null,
	};
}

/**
 * HOT: a gateway's block becomes stored samples, each once. Steps: decode → check who speaks for whom → leave out what is here →
 * store (the ledger hears of each commit) → acknowledge. Nothing is acknowledged before it is on disk.
 */
export function createHubIngest(deps: HubIngestDeps) {
	const { telemetry, ledger, deviceOf, decode, acknowledge, log, maxUnknown = MAX_DEVICES } = deps;
	/** Devices whose documents have not come yet. Each takes memory, so a gateway must not make them up without end. */
	const unknown = new Map<GatewayId, Set<DeviceId>>();

	/** Whether readings of a device that nobody knows are taken. */
	function mayBeOwn(gateway: GatewayId, device: DeviceId): boolean {
		let theirs = unknown.get(gateway);
		if (theirs === undefined) unknown.set(gateway, (theirs = new Set()));
		if (theirs.has(device)) return true;
		if (theirs.size >= maxUnknown) for (const known of theirs) if (deviceOf(known) !== null) theirs.delete(known);
		if (theirs.size >= maxUnknown) return false;
		theirs.add(device);
		return true;
	}

	/** A gateway speaks for itself and for its own devices; a device whose document is still on its way counts as its own. */
	function mayReport(gateway: GatewayId, reading: Reading): boolean {
		if (reading.origin !== gateway) return false;
		const device = deviceOf(reading.device);
		return device === null ? mayBeOwn(gateway, reading.device) : device.gatewayId === gateway;
	}

	/** One line for a block: it may hold hundreds of thousands. */
	function refuse(gateway: GatewayId, readings: readonly Reading[]): void {
		const [first] = readings;
		if (first === undefined) return;
		const { origin, device } = first;
		log.warn('reading-refused', {
			gateway,
			origin,
			device,
			readings: readings.length,
			reason: 'not a device of this gateway',
		});
		for (const reading of readings) {
			if (reading.origin !== gateway) continue;
			// Settled all the same: sending it again would change nothing.
			ledger.declare({ ...rangeOf(reading), reason: 'refused' });
			acknowledge(rangeOf(reading));
		}
	}

	function freshParts(reading: Reading): readonly Reading[] {
		const range = rangeOf(reading);
		const fresh = ledger.admit(range);
		if (fresh.length === 0 && ledger.settled(range)) acknowledge(range);
		return fresh.map((piece) => part(reading, piece));
	}

	async function store(readings: readonly Reading[], lane: Lane): Promise<void> {
		try {
			await telemetry.acceptStamped(readings, lane, lane === 'live' ? 'group' : 'prompt');
		} catch (error) {
			for (const reading of readings) ledger.withdraw(rangeOf(reading));
			throw error;
		}
		for (const reading of readings) acknowledge(rangeOf(reading));
	}

	/** Resolves when everything new in the block is on disk. @throws Fault when the block is malformed or cannot be stored. */
	async function ingest(gateway: GatewayId, lane: Lane, block: Uint8Array): Promise<IngestResult> {
		const readings = decode(block);
		const own: Reading[] = [];
		const foreign: Reading[] = [];
		for (const reading of readings) {
			if (reading.values.length === 0) continue;
			(mayReport(gateway, reading) ? own : foreign).push(reading);
		}
		refuse(gateway, foreign);
		const fresh = own.flatMap(freshParts);
		const stored = samplesOf(fresh);
		if (fresh.length > 0) await store(fresh, lane);
		return { stored, duplicates: samplesOf(own) - stored, refused: samplesOf(foreign) };
	}

	/** For the link: a failed block is logged and stays unacknowledged, so the gateway sends it again. */
	async function receive(gateway: GatewayId, lane: Lane, block: Uint8Array): Promise<IngestResult | null> {
		try {
			return await ingest(gateway, lane, block);
		} catch (error) {
			log.warn('block-not-stored', {
				gateway,
				lane,
				bytes: block.byteLength,
				cause: error instanceof Fault ? error.reason : 'defect',
				reason: messageOf(error),
			});
			return null;
		}
	}

	return { ingest, receive };
}

export type HubIngest = ReturnType<typeof createHubIngest>;
