import type { DeviceId } from '../kernel/id.ts';
import type { Command } from './command.ts';

/** Where commands are kept. */
export interface CommandRepository {
	find(id: string): Command | null;
	/** Those that are not final, in the order in which they were made; of one device, or of all. */
	open(device?: DeviceId): readonly Command[];
	/** Newest first: at most `limit` that were made before the command `before`, or the newest for `null`. */
	newest(device: DeviceId, before: string | null, limit: number): readonly Command[];
	/** How many are not final, of all devices. */
	openCount(): number;
	/** The id that was made last on this box, as far as it is kept; `null`: none is. */
	lastId(): string | null;
	/** How many there are, open and final. */
	count(): number;
	/** Puts new or changed commands; durable when it resolves. Final ones beyond the bounds of the store are forgotten, oldest first. */
	put(commands: readonly Command[]): Promise<void>;
}
