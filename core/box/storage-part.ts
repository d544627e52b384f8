import { join } from 'node:path';

import type { FileLayer } from '../journal/file-layer.ts';
import type { JournalStats } from '../journal/journal.ts';
import { nodeFileLayer } from '../journal/node-file-layer.ts';
import { systemTimer } from '../journal/set-timer.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Lifecycle } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { documentBytesBelow } from '../storage/pouch.ts';
import { createDataUsage } from '../system/data-usage.ts';
import { deviceBytesOf } from '../system/device-bytes.ts';
import { meteredFiles } from '../system/metered-files.ts';
import type { Metrics } from '../system/metrics.ts';
import { type CardFacts, type JournalBounds, type StorageReport, storageReport } from '../system/storage-report.ts';
import { openWriteMeter } from '../system/write-meter.ts';

export interface StoragePartDeps {
	/** Folder of everything durable. */
	readonly data: string;
	readonly journal: JournalBounds;
	readonly card: CardFacts;
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}

/** What the box writes and what that wears. To be opened first: it counts from the start, and stops last. */
export async function openStorage({ data, journal: bounds, card, lifecycle, clock, log }: StoragePartDeps) {
	const meter = lifecycle.own(
		'write meter',
		await openWriteMeter({
			path: join(data, 'write-meter.json'),
			deviceBytes: deviceBytesOf(data),
			clock,
			setTimer: systemTimer,
			log,
		}),
	);
	meter.watch('documents', () => documentBytesBelow(data));
	const dataUsage = createDataUsage({ folder: data, clock });
	return {
		/** The files of a stream, e.g. `journal`; what is written through them counts as that. */
		files: (stream: string): FileLayer => meteredFiles(nodeFileLayer, meter.counter(stream)),
		dataUsage,
		written: () => meter.written(),
		report: async (journal: JournalStats, overflow: StorageReport['overflow']): Promise<StorageReport> =>
			storageReport({ data: await dataUsage(), journal, bounds, written: meter.written(), overflow }, card),
		addMetrics(metrics: Metrics): void {
			metrics.add({
				name: 'written_bytes_total',
				help: 'Bytes written to the medium of the data folder since the start, in whole blocks',
				kind: 'counter',
				labels: ['stream'],
				read: () => Object.entries(meter.written().bytes).map(([stream, value]) => ({ value, labels: { stream } })),
			});
		},
	};
}

export type StoragePart = Awaited<ReturnType<typeof openStorage>>;
