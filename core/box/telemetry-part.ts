import { join } from 'node:path';

import { createDeviceService } from '../device/device-service.ts';
import { createDeviceStore } from '../device/device-store.ts';
import type { Device } from '../device/device.ts';
import type { AccountDirectory } from '../identity/account-directory.ts';
import { isInTenantOf } from '../identity/role.ts';
import type { Journal, JournalLoss } from '../journal/journal.ts';
import { type Clock, epochMs } from '../kernel/clock.ts';
import { deviceId, type GatewayId } from '../kernel/id.ts';
import type { Lifecycle } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import type { LossReason, StreamRange } from '../ledger/stream-range.ts';
import { ensureSound } from '../storage/ensure-sound.ts';
import { openDatabase } from '../storage/pouch.ts';
import type { HistoryRepository } from '../telemetry/history-repository.ts';
import { openHistory } from '../telemetry/history-store.ts';
import { restoreLatest } from '../telemetry/latest-restore.ts';
import { createStatusHistory } from '../telemetry/status-history.ts';
import { createLatestValues } from '../telemetry/latest-values.ts';
import { createTelemetryService, type ReadingListener } from '../telemetry/telemetry-service.ts';

export interface JournalOptions {
	readonly flushIntervalMs: number;
	readonly flushBytes: number;
	readonly minFlushGapMs: number;
	readonly segmentBytes: number;
	readonly maxBytes: number;
	readonly minFreeBytes: number;
}

/** How far back a probe looks, ms. */
const PROBED_MS = 60_000;

export interface TelemetryPartDeps {
	readonly data: string;
	readonly journal: JournalOptions;
	/** Who else keeps commits in the journal until it is done with them, e.g. `uplink`. */
	readonly holders: readonly string[];
	/** What the journal does without room; see `FileJournalOptions`. */
	readonly givesUpHeld: boolean;
	readonly retentionDays: number;
	/** Who stamps here; its own id on a gateway, the hub's own on a hub. */
	readonly origin: GatewayId;
	/** This gateway; `null` on a hub. */
	readonly gatewayId: GatewayId | null;
	readonly templates: { readonly has: (key: string) => boolean };
	readonly accounts: Pick<AccountDirectory, 'byId'>;
	readonly onLoss: (loss: JournalLoss, ranges: readonly StreamRange[]) => void;
	/** Stamped samples that the journal did not take. */
	readonly lost: (range: StreamRange, reason: LossReason) => void;
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}

/** Looks for what is never there: the way through journal state and chunks is that of a real question. */
const probeOf =
	(journal: Pick<Journal, 'stats'>, history: HistoryRepository, origin: GatewayId, clock: Clock) =>
	async (): Promise<null> => {
		const { writeError } = journal.stats();
		if (writeError !== null) throw new Error(writeError);
		const to = clock.now();
		await history.range({
			device: deviceId(origin),
			from: epochMs(to - PROBED_MS),
			to,
			order: 'newest-first',
			limit: 1,
		});
		return null;
	};

/** Journal, history, devices and the way of a sample: the same on gateway and hub. Listeners are added while composing. */
export async function openTelemetry(deps: TelemetryPartDeps) {
	const { data, lifecycle, clock, log } = deps;
	const { journal, history } = await openHistory({
		journal: {
			...deps.journal,
			folder: join(data, 'journal'),
			holders: [...deps.holders],
			givesUpHeld: deps.givesUpHeld,
			onLoss: deps.onLoss,
		},
		folder: join(data, 'history'),
		retentionDays: deps.retentionDays,
		clock,
		log,
	});
	lifecycle.own('journal', journal);
	lifecycle.own('history', history);

	await ensureSound(join(data, 'devices'), log);
	const database = openDatabase<Device>(join(data, 'devices'));
	lifecycle.own('device documents', { stop: () => database.close() });
	const deviceRepository = await createDeviceStore(database);
	const devices = lifecycle.own(
		'devices',
		createDeviceService({
			devices: deviceRepository,
			gatewayId: deps.gatewayId,
			node: deps.origin,
			templates: deps.templates,
			users: {
				async exists(id, tenantId) {
					const account = deps.accounts.byId(id);
					return account !== undefined && isInTenantOf(account, { tenantId });
				},
			},
			clock,
			log,
		}),
	);

	const latest = createLatestValues({ clock });
	const signOfLife: ReadingListener = ({ device, qualities, readAt }) => {
		// A reading of a failure is no sign of life.
		if (qualities === null || qualities.includes('good')) devices.markSeen(device, readAt);
	};
	const listeners: ReadingListener[] = [signOfLife];
	const telemetry = createTelemetryService({
		origin: deps.origin,
		journal,
		history,
		latest,
		listeners,
		lateListeners: [signOfLife],
		lost: deps.lost,
	});
	const statuses = createStatusHistory({ gatewayId: deps.gatewayId, accept: telemetry.accept, clock, log });
	listeners.push(statuses.reading);
	devices.listen(statuses.device);
	const restoring = new AbortController();
	const restored = restoreLatest({
		devices: devices.all().map(({ id }) => id),
		history,
		latest,
		log,
		signal: restoring.signal,
	});
	lifecycle.own('latest values', {
		stop: () => {
			restoring.abort();
			return restored;
		},
	});
	devices.listen({ changed: (device) => device.deletedAt !== null && latest.forget(device.id) });
	const probes = {
		documents: { isInUse: () => true, probe: () => database.allDocs({ limit: 1 }).then(() => null) },
		telemetry: { isInUse: () => true, probe: probeOf(journal, history, deps.origin, clock) },
	};
	return { journal, history, devices, deviceRepository, latest, listeners, telemetry, probes };
}

export type TelemetryPart = Awaited<ReturnType<typeof openTelemetry>>;
