import { join } from 'node:path';

import type { KnownPorts, KnownTemplates } from '../device/device-rules.ts';
import { createDeviceService } from '../device/device-service.ts';
import { createDeviceStore } from '../device/device-store.ts';
import type { Device } from '../device/device.ts';
import { type HistoryDeps, openHistory } from '../history/history.ts';
import { openOverflowLog } from '../history/overflow-log.ts';
import type { Dropped } from '../history/overflow.ts';
import { END_MS } from '../history/rollup-level.ts';
import { counterRules } from '../history/rollup-rule.ts';
import { openRollups } from '../history/rollups.ts';
import type { AccountDirectory } from '../identity/account-directory.ts';
import { isInTenantOf } from '../identity/role.ts';
import type { FileLayer } from '../journal/file-layer.ts';
import type { Journal, JournalLoss } from '../journal/journal.ts';
import { systemTimer } from '../journal/set-timer.ts';
import { type Clock, epochMs } from '../kernel/clock.ts';
import { deviceId, type GatewayId } from '../kernel/id.ts';
import type { Lifecycle } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import type { LossReason, StreamRange } from '../ledger/stream-range.ts';
import { ensureSound } from '../storage/ensure-sound.ts';
import { openDatabase } from '../storage/pouch.ts';
import type { HistoryRepository } from '../telemetry/history-repository.ts';
import type { PointFactsOf } from '../telemetry/point-facts.ts';
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

/** How long and how much is kept, and who has a say in it; see `HistoryDeps`. */
export type HistoryOptions = Required<Pick<HistoryDeps, 'retentionDays' | 'maxBytes'>> &
	Pick<HistoryDeps, 'watchers' | 'settle' | 'moreSteps' | 'dropped'> & {
		/** How long sums over hours, days and months are kept. */
		readonly rollupDays: number;
	};

/** Sums over minutes are kept so long at least; as long as their samples they are always. */
const LEAST_MINUTE_DAYS = 400;

/** Segments that must find room beside the history: it makes room before the journal gives up what is not sealed. */
const SEGMENTS_BESIDE_HISTORY = 2;

/** How far back a probe looks, ms. */
const PROBED_MS = 60_000;

export interface TelemetryPartDeps {
	readonly data: string;
	readonly journal: JournalOptions;
	/** The files of a stream (`journal`, ...), so that what each of them writes can be counted. */
	readonly files: (stream: string) => FileLayer;
	/** Who else keeps commits in the journal until it is done with them, e.g. `uplink`. */
	readonly holders: readonly string[];
	/** What the journal does without room; see `FileJournalOptions`. */
	readonly givesUpHeld: boolean;
	readonly history: HistoryOptions;
	/** Who stamps here; its own id on a gateway, the hub's own on a hub. */
	readonly origin: GatewayId;
	/** This gateway; `null` on a hub. */
	readonly gatewayId: GatewayId | null;
	readonly templates: KnownTemplates;
	/** The serial ports of this box; absent on a hub, which has none. */
	readonly ports?: KnownPorts | undefined;
	readonly pointFactsOf: PointFactsOf;
	readonly accounts: Pick<AccountDirectory, 'byId'>;
	readonly onLoss: (loss: JournalLoss, ranges: readonly StreamRange[]) => void;
	/** Samples that the journal has given up and the history has. Default: nobody needs to know. */
	readonly onMoved?: (ranges: readonly StreamRange[]) => void;
	/** Stamped samples that the journal did not take. */
	readonly lost: (range: StreamRange, reason: LossReason) => void;
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}

/** Looks for what is never there: the way through journal state and chunks is that of a real question. */
const probeOf =
	(journal: Pick<Journal, 'stats'>, history: Pick<HistoryRepository, 'range'>, origin: GatewayId, clock: Clock) =>
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
	const { watchers = [], moreSteps = [], dropped, ...historyOptions } = deps.history;
	const overflow = lifecycle.own(
		'overflow log',
		await openOverflowLog({ files: deps.files('history'), path: join(data, 'overflow.json'), clock, log }),
	);
	const letGo = (what: Dropped): void => {
		overflow.note(what);
		dropped?.(what);
	};
	const rollups = await openRollups({
		files: deps.files('rollups'),
		folder: join(data, 'rollups'),
		rollupDays: historyOptions.rollupDays,
		minuteDays: Math.max(LEAST_MINUTE_DAYS, historyOptions.retentionDays),
		clock,
		log,
		setTimer: systemTimer,
		dropped: letGo,
	});
	lifecycle.own('rollup files', rollups);
	const { journal, history } = await openHistory({
		journal: {
			...deps.journal,
			folder: join(data, 'journal'),
			files: deps.files('journal'),
			holders: [...deps.holders],
			givesUpHeld: deps.givesUpHeld,
			onLoss: deps.onLoss,
			...(deps.onMoved === undefined ? {} : { onMoved: deps.onMoved }),
		},
		...historyOptions,
		// A day stays while its sums cannot be written: only then others need to note that it goes.
		watchers: [rollups.watcher, ...watchers],
		moreSteps: [...moreSteps, ...rollups.overflow],
		dropped: letGo,
		minFreeBytes: deps.journal.minFreeBytes + SEGMENTS_BESIDE_HISTORY * deps.journal.segmentBytes,
		folder: join(data, 'history'),
		files: deps.files('history'),
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
			ports: deps.ports,
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

	const ruleOf = counterRules({ devices, pointFactsOf: deps.pointFactsOf });
	const { aggregate, receive } = lifecycle.own(
		'rollups',
		rollups.begin({
			history,
			unsealedHours: (device) => history.unsealedHours(device),
			rawFrom: () => history.stats().oldestDay ?? epochMs(END_MS),
			ruleOf,
			devices: () => devices.all().map(({ id }) => id),
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
	return {
		journal,
		history,
		overflow,
		rollupOf: rollups.hourOf,
		receiveRollups: receive,
		aggregate,
		ruleOf,
		devices,
		deviceRepository,
		latest,
		listeners,
		telemetry,
		probes,
	};
}

export type TelemetryPart = Awaited<ReturnType<typeof openTelemetry>>;
