import { createPointFacts } from '../config/template/point-facts.ts';
import { createTemplateCheck } from '../config/template/template-check.ts';
import type { DeviceTemplate } from '../config/template/template.ts';
import type { GatewaySettings } from '../config/gateway-settings.ts';
import { openTelemetry, type TelemetryPartDeps } from '../core/box/telemetry-part.ts';
import type { StoragePart } from '../core/box/storage-part.ts';
import type { GatewayId } from '../core/kernel/id.ts';
import type { Lifecycle } from '../core/kernel/lifecycle.ts';
import type { Logger } from '../core/kernel/log.ts';
import type { LossReason, StreamRange } from '../core/ledger/stream-range.ts';
import type { PointFactsOf } from '../core/telemetry/point-facts.ts';
import type { TimeKeeper } from '../core/time/time-keeper.ts';
import type { ThinnedDays } from './uplink/thinned-days.ts';

export interface Loss {
	readonly range: StreamRange;
	readonly reason: LossReason;
}

export interface GatewayTelemetryDeps {
	/** Folder of everything durable. */
	readonly data: string;
	readonly settings: Pick<GatewaySettings, 'journal' | 'history'>;
	readonly gatewayId: GatewayId;
	readonly hasHub: () => boolean;
	readonly templates: ReadonlyMap<string, DeviceTemplate>;
	readonly storage: Pick<StoragePart, 'files'>;
	readonly accounts: TelemetryPartDeps['accounts'];
	readonly ports: TelemetryPartDeps['ports'];
	/** Told of what will never reach the hub; also while the journal opens. */
	readonly lost: (losses: readonly Loss[]) => void;
	/** Told of what the journal has given up and the history has. */
	readonly moved: (ranges: readonly StreamRange[]) => void;
	readonly thinned: Pick<ThinnedDays, 'watcher' | 'dropped'>;
	readonly time: TimeKeeper;
	readonly lifecycle: Lifecycle;
	readonly log: Logger;
}

const LOSS_REASONS: Readonly<Record<string, LossReason>> = { quota: 'journal-quota', 'disk-full': 'disk-full' };

/** Journal, history and devices of this gateway, which keep for the uplink what the hub lacks; from here on samples have their time. */
export async function openGatewayTelemetry(deps: GatewayTelemetryDeps) {
	const { settings, gatewayId, hasHub, templates, lost, moved, thinned, time, lifecycle, log } = deps;
	const pointFactsOf: PointFactsOf = createPointFacts(templates);
	const telemetry = await openTelemetry({
		data: deps.data,
		journal: settings.journal,
		files: deps.storage.files,
		holders: hasHub() ? ['uplink'] : [],
		givesUpHeld: true,
		history: { ...settings.history, settle: time.settle, watchers: [thinned.watcher], dropped: thinned.dropped },
		origin: gatewayId,
		gatewayId,
		templates: createTemplateCheck(templates),
		pointFactsOf,
		accounts: deps.accounts,
		ports: deps.ports,
		onLoss: ({ reason }, ranges) =>
			lost(ranges.map((range) => ({ range, reason: LOSS_REASONS[reason] ?? 'journal-damaged' }))),
		onMoved: moved,
		lost: (range, reason) => lost([{ range, reason }]),
		lifecycle,
		clock: time.clock,
		log,
	});
	const { journal, history } = telemetry;
	// What has waited for its time may be sealed.
	time.listen(() => history.kick());
	await time.begin({
		epoch: journal.epoch,
		lastSeq: telemetry.telemetry.lastSeq,
		oldestEpoch: () => journal.held()[0]?.epoch ?? journal.epoch,
		hasHub,
	});
	return { telemetry, pointFactsOf };
}
