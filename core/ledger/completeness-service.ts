import type { Device } from '../device/device.ts';
import { type Clock, type EpochMs, epochMs } from '../kernel/clock.ts';
import type { GatewayId } from '../kernel/id.ts';
import type { HistoryRepository } from '../telemetry/history-repository.ts';
import { readingPages } from '../telemetry/reading-pages.ts';
import { explain, type ExplainRequest, type Gap } from './explain.ts';
import type { Ledger } from './ledger.ts';
import { createPresence, type Presence } from './presence.ts';
import type { Span } from './time-marks.ts';

/** A device that is polled is missed after so many periods, and after so long at least. */
const MISSED_PERIODS = 3;
const MISSED_MS = 5_000;

export interface CompletenessServiceDeps {
	readonly history: Pick<HistoryRepository, 'range'>;
	readonly ledger: Pick<Ledger, 'holes' | 'spans'>;
	/** Whose samples those of the device are; `null`: this box's own, of which nothing can be on its way. */
	readonly originOf: (device: Device) => GatewayId | null;
	/** Until when a gateway can have told everything. */
	readonly heardUntil: (origin: GatewayId) => EpochMs;
	/** Holes in what a gateway has sent that are none here, e.g. those between a gateway and its hub, seen from the gateway. */
	readonly countsInTransit: boolean;
	readonly clock: Pick<Clock, 'now'>;
}

/** How long a device may be silent; `null`: it speaks when it likes. */
const toleranceOf = ({ connection }: Device): number | null =>
	connection?.driver === 'modbus' ? Math.max(MISSED_MS, MISSED_PERIODS * connection.periodMs) : null;

/** Answers what is missing of a device in a period, and why. */
export function createCompletenessService(deps: CompletenessServiceDeps) {
	const { history, ledger, originOf, heardUntil, countsInTransit, clock } = deps;

	async function presenceOf(
		device: Device,
		{ from, to }: Span,
		toleranceMs: number,
		isWanted: () => boolean,
	): Promise<Presence> {
		const presence = createPresence(toleranceMs, to);
		const around = {
			device: device.id,
			from: epochMs(Math.max(0, from - toleranceMs)),
			to: epochMs(to + toleranceMs),
		};
		for await (const page of readingPages(history, around)) {
			for (const reading of page) presence.add(reading);
			if (!isWanted()) break;
		}
		return presence;
	}

	/** What the ledger knows of the gateway of a device. */
	function linkOf(origin: GatewayId | null, now: EpochMs): Pick<ExplainRequest, 'holes' | 'boots' | 'heardUntil'> {
		if (origin === null) return { holes: [], boots: [], heardUntil: now };
		const holes = ledger.holes(origin).filter(({ reason }) => countsInTransit || reason !== 'in-transit');
		return { holes, boots: ledger.spans(origin), heardUntil: heardUntil(origin) };
	}

	return {
		/** @param isWanted asked now and then; `false`: nobody waits for the answer any more */
		async gaps(device: Device, period: Span, isWanted: () => boolean = () => true): Promise<readonly Gap[]> {
			const now = clock.now();
			const from = device.createdAt > period.from ? device.createdAt : period.from;
			const to = now < period.to ? now : period.to;
			if (from >= to) return [];
			const toleranceMs = toleranceOf(device);
			const presence = toleranceMs === null ? null : await presenceOf(device, { from, to }, toleranceMs, isWanted);
			const [seen, faults] = [presence?.seen() ?? null, presence?.faults() ?? []];
			return explain({ from, to, seen, faults, ...linkOf(originOf(device), now) });
		},
	};
}

export type CompletenessService = ReturnType<typeof createCompletenessService>;
