import type { TelemetryPart } from '../../core/box/telemetry-part.ts';
import { type HttpPart, part } from '../../core/http/server.ts';
import { encodeBlock } from '../../core/journal/block-codec.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { Lifecycle } from '../../core/kernel/lifecycle.ts';
import { countOf } from '../../core/ledger/range-set.ts';
import { ownDocuments } from '../sync/own-documents.ts';
import type { OwnLedger } from './own-ledger.ts';
import type { UplinkDeps, UplinkStatus } from './uplink-deps.ts';
import { createUplink } from './uplink.ts';
import { uplinkRoutes } from './uplink-routes.ts';
import { createUplinkStarter, type UplinkStarterDeps } from './uplink-starter.ts';

export interface UplinkPartDeps extends Pick<
	UplinkDeps,
	'store' | 'reachedAt' | 'name' | 'version' | 'backfillBytesPerSecond' | 'settle' | 'features' | 'clock' | 'log'
> {
	readonly gatewayId: GatewayId;
	readonly telemetry: Pick<TelemetryPart, 'journal' | 'devices' | 'deviceRepository' | 'telemetry' | 'listeners'>;
	readonly ledger: OwnLedger;
	/** Unattended enrolment. */
	readonly enrolment: UplinkStarterDeps['settings'];
	/** Bound of the journal, bytes. */
	readonly journalMaxBytes: number;
	readonly lifecycle: Lifecycle;
}

/** The way to the hub: each reading goes up, and the gateway finds its hub. */
export function openUplink({ gatewayId, ledger, enrolment, lifecycle, ...deps }: UplinkPartDeps) {
	const { store, log } = deps;
	const { journal, devices, deviceRepository, telemetry, listeners } = deps.telemetry;
	const uplink = lifecycle.own(
		'uplink',
		createUplink({
			...deps,
			...ledger.forUplink,
			journal,
			encode: (readings, level) => encodeBlock(readings, undefined, level),
			lastSeq: telemetry.lastSeq,
			...ownDocuments(devices, deviceRepository),
		}),
	);
	const starter = lifecycle.own(
		'enrolment',
		createUplinkStarter({ uplink, store, settings: enrolment, name: deps.name(), log }),
	);
	listeners.push(uplink.offer);
	const status = (): UplinkStatus => {
		const current = uplink.status();
		return current.enrolled ? current : { ...current, lastError: starter.problem() };
	};
	const routes: readonly HttpPart[] = [
		part(
			uplinkRoutes,
			{
				gatewayId,
				status,
				journal: () => journal.stats(),
				journalMaxBytes: deps.journalMaxBytes,
				storedSamples: () => countOf(journal.held()),
				enrol: (hubUrl, code) => starter.enrol(hubUrl, code),
				leave: () => starter.leave(),
			},
			'/api/v1',
		),
		...ledger.httpParts(uplink.owedRanges),
	];
	return { uplink, status, start: (): void => starter.start(), routes };
}
