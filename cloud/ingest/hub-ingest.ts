import type { Device } from '../../core/device/device.ts';
import type { Clock, EpochMs } from '../../core/kernel/clock.ts';
import type { DeviceId, GatewayId } from '../../core/kernel/id.ts';
import { Fault, messageOf } from '../../core/kernel/fault.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { MAX_DEVICES } from '../../core/device/device-service.ts';
import type { Range } from '../../core/ledger/range-set.ts';
import type { RefusalReason, StreamRange } from '../../core/ledger/stream-range.ts';
import type { ResendReason } from '../../core/link/lane-messages.ts';
import { type LinkBlock, openLinkBlock } from '../../core/link/link-block.ts';
import { lastSeq, type Reading } from '../../core/telemetry/reading.ts';
import type { TimeVerdict } from '../../core/time/possible-time.ts';
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
	/** Whether the gateway can have read something in this boot. */
	readonly isPossibleBoot: (gateway: GatewayId, epoch: number) => boolean;
	/** What can be said of the instant of a reading. */
	readonly verdictOn: (readAt: EpochMs, now: EpochMs) => TimeVerdict;
	/** Asks a gateway for a block of history again that arrived damaged, or could not be stored. */
	readonly askAgain: (gateway: GatewayId, range: Omit<StreamRange, 'origin'>, reason: ResendReason) => void;
	readonly clock: Pick<Clock, 'now'>;
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

/** Blocks since the start. */
export interface IngestCounts {
	readonly blocks: number;
	/** With a wrong checksum, or that are no blocks. */
	readonly damagedBlocks: number;
	/** Whole, and not stored. */
	readonly refusedBlocks: number;
}

const SENTENCES: Readonly<Record<RefusalReason, string>> = {
	refused: 'not a device of this gateway',
	'impossible-epoch': 'the gateway cannot have read it in this boot',
	'impossible-time': 'read before the product existed, or in the future',
};

/** Another try could store the block. */
const isPassing = (error: unknown): boolean =>
	!(error instanceof Fault) || error.reason === 'unavailable' || error.reason === 'timeout';

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
	const { telemetry, ledger, deviceOf, decode, acknowledge, isPossibleBoot, verdictOn, askAgain, clock, log } = deps;
	const { maxUnknown = MAX_DEVICES } = deps;
	const counts = { blocks: 0, damagedBlocks: 0, refusedBlocks: 0 };
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

	/** Why a reading is not taken; `null`: it is. */
	function refusalOf(gateway: GatewayId, reading: Reading, now: EpochMs): RefusalReason | null {
		if (!mayReport(gateway, reading)) return 'refused';
		if (!isPossibleBoot(gateway, reading.epoch)) return 'impossible-epoch';
		return verdictOn(reading.readAt, now) === 'possible' ? null : 'impossible-time';
	}

	/** One line for a block and a reason: it may hold hundreds of thousands. */
	function refuse(gateway: GatewayId, readings: readonly Reading[], reason: RefusalReason): void {
		const [first] = readings;
		if (first === undefined) return;
		const { origin, device, epoch, readAt } = first;
		log.warn('reading-refused', {
			gateway,
			origin,
			device,
			epoch,
			readAt,
			readings: readings.length,
			reason: SENTENCES[reason],
		});
		for (const reading of readings) {
			if (reading.origin !== gateway) continue;
			// Settled all the same: sending it again would change nothing.
			ledger.declare({ ...rangeOf(reading), reason });
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
		const now = clock.now();
		const own: Reading[] = [];
		const refused = new Map<RefusalReason, Reading[]>();
		for (const reading of decode(block)) {
			if (reading.values.length === 0) continue;
			const reason = refusalOf(gateway, reading, now);
			if (reason === null) {
				own.push(reading);
				continue;
			}
			const others = refused.get(reason);
			if (others === undefined) refused.set(reason, [reading]);
			else others.push(reading);
		}
		for (const [reason, readings] of refused) refuse(gateway, readings, reason);
		const fresh = own.flatMap(freshParts);
		const stored = samplesOf(fresh);
		if (fresh.length > 0) await store(fresh, lane);
		return { stored, duplicates: samplesOf(own) - stored, refused: samplesOf([...refused.values()].flat()) };
	}

	/** The block as it was sent; `null` when it is not, which is said. */
	function opened(gateway: GatewayId, lane: Lane, payload: Uint8Array): LinkBlock | null {
		counts.blocks += 1;
		try {
			const block = openLinkBlock(payload);
			if (block.isSound) return block;
			counts.damagedBlocks += 1;
			log.warn('block-damaged', { gateway, lane, bytes: payload.byteLength, reason: 'its checksum is wrong' });
			if (lane === 'backfill') askAgain(gateway, block, 'damaged-in-transit');
		} catch (error) {
			counts.damagedBlocks += 1;
			log.warn('block-damaged', { gateway, lane, bytes: payload.byteLength, reason: messageOf(error) });
		}
		return null;
	}

	/**
	 * For the link: a failed block is logged and not acknowledged, and the gateway sends it again: at once where the hub can name it, else when it has
	 * heard nothing for a while.
	 */
	async function receive(gateway: GatewayId, lane: Lane, payload: Uint8Array): Promise<IngestResult | null> {
		const block = opened(gateway, lane, payload);
		if (block === null) return null;
		try {
			return await ingest(gateway, lane, block.body);
		} catch (error) {
			counts.refusedBlocks += 1;
			log.warn('block-not-stored', {
				gateway,
				lane,
				bytes: payload.byteLength,
				cause: error instanceof Fault ? error.reason : 'defect',
				reason: messageOf(error),
			});
			if (lane === 'backfill') askAgain(gateway, block, isPassing(error) ? 'not-stored' : 'damaged-in-transit');
			return null;
		}
	}

	return { ingest, receive, counts: (): IngestCounts => ({ ...counts }) };
}

export type HubIngest = ReturnType<typeof createHubIngest>;
