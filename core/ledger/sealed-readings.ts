import { epochMs } from '../kernel/clock.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { HistoryRepository } from '../telemetry/history-repository.ts';
import type { Reading } from '../telemetry/reading.ts';
import { readingPages } from '../telemetry/reading-pages.ts';

const BEGINNING = epochMs(-8_640_000_000_000_000);
const END = epochMs(8_640_000_000_000_000);

/**
 * Everything that the history holds, device after device, for a ledger that has lost its own files. Reading a large history takes minutes: it is read
 * before the first gateway is let in, because one that comes earlier would send all of it again.
 */
export const sealedReadingsOf =
	({
		devices,
		history,
	}: {
		readonly devices: () => readonly DeviceId[];
		readonly history: Pick<HistoryRepository, 'range'>;
	}) =>
	async (note: (readings: readonly Reading[]) => void): Promise<void> => {
		for (const device of devices()) {
			for await (const page of readingPages(history, { device, from: BEGINNING, to: END })) note(page);
		}
	};
