import type { Device } from '../../core/device/device.ts';
import { decodeBlock } from '../../core/journal/block-codec.ts';
import type { Journal } from '../../core/journal/journal.ts';
import type { Clock, EpochMs } from '../../core/kernel/clock.ts';
import type { DeviceId, GatewayId } from '../../core/kernel/id.ts';
import type { Lifecycle } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { FindReadings } from '../../core/ledger/find-readings.ts';
import type { LedgerStore } from '../../core/ledger/ledger-store.ts';
import type { HubSend } from '../../core/link/link-feature.ts';
import type { TelemetryService } from '../../core/telemetry/telemetry-service.ts';
import { createBoots } from '../ingest/boots.ts';
import { createHubIngest, type HubIngestDeps } from '../ingest/hub-ingest.ts';
import { createSharedPoints } from '../ingest/shared-points.ts';
import { createBackfillTurns } from './backfill-turns.ts';
import { createPressure } from './pressure.ts';
import { createResendService } from './resend-service.ts';

export interface LinkLanesDeps {
	readonly ledgerFile: Pick<LedgerStore, 'ledger' | 'save'>;
	readonly journal: Pick<Journal, 'stats'>;
	readonly telemetry: Pick<TelemetryService, 'acceptStamped'>;
	/** The device as the hub knows it; `null` when its document has not arrived. */
	readonly deviceOf: (id: DeviceId) => Device | null;
	readonly verdictOn: HubIngestDeps['verdictOn'];
	readonly acknowledge: HubIngestDeps['acknowledge'];
	/** Looks in the history. */
	readonly find: FindReadings;
	readonly send: HubSend;
	readonly online: () => readonly GatewayId[];
	readonly isOnline: (gateway: GatewayId) => boolean;
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}

/** The hub's end of the lanes: what gateways send is checked, stored by turns and acknowledged, and what went wrong is asked for again. */
export function createLinkLanes(deps: LinkLanesDeps) {
	const { ledgerFile, journal, send, lifecycle, clock, log } = deps;
	const { ledger } = ledgerFile;
	const boots = createBoots({ ledger, isOnline: deps.isOnline, log });
	const resend = createResendService({ ledger, send, saveLedger: () => ledgerFile.save(), find: deps.find, log });
	const sharePoints = createSharedPoints();
	const ingest = createHubIngest({
		telemetry: deps.telemetry,
		ledger,
		deviceOf: deps.deviceOf,
		decode: (block) => decodeBlock(Buffer.from(block.buffer, block.byteOffset, block.byteLength)).map(sharePoints),
		acknowledge: deps.acknowledge,
		isPossibleBoot: (...boot) => boots.isPossible(...boot),
		verdictOn: deps.verdictOn,
		askAgain(gateway, range, reason) {
			if (reason === 'not-stored') pressure.refused(gateway);
			resend.again(gateway, range, reason);
		},
		clock,
		log,
	});
	const turns = lifecycle.own(
		'history of gateways',
		createBackfillTurns({ store: (gateway, block) => ingest.receive(gateway, 'backfill', block) }),
	);
	const pressure = lifecycle.own(
		'pressure on gateways',
		createPressure({
			send,
			waitingBytes: turns.waitingBytes,
			pendingSamples: () => journal.stats().pendingSamples,
			online: deps.online,
			clock,
		}),
	);
	return {
		ingest,
		/** What is checked of everything that a gateway says of a device. */
		checks: {
			deviceOf: deps.deviceOf,
			verdictOn: (readAt: EpochMs) => deps.verdictOn(readAt, clock.now()),
		},
		boots,
		resend,
		/** Takes a block of history over; resolves when its gateway may bring more. */
		takeHistory(gateway: GatewayId, block: Buffer): Promise<void> {
			pressure.history(gateway);
			return turns.offer(gateway, block);
		},
		feature: { hears: {}, begin: (gateway: GatewayId): void => pressure.began(gateway) },
	};
}
