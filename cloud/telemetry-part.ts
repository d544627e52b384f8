import { createPointFacts } from '../config/template/point-facts.ts';
import { createTemplateCheck } from '../config/template/template-check.ts';
import type { DeviceTemplate } from '../config/template/template.ts';
import type { HubSettings } from '../config/hub-settings.ts';
import type { StoragePart } from '../core/box/storage-part.ts';
import { openTelemetry, type TelemetryPartDeps } from '../core/box/telemetry-part.ts';
import type { GatewayId } from '../core/kernel/id.ts';
import type { Lifecycle } from '../core/kernel/lifecycle.ts';
import type { Logger } from '../core/kernel/log.ts';
import type { StreamRange } from '../core/ledger/stream-range.ts';
import type { PointFactsOf } from '../core/telemetry/point-facts.ts';
import type { TimeKeeper } from '../core/time/time-keeper.ts';

export interface HubTelemetryDeps {
	/** Folder of everything durable. */
	readonly data: string;
	readonly settings: Pick<HubSettings, 'journal' | 'history'>;
	/** This hub. */
	readonly node: GatewayId;
	readonly templates: ReadonlyMap<string, DeviceTemplate>;
	readonly storage: Pick<StoragePart, 'files'>;
	readonly accounts: TelemetryPartDeps['accounts'];
	/** Told of what was stored here and is gone; also while the journal opens. */
	readonly lost: (ranges: readonly StreamRange[]) => void;
	readonly time: TimeKeeper;
	readonly lifecycle: Lifecycle;
	readonly log: Logger;
}

/** Journal, history and devices of a hub: what gateways have read, kept until the ledger knows of it. */
export async function openHubTelemetry(deps: HubTelemetryDeps) {
	const { settings, node, templates, lost, time, lifecycle, log } = deps;
	const pointFactsOf: PointFactsOf = createPointFacts(templates);
	const telemetry = await openTelemetry({
		data: deps.data,
		journal: settings.journal,
		files: deps.storage.files,
		holders: ['ledger'],
		givesUpHeld: false,
		history: { ...settings.history, settle: time.settle },
		origin: node,
		gatewayId: null,
		templates: createTemplateCheck(templates),
		pointFactsOf,
		accounts: deps.accounts,
		onLoss: (_loss, ranges) => lost(ranges),
		// What the journal does not take is not acknowledged; its gateway still has it.
		lost: () => undefined,
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
		oldestEpoch: () => journal.held().find((held) => held.origin === node)?.epoch ?? journal.epoch,
		hasHub: () => false,
	});
	return { telemetry, pointFactsOf };
}
