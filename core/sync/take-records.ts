import { Fault, messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';
import type { ReceivedPositions, RecordBatch, RecordKind } from './record-kind.ts';

/** Whether the next try may go better: the disk, not the record. */
const isPassing = (error: unknown): boolean =>
	!(error instanceof Fault) || error.reason === 'unavailable' || error.reason === 'timeout';

const idOf = (record: object): string | null => ('id' in record && typeof record.id === 'string' ? record.id : null);

/**
 * Takes what another box has said; all of it is on disk when it resolves, and the position with it. A record that is wrong, or that the
 * other box may not say, is logged and hides no other.
 * @throws what the disk refuses with; then nothing counts as taken
 */
export async function takeRecords(
	kinds: readonly RecordKind[],
	batch: RecordBatch,
	peer: string,
	log: Logger,
): Promise<void> {
	const kind = kinds.find(({ name }) => name === batch.kind);
	if (kind === undefined) return;
	for (const record of batch.records) {
		try {
			await kind.take(record, peer);
		} catch (error) {
			if (isPassing(error)) throw error;
			log.warn('record-refused', { peer, kind: kind.name, id: idOf(record), reason: messageOf(error) });
		}
	}
	await kind.stored();
	kind.feed.positions.setReceived(peer, { feed: batch.feed, seq: batch.through });
}

/** How far this box has taken the feeds of another one. @param peer `null`: of all that it knows */
export const receivedFrom = (kinds: readonly RecordKind[], peer: string | null): ReceivedPositions =>
	Object.fromEntries(kinds.map(({ name, feed }) => [name, feed.positions.received(peer)]));
