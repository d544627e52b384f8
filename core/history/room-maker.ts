import type { MakeRoom } from '../journal/file-journal.ts';
import type { SetTimer } from '../journal/set-timer.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';
import type { SealLoop } from './seal-loop.ts';

/** Longest wait for a segment to be sealed: readings arrive meanwhile, and wait in memory. */
const SEAL_WITHIN_MS = 10_000;

export interface RoomMakerDeps {
	readonly loop: Pick<SealLoop, 'kick' | 'settled' | 'sealedThrough'>;
	/** Drops the oldest of the history until quota and floor hold. */
	readonly enforce: () => Promise<void>;
	readonly setTimer: SetTimer;
	readonly log: Logger;
}

/**
 * What the history does for a journal without room: old days go before a segment that is in no chunk yet, and that one is sealed first. Answers
 * whether chunks on disk have the samples of the segment. One that waits for the disk, or for its time, is in memory, where a kill would end it.
 */
export function createRoomMaker({ loop, enforce, setTimer, log }: RoomMakerDeps): MakeRoom {
	const isSealed = (segment: number): boolean => segment <= loop.sealedThrough();

	async function sealed(): Promise<void> {
		loop.kick();
		let cancel: (() => void) | null = null;
		const late = new Promise<void>((resolve) => {
			cancel = setTimer(resolve, SEAL_WITHIN_MS);
		});
		await Promise.race([loop.settled(), late]).finally(() => cancel?.());
	}

	return async (segment) => {
		try {
			await enforce();
			if (!isSealed(segment)) await sealed();
		} catch (error) {
			log.warn('history-makes-no-room', { reason: messageOf(error) });
		}
		return isSealed(segment);
	};
}
