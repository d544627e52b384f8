import { messageOf } from '../kernel/fault.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { createTurns } from '../kernel/turns.ts';
import type { DocumentSet } from '../storage/document-set.ts';

/** Where one stands in the feed of another box. */
export interface FeedPosition {
	/** Id of the feed. */
	readonly feed: string;
	/** Number of the last change that is on disk here; 0: none. */
	readonly seq: number;
}

/** What is written down of another box. */
export interface SavedPosition {
	/** Id of the other box. */
	readonly id: string;
	/** How far it has taken the feed of this box. */
	readonly acked: number;
	/** How far this box has taken its feed; `null`: nothing yet. */
	readonly received: FeedPosition | null;
}

/** How far two boxes have followed each other. Written down a little late: a position that is too old costs a repetition, nothing else. */
export interface SyncPositions extends Stoppable {
	/** 0 for a box that is not known. */
	readonly acked: (peer: string) => number;
	/** In its feed, if any; @param peer `null`: in those of all, the newest `MAX_TOLD`. */
	readonly received: (peer: string | null) => readonly FeedPosition[];
	readonly setAcked: (peer: string, seq: number) => void;
	/** To be called when what came before is on disk. */
	readonly setReceived: (peer: string, position: FeedPosition) => void;
	readonly highestAcked: () => number;
}

const SAVE_MS = 5_000;

/** Boxes that another one is told of: a gateway has one hub, and may have had others. */
export const MAX_TOLD = 16;

/** Loads the positions. */
export async function createSyncPositions(saved: DocumentSet<SavedPosition>, log: Logger): Promise<SyncPositions> {
	const byPeer = new Map((await saved.all()).map((position) => [position.id, position]));
	const unsaved = new Set<string>();
	let timer: NodeJS.Timeout | null = null;
	const { run: inTurn } = createTurns();

	async function write(): Promise<void> {
		const changed = [...unsaved].flatMap((id) => byPeer.get(id) ?? []);
		unsaved.clear();
		await saved.write(changed);
	}

	function save(): Promise<void> {
		timer = null;
		return inTurn(write);
	}

	function set(peer: string, change: Partial<SavedPosition>): void {
		byPeer.set(peer, { ...(byPeer.get(peer) ?? { id: peer, acked: 0, received: null }), ...change });
		unsaved.add(peer);
		timer ??= setTimeout(() => {
			save().catch((error: unknown) => log.debug('positions-not-saved', { reason: messageOf(error) }));
		}, SAVE_MS).unref();
	}

	return {
		acked: (peer) => byPeer.get(peer)?.acked ?? 0,
		received: (peer) =>
			(peer === null ? [...byPeer.values()] : [byPeer.get(peer)])
				.flatMap((position) => position?.received ?? [])
				.slice(-MAX_TOLD),
		setAcked(peer, acked) {
			if (acked > (byPeer.get(peer)?.acked ?? 0)) set(peer, { acked });
		},
		setReceived: (peer, received) => set(peer, { received }),
		highestAcked: () => Math.max(0, ...[...byPeer.values()].map(({ acked }) => acked)),
		async stop() {
			if (timer !== null) clearTimeout(timer);
			await save();
		},
	};
}
