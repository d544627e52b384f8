import type { EpochMs } from '../../core/kernel/clock.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { HubLinkFeature, HubSend } from '../../core/link/link-feature.ts';
import { parseTimeQuestion, type ToldEra, timeMessage } from '../../core/link/time-messages.ts';
import type { ClockQuality } from '../../core/time/clock-quality.ts';
import { HUB_BOUND_MS } from '../../core/time/clock-state.ts';
import { MAX_ERAS } from '../../core/time/era.ts';
import type { GatewayClockStore } from './gateway-clock-store.ts';

/** The clock of a gateway as it was when it last spoke of it. */
export interface GatewayClock {
	readonly quality: ClockQuality;
	/** The gateway's clock minus the hub's; as wrong as the way of the message took. `null` while the hub does not know the time. */
	readonly offsetMs: number | null;
	readonly saidAt: EpochMs;
}

export interface GatewayClocksDeps {
	readonly store: GatewayClockStore;
	readonly send: HubSend;
	/** The hub's time; `null` while it does not know it. */
	readonly trustedNow: () => EpochMs | null;
	readonly now: () => EpochMs;
	readonly log: Logger;
}

const byNumber = (one: ToldEra, other: ToldEra): number => one.epoch - other.epoch || one.firstSeq - other.firstSeq;

const isSame = (one: ToldEra, other: ToldEra): boolean =>
	one.quality === other.quality && one.isEstimated === other.isEstimated && one.deltaMs === other.deltaMs;

/** The eras with what was said newly; `null` when that is nothing new. The newest are kept. */
function merged(known: readonly ToldEra[], said: readonly ToldEra[]): readonly ToldEra[] | null {
	const eras = new Map(known.map((era) => [`${era.epoch} ${era.firstSeq}`, era]));
	let isNew = false;
	for (const era of said) {
		const key = `${era.epoch} ${era.firstSeq}`;
		const before = eras.get(key);
		if (before !== undefined && isSame(before, era)) continue;
		eras.set(key, era);
		isNew = true;
	}
	return isNew ? [...eras.values()].toSorted(byNumber).slice(-MAX_ERAS) : null;
}

/** What the hub knows of its gateways' clocks, and its answer to what time it is. */
export async function openGatewayClocks({ store, send, trustedNow, now, log }: GatewayClocksDeps) {
	const eras = new Map(await store.read());
	const clocks = new Map<GatewayId, GatewayClock>();

	function note(gateway: GatewayId, quality: ClockQuality, at: number): void {
		const hubAt = trustedNow();
		const offsetMs = hubAt === null ? null : at - hubAt;
		const before = clocks.get(gateway);
		clocks.set(gateway, { quality, offsetMs, saidAt: now() });
		if (before?.quality !== quality) log.info('gateway-clock', { gateway, quality, offsetMs });
		else if (offsetMs !== null && Math.abs(offsetMs) > HUB_BOUND_MS)
			log.warn('gateway-clock-off', { gateway, quality, offsetMs });
	}

	async function hear(gateway: GatewayId, payload: Uint8Array): Promise<void> {
		const { ask, at, quality, eras: said } = parseTimeQuestion(payload);
		// First of all: what is done before it, the gateway takes for the way.
		if (ask !== null) send(gateway, 'time', timeMessage({ ask, at: trustedNow() }));
		note(gateway, quality, at);
		const next = merged(eras.get(gateway) ?? [], said);
		if (next === null) return;
		await store.write(gateway, next);
		eras.set(gateway, next);
	}

	const feature: HubLinkFeature = { hears: { time: hear }, begin: () => undefined };

	return {
		feature,
		/** How good the time of a sample is; `null` when its gateway has never said. */
		qualityOf: (gateway: GatewayId, epoch: number, seq: number): ClockQuality | null =>
			eras.get(gateway)?.findLast((era) => era.epoch === epoch && era.firstSeq <= seq)?.quality ?? null,
		/** By epoch, then number. */
		erasOf: (gateway: GatewayId): readonly ToldEra[] => eras.get(gateway) ?? [],
		/** `null` before it has spoken since the start of the hub. */
		clockOf: (gateway: GatewayId): GatewayClock | null => clocks.get(gateway) ?? null,
	};
}

export type GatewayClocks = Awaited<ReturnType<typeof openGatewayClocks>>;
