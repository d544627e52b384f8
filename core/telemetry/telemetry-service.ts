import type { Journal, Urgency } from '../journal/journal.ts';
import { Fault } from '../kernel/fault.ts';
import type { DeviceId, GatewayId } from '../kernel/id.ts';
import type { LossReason, StreamRange } from '../ledger/stream-range.ts';
import type { HistoryQuery, HistoryRepository } from './history-repository.ts';
import type { LatestValues } from './latest-values.ts';
import { lastSeq, type Reading, type ReadingDraft } from './reading.ts';

/** Hears each reading at once, before it is durable. Must not throw, wait or keep the reading's arrays. */
export type ReadingListener = (reading: Reading) => void;

export interface TelemetryServiceDeps {
	/** Who stamps here: this gateway, or the hub for values that arrive at the hub itself. */
	readonly origin: GatewayId;
	readonly journal: Pick<Journal, 'append' | 'epoch'>;
	readonly history: Pick<HistoryRepository, 'range'>;
	readonly latest: LatestValues;
	/** Called in this order for each reading: local MQTT, realtime, live lane. */
	readonly listeners: readonly ReadingListener[];
	/** Called for history that arrives late: what it tells of its own time counts, e.g. when the device was seen. */
	readonly lateListeners?: readonly ReadingListener[];
	/** Told when stamped samples could not be made durable, so that the hole in the sequence gets a reason. */
	readonly lost: (range: StreamRange, reason: LossReason) => void;
}

/**
 * The way of a sample from its source to everybody who wants it (docs/hot-path.md). Fan-out never waits for the disk;
 * whoever must acknowledge waits for the returned promise.
 */
export function createTelemetryService({
	origin,
	journal,
	history,
	latest,
	listeners,
	lateListeners = [],
	lost,
}: TelemetryServiceDeps) {
	let nextSeq = 1;
	let acceptedSamples = 0;

	function fanOut(reading: Reading): void {
		latest.apply(reading);
		for (const listener of listeners) listener(reading);
	}

	function takeLate(reading: Reading): void {
		latest.apply(reading);
		for (const listener of lateListeners) listener(reading);
	}

	/** Takes a reading of this box. Resolves when it is on disk; rejects with a Fault when it cannot be: `unavailable`, or `rule-violation`. */
	async function accept(draft: ReadingDraft, urgency: Urgency): Promise<Reading> {
		if (draft.values.length === 0)
			throw new Fault('rule-violation', `a reading of device ${draft.device} has no values`);
		const reading: Reading = {
			device: draft.device,
			readAt: draft.readAt,
			telemetryType: draft.telemetryType,
			points: draft.points,
			values: draft.values,
			qualities: draft.qualities,
			origin,
			epoch: journal.epoch,
			firstSeq: nextSeq,
		};
		nextSeq += draft.values.length;
		acceptedSamples += draft.values.length;
		fanOut(reading);
		try {
			await journal.append([reading], urgency);
		} catch (error) {
			const reason = error instanceof Fault && error.reason === 'rule-violation' ? 'too-large' : 'disk-full';
			lost({ origin, epoch: reading.epoch, first: reading.firstSeq, last: lastSeq(reading) }, reason);
			throw error;
		}
		return reading;
	}

	/**
	 * Takes readings that another box has stamped (hub ingest); the caller has removed what it already had. Only the `live` lane is
	 * fanned out: history that arrives late is stored, and is no news. Resolves when they are on disk.
	 */
	function acceptStamped(readings: readonly Reading[], lane: 'live' | 'backfill', urgency: Urgency): Promise<void> {
		for (const reading of readings) {
			acceptedSamples += reading.values.length;
			if (lane === 'live') fanOut(reading);
			else takeLate(reading);
		}
		return journal.append(readings, urgency);
	}

	return {
		accept,
		acceptStamped,
		latest: (device: DeviceId) => latest.of(device),
		range: (query: HistoryQuery) => history.range(query),
		/** The last sequence number handed out in this epoch; 0 before the first. */
		lastSeq: () => nextSeq - 1,
		/** Samples taken since the start, history included, whether or not they are on disk yet. */
		acceptedSamples: () => acceptedSamples,
	};
}

export type TelemetryService = ReturnType<typeof createTelemetryService>;
