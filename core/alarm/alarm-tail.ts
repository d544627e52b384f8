import type { Journal, JournalPosition } from '../journal/journal.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { openSettingsStore } from '../storage/settings-store.ts';
import type { Reading } from '../telemetry/reading.ts';
import type { AlarmService } from './alarm-service.ts';

export interface AlarmTailDeps {
	/** Of the file that holds the position. */
	readonly path: string;
	readonly journal: Pick<Journal, 'read' | 'end'>;
	readonly alarms: Pick<AlarmService, 'replay' | 'isStored'>;
	readonly log: Logger;
	readonly saveMs?: number;
}

/** How often the position is written down: how much has to be compared once more after a power cut, against the wear of the card. */
const SAVE_MS = 60_000;

async function* readingsFrom(journal: Pick<Journal, 'read'>, from: JournalPosition): AsyncGenerator<Reading> {
	for await (const { readings } of journal.read(from)) yield* readings;
}

/**
 * Closes the gap between a reading that is durable and its alert that is not yet: up to a position in the journal, all alerts of all
 * readings are on disk; after a start, the readings behind it are compared with the rules once more.
 */
export async function createAlarmTail({ path, journal, alarms, log, saveMs = SAVE_MS }: AlarmTailDeps) {
	const saved = await openSettingsStore<{ readonly through: JournalPosition | null }>({
		path,
		defaults: { through: null },
		log,
	});

	async function save(): Promise<void> {
		// What is durable now was compared before; what it raised is on disk only when nothing waits for it.
		const through = journal.end();
		if (!alarms.isStored()) return;
		const before = saved.get().through;
		if (before?.segment === through.segment && before.offset === through.offset) return;
		await saved.update(() => ({ through }));
	}

	const saveQuietly = (): Promise<void> =>
		save().catch((error: unknown) => log.debug('alarm-tail-not-saved', { reason: messageOf(error) }));

	const timer = setInterval(() => void saveQuietly(), saveMs).unref();
	return {
		/** To be called before the first reading of this start. */
		async replay(): Promise<void> {
			const { through } = saved.get();
			if (through !== null) await alarms.replay(readingsFrom(journal, through));
			await saveQuietly();
		},
		async stop(): Promise<void> {
			clearInterval(timer);
			await saveQuietly();
		},
	} satisfies Stoppable & { readonly replay: () => Promise<void> };
}
