import { epochMs } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { Logger } from '../kernel/log.ts';
import type { HistoryRepository } from './history-repository.ts';
import type { LatestValues } from './latest-values.ts';

/** Readings looked at for one device: a few cycles of a device that is read in several requests. */
const READINGS_PER_DEVICE = 32;

const BEGINNING = epochMs(0);
const END = epochMs(8_640_000_000_000_000);

/**
 * After a start the newest values come from the history, one device after the other and with their own instants, so that a
 * device that is silent now still shows what it said last. Values that arrive meanwhile are newer and stay.
 */
export async function restoreLatest({
	devices,
	history,
	latest,
	log,
	signal,
}: {
	readonly devices: readonly DeviceId[];
	readonly history: Pick<HistoryRepository, 'range'>;
	readonly latest: Pick<LatestValues, 'apply'>;
	readonly log: Logger;
	readonly signal: AbortSignal;
}): Promise<void> {
	const query = { from: BEGINNING, to: END, order: 'newest-first', limit: READINGS_PER_DEVICE } as const;
	for (const device of devices) {
		if (signal.aborted) return;
		try {
			const newest = await history.range({ ...query, device });
			for (const reading of newest.toReversed()) latest.apply(reading);
		} catch (error) {
			log.warn('latest-not-restored', { device, reason: messageOf(error) });
		}
	}
}
