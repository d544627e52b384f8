import type { DeviceService } from '../../core/device/device-service.ts';
import { type HttpPart, part } from '../../core/http/server.ts';
import type { FileJournal } from '../../core/journal/file-journal.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import type { DeviceId, GatewayId } from '../../core/kernel/id.ts';
import type { Lifecycle } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { completenessRoutes } from '../../core/ledger/completeness-routes.ts';
import { createCompletenessService } from '../../core/ledger/completeness-service.ts';
import { addLedgerMetrics } from '../../core/ledger/ledger-metrics.ts';
import { createFindReadings } from '../../core/ledger/find-readings.ts';
import { openLedger } from '../../core/ledger/ledger-store.ts';
import { countOf } from '../../core/ledger/range-set.ts';
import type { LossReason, StreamRange } from '../../core/ledger/stream-range.ts';
import { type BootEnd, MAX_BOOTS } from '../../core/link/link-messages.ts';
import type { HistoryRepository } from '../../core/telemetry/history-repository.ts';
import type { Metrics } from '../../core/system/metrics.ts';
import { uplinkLedgerRoutes } from './ledger-routes.ts';
import type { EpochRange } from './not-journalled.ts';

export interface OwnLedgerDeps {
	readonly folder: string;
	readonly gatewayId: GatewayId;
	readonly journal: Pick<FileJournal, 'listen' | 'read' | 'oldest' | 'end' | 'hold'>;
	readonly history: HistoryRepository;
	readonly devices: Pick<DeviceService, 'get'>;
	/** Devices that ever were. */
	readonly deviceIds: () => readonly DeviceId[];
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}

/** The gateway's own ledger: when its numbers were read, what will never reach the hub, and what is missing here. */
export async function openOwnLedger(deps: OwnLedgerDeps) {
	const { folder, gatewayId, journal, history, deviceIds, lifecycle, clock, log } = deps;
	// What the hub has is for the hub to say: a crash may cost what is known of the times of a minute.
	const file = lifecycle.own('ledger', await openLedger({ folder, journal, holdsJournal: false, log }));
	const { ledger } = file;
	/** Notes what will never reach the hub. */
	function declared(range: StreamRange, reason: LossReason): void {
		try {
			// It was on disk here once, and is no more.
			ledger.forget(range);
			ledger.declare({ ...range, reason });
			// A full disk may be what loses samples: what waits is written with the next change, or snapshot.
			file.save().catch((error: unknown) => log.debug('loss-not-saved', { reason: messageOf(error) }));
		} catch (error) {
			log.warn('loss-not-noted', { reason: messageOf(error) });
		}
	}

	const completeness = createCompletenessService({
		history,
		ledger,
		originOf: () => gatewayId,
		heardUntil: () => clock.now(),
		countsInTransit: false,
		clock,
	});
	// What the journal lets go has to be in a snapshot by then: a hub that was put back to an older state asks for it.
	journal.listen({
		committed: () => undefined,
		closed: () =>
			void file.compact().catch((error: unknown) => log.debug('ledger-not-saved', { reason: messageOf(error) })),
	});

	const find = createFindReadings({ devices: deviceIds, history, ledger });
	return {
		/** What the uplink needs of it. */
		forUplink: {
			/** How far boots came, from one on and before another; the newest come first. */
			bootsOf: (from: number, before: number): readonly BootEnd[] =>
				ledger
					.epochsOf(gatewayId)
					.filter(([epoch, { highest }]) => epoch >= from && epoch < before && highest > 0)
					.map(([epoch, { highest }]) => ({ epoch, last: highest }))
					.toReversed()
					.slice(0, MAX_BOOTS),
			findSealed: (wanted: EpochRange, signal: AbortSignal) => find({ origin: gatewayId, ...wanted }, signal),
			declared,
			readAt: (range: EpochRange) => ledger.around({ origin: gatewayId, ...range })?.from ?? null,
			known: (fromEpoch: number): readonly EpochRange[] =>
				ledger
					.epochsOf(gatewayId)
					.filter(([epoch, { highest }]) => epoch >= fromEpoch && highest > 0)
					.map(([epoch, { highest }]) => ({ epoch, first: 1, last: highest })),
		},
		/** @param owed what the journal holds and the hub has not acknowledged */
		httpParts: (owed: () => readonly EpochRange[]): readonly HttpPart[] => [
			part(uplinkLedgerRoutes, { gatewayId, ledger, owed }, '/api/v1'),
			part(completenessRoutes, { devices: deps.devices, completeness, clock }, '/api/v1'),
		],
		addMetrics: (metrics: Metrics, owed: () => readonly EpochRange[]): void =>
			addLedgerMetrics(metrics, {
				completeness: () => [ledger.completeness(gatewayId)],
				missingSamples: () => countOf(owed()),
			}),
	};
}

export type OwnLedger = Awaited<ReturnType<typeof openOwnLedger>>;
