import type { History } from '../../core/history/history.ts';
import type { KeptHour } from '../../core/history/rollups.ts';
import type { EpochMs } from '../../core/kernel/clock.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import type { Journal } from '../../core/journal/journal.ts';
import type { DeviceId, GatewayId } from '../../core/kernel/id.ts';
import type { Lifecycle, Stoppable } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { UplinkFeature, UplinkSend } from '../../core/link/link-feature.ts';
import type { LossReason, StreamRange } from '../../core/ledger/stream-range.ts';
import { MAX_ROLLUP_HOURS, ROLLUP_CHARACTERS, rollupHour, rollupsMessage } from '../../core/link/rollup-messages.ts';
import { type EpochRange, within, without } from './not-journalled.ts';
import type { ThinnedDay, ThinnedDays } from './thinned-days.ts';

export interface RollupUplinkDeps {
	readonly thinned: Pick<ThinnedDays, 'days' | 'onDropped' | 'change' | 'settle'>;
	/** The first day of which samples are here; `null`: of none. */
	readonly oldestDay: () => EpochMs | null;
	readonly hourOf: (device: DeviceId, hourMs: number) => Promise<KeptHour | null>;
	/** What the journal holds of this gateway: that is not lost before it gives it up. */
	readonly held: () => readonly EpochRange[];
	/** Tells the hub that samples will not come. */
	readonly lost: (range: EpochRange) => void;
	readonly log: Logger;
}

const HOUR_MS = 3_600_000;
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

/**
 * Sums of hours whose samples were let go before the hub had them. The oldest day first, a message at a time, beside the history; a day is
 * done when the hub has stored all of it. Sent twice it changes nothing.
 */
export function createRollupUplink(deps: RollupUplinkDeps): UplinkFeature & Stoppable {
	const { thinned, oldestDay, hourOf, held, lost, log } = deps;
	let session: { readonly send: UplinkSend; readonly signal: AbortSignal } | null = null;
	let running: Promise<void> | null = null;
	let declaring: Promise<void> = thinned.settle(oldestDay());
	let isStopped = false;

	async function declare(): Promise<void> {
		for (const day of thinned.days()) {
			if (!day.isGone || day.ranges.length === 0) continue;
			const kept = within(day.ranges, held());
			const gone = without(day.ranges, kept);
			if (gone.length === 0) continue;
			for (const range of gone) lost(range);
			await thinned.change(day, { ranges: kept });
		}
	}

	async function* messagesOf(day: ThinnedDay, device: DeviceId): AsyncGenerator<Buffer> {
		let hours: ReturnType<typeof rollupHour>[] = [];
		let characters = 0;
		for (const hour of HOURS) {
			if ((day.hours & (1 << hour)) === 0) continue;
			const kept = await hourOf(device, day.day + hour * HOUR_MS);
			if (kept === null) continue;
			const one = rollupHour(kept);
			hours.push(one);
			characters += one.hour.length + (one.minutes?.length ?? 0);
			if (hours.length < MAX_ROLLUP_HOURS && characters < ROLLUP_CHARACTERS) continue;
			yield rollupsMessage(hours);
			[hours, characters] = [[], 0];
		}
		if (hours.length > 0) yield rollupsMessage(hours);
	}

	const next = (): ThinnedDay | undefined => thinned.days().find(({ isGone, isTold }) => isGone && !isTold);

	async function sendAll({ send, signal }: NonNullable<typeof session>): Promise<void> {
		for (let day = next(); day !== undefined; day = next()) {
			for (const device of day.devices)
				for await (const message of messagesOf(day, device)) {
					signal.throwIfAborted();
					await send('rollups', message);
				}
			signal.throwIfAborted();
			log.info('thinned-day-told', { day: day.day, devices: day.devices.length });
			await thinned.change(day, { isTold: true });
		}
	}

	/** One at a time; what comes meanwhile is seen by the loop. */
	function go(): void {
		if (session === null || running !== null || isStopped) return;
		const current = session;
		running = declaring
			.then(() => sendAll(current))
			.catch((error: unknown) => log.debug('rollups-not-sent', { reason: messageOf(error) }))
			.finally(() => {
				running = null;
				if (session !== current) go();
			});
	}

	function declareNow(): void {
		declaring = declaring
			.then(declare)
			.catch((error: unknown) => log.warn('thinned-not-declared', { reason: messageOf(error) }));
		void declaring.then(go);
	}

	thinned.onDropped(declareNow);
	return {
		hears: {},
		async begin(send, signal) {
			session = { send, signal };
			declareNow();
			// The losses go before live values, the sums beside the history.
			await declaring;
		},
		async stop() {
			isStopped = true;
			await declaring;
			await running;
		},
	};
}

/** The same over a box's own history and journal. */
export function openRollupUplink({
	history,
	journal,
	rollupOf,
	gatewayId,
	lost,
	lifecycle,
	...deps
}: Pick<RollupUplinkDeps, 'thinned' | 'log'> & {
	readonly history: Pick<History, 'stats'>;
	readonly journal: Pick<Journal, 'held'>;
	readonly rollupOf: RollupUplinkDeps['hourOf'];
	readonly gatewayId: GatewayId;
	readonly lost: (losses: readonly { readonly range: StreamRange; readonly reason: LossReason }[]) => void;
	readonly lifecycle: Lifecycle;
}): UplinkFeature {
	return lifecycle.own(
		'rollup uplink',
		createRollupUplink({
			...deps,
			oldestDay: () => history.stats().oldestDay,
			hourOf: rollupOf,
			held: () => journal.held().filter(({ origin }) => origin === gatewayId),
			lost: (range) => lost([{ range: { origin: gatewayId, ...range }, reason: 'thinned' }]),
		}),
	);
}
