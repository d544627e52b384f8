import type { FeedPosition } from './sync-positions.ts';
import type { RecordFeed } from './record-feed.ts';

/** What both boxes keep, in the order in which it is told: alarms first of all. */
export const RECORD_KINDS = ['alert', 'alert-rule', 'command'] as const;

export type RecordKindName = (typeof RECORD_KINDS)[number];

/** One kind of records at this box. */
export interface RecordKind {
	readonly name: RecordKindName;
	readonly feed: Pick<RecordFeed<never>, 'id' | 'head' | 'listen' | 'positions'>;
	/** What another box may know of the changes after a number, and does not know from where it came; and the number they reach to. */
	readonly changes: (
		after: number,
		limit: number,
		peer: string,
	) => { readonly picked: readonly object[]; readonly through: number };
	/**
	 * Takes a record of another box; on disk after `stored`.
	 * @throws Fault with the reason when it is wrong, or the other box may not say it
	 */
	readonly take: (record: unknown, peer: string) => Promise<void>;
	/** @throws when the disk refuses */
	readonly stored: () => Promise<void>;
}

/** Most records of one message. */
export const MAX_RECORDS = 50;

/** Records on their way to another box. */
export interface RecordBatch {
	readonly kind: RecordKindName;
	/** Id of the feed they are from, and the number they reach to. */
	readonly feed: string;
	readonly through: number;
	readonly records: readonly object[];
}

/** Where a box stands in the feeds that it knows of each kind; of which box they are, their ids tell. */
export type ReceivedPositions = Readonly<Partial<Record<RecordKindName, readonly FeedPosition[]>>>;

/** Follows the feeds of this box for another one, from where that one stands. */
export function createFollower(kinds: readonly RecordKind[], peer: string, received: ReceivedPositions) {
	const positions = new Map<RecordKindName, number>();
	for (const { name, feed } of kinds) {
		const position = received[name]?.find((one) => one.feed === feed.id);
		// The lesser of both memories: either box may have been restored from an older state.
		positions.set(name, position === undefined ? 0 : Math.min(position.seq, feed.positions.acked(peer)));
	}

	function reached({ name, feed }: Pick<RecordKind, 'name' | 'feed'>, through: number): void {
		positions.set(name, Math.max(through, positions.get(name) ?? 0));
		feed.positions.setAcked(peer, through);
	}

	function batchOf(kind: RecordKind): RecordBatch | null {
		const { name, feed } = kind;
		const { picked, through } = kind.changes(positions.get(name) ?? 0, MAX_RECORDS, peer);
		if (picked.length > 0) return { kind: name, feed: feed.id, through, records: picked };
		if (through > (positions.get(name) ?? 0)) reached(kind, through);
		return null;
	}

	return {
		/** What is to be said next; `null`: the other box knows everything. */
		next(): RecordBatch | null {
			for (const kind of kinds) {
				const batch = batchOf(kind);
				if (batch !== null) return batch;
			}
			return null;
		},
		/** The other box has it on disk. */
		taken({ kind: name, through }: Pick<RecordBatch, 'kind' | 'through'>): void {
			const kind = kinds.find((one) => one.name === name);
			if (kind !== undefined && through <= kind.feed.head()) reached(kind, through);
		},
	};
}

export type Follower = ReturnType<typeof createFollower>;
