import { epochMs } from '../../core/kernel/clock.ts';
import type { DeviceId, GatewayId } from '../../core/kernel/id.ts';
import type { Ledger } from '../../core/ledger/ledger.ts';
import type { HistoryRepository } from '../../core/telemetry/history-repository.ts';
import { lastSeq, type Reading } from '../../core/telemetry/reading.ts';
import { readingPages } from '../../core/telemetry/reading-pages.ts';
import type { EpochRange } from './not-journalled.ts';
import type { SealedReadings } from './sealed-again.ts';

/** Readings of one moment do not stand in the order of their numbers. */
const MARGIN_MS = 60_000;

export interface SealedReadingsDeps {
	readonly origin: GatewayId;
	readonly devices: () => readonly DeviceId[];
	readonly history: Pick<HistoryRepository, 'range'>;
	/** Says when numbers were read. */
	readonly ledger: Pick<Ledger, 'around'>;
}

/** Looks in the history for numbers of a boot: at the time at which they were read, device after device. */
export function createSealedReadings({ origin, devices, history, ledger }: SealedReadingsDeps): SealedReadings {
	return async function* find(wanted: EpochRange, signal: AbortSignal): AsyncGenerator<readonly Reading[]> {
		const span = ledger.around({ origin, ...wanted });
		if (span === null) return;
		const isWanted = (reading: Reading): boolean =>
			reading.origin === origin &&
			reading.epoch === wanted.epoch &&
			reading.firstSeq <= wanted.last &&
			lastSeq(reading) >= wanted.first;
		const [from, to] = [epochMs(span.from - MARGIN_MS), epochMs(span.to + MARGIN_MS)];
		for (const device of devices()) {
			for await (const page of readingPages(history, { device, from, to })) {
				signal.throwIfAborted();
				yield page.filter(isWanted);
			}
		}
	};
}
