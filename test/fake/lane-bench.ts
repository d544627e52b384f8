import type { JournalCommit, JournalPosition } from '../../core/journal/journal.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { newDeviceId, newGatewayId } from '../../core/kernel/id.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { type BackfillDeps, createBackfillLane } from '../../gateway/uplink/backfill-lane.ts';
import type { Link } from '../../gateway/uplink/link-connection.ts';
import { openLinkBlock } from '../../core/link/link-block.ts';
import { createLiveLane, type LiveLaneDeps } from '../../gateway/uplink/live-lane.ts';
import { createByteBudget } from '../../gateway/uplink/byte-budget.ts';
import { createBatchSize } from '../../gateway/uplink/batch-size.ts';
import { createManualClock } from './manual-clock.ts';

export const origin = newGatewayId();
export const device = newDeviceId();

export const reading = (firstSeq: number, samples = 10): Reading => ({
	device,
	readAt: epochMs(1_000 + firstSeq),
	telemetryType: 'default',
	points: Array.from({ length: samples }, (_, index) => `p${index}`),
	values: Array.from({ length: samples }, (_, index) => firstSeq + index),
	qualities: null,
	origin,
	epoch: 3,
	firstSeq,
});

export const at = (offset: number): JournalPosition => ({ segment: 1, offset });

/** A journal in memory: each commit one offset further. */
export function memoryJournal(commits: readonly (readonly Reading[])[]) {
	const list = [...commits];
	const holds: JournalPosition[] = [];
	return {
		holds,
		add: (readings: readonly Reading[]) => void list.push(readings),
		oldest: () => at(0),
		end: () => at(list.length),
		async *read(from: JournalPosition): AsyncGenerator<JournalCommit> {
			for (let offset = from.offset; offset < list.length; offset += 1) {
				yield { at: at(offset), next: at(offset + 1), readings: list[offset] ?? [] };
			}
		},
		hold: (_holder: string, position: JournalPosition) => void holds.push(position),
	};
}

/** A link that remembers; readings stand for their encoding. */
export function memoryLink() {
	const sent: { readonly kind: string; readonly numbers: readonly number[] }[] = [];
	const renewals: string[] = [];
	let heard: (() => void) | null = null;
	const link: Link = {
		async publish(kind, payload) {
			sent.push({ kind, numbers: Buffer.from(openLinkBlock(payload).body).toString().split(',').map(Number) });
			heard?.();
		},
		roundTripMs: () => null,
		waitingBytes: () => 0,
		renew: (why) => void renewals.push(why),
		state: () => ({ state: 'online', since: epochMs(0), lastError: null }),
	};
	const next = (): Promise<void> => new Promise((resolve) => (heard = resolve));
	return { link, sent, renewals, next };
}

export const encode = (readings: readonly Reading[]): Uint8Array =>
	Buffer.from(readings.map(({ firstSeq }) => firstSeq).join(','));

export const encodeLarge = (readings: readonly Reading[]): Uint8Array => new Uint8Array(readings.length * 1_500_000);

export const failing = (): never => {
	throw new RangeError('nested too deep');
};

export const lane = (
	journal: ReturnType<typeof memoryJournal>,
	isOnTheWay = (): boolean => false,
	more: Partial<BackfillDeps> = {},
) =>
	createBackfillLane({
		origin,
		journal,
		encode,
		isOnTheWay,
		batch: createBatchSize(),
		pressure: { historyWaitMs: () => 0, windowSamples: () => 60_000 },
		sealed: { ask: () => undefined, next: async () => [], clear: () => undefined },
		settle: (one) => one,
		givenUp: () => undefined,
		clock: createManualClock(),
		budget: createByteBudget({ clock: createManualClock(), bytesPerSecond: 1_000_000 }),
		random: () => 0,
		...more,
	});

export const liveLane = (link: Link, more: Partial<LiveLaneDeps> = {}) =>
	createLiveLane({
		link: () => link,
		encode,
		isPaused: () => false,
		settle: (one) => one,
		clock: createManualClock(),
		...more,
	});

export const acked = (first: number, last: number) => [{ epoch: 3, ranges: [{ first, last }] }];
