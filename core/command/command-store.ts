import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { DeviceId } from '../kernel/id.ts';
import { createRecordFeed, type FeedIdentity, type Numbered, type RecordFeed } from '../sync/record-feed.ts';
import type { DocumentDatabase } from '../storage/pouch.ts';
import { type Command, isOpen } from './command.ts';
import type { CommandRepository } from './command-repository.ts';

export interface CommandStoreLimits {
	/** Final commands of one device. */
	readonly finishedPerDevice: number;
	/** Final commands of all devices. */
	readonly finished: number;
	/** Commands of gateways that a hub shows: of one device, and of all devices. */
	readonly shownPerDevice: number;
	readonly shown: number;
}

/** All of them are held in memory, mostly less than a kilobyte each. */
const DEFAULT_LIMITS: CommandStoreLimits = {
	finishedPerDevice: 1_000,
	finished: 5_000,
	shownPerDevice: 100,
	shown: 5_000,
};

/** Of all devices so many more are forgotten at once, so that not every new command looks at all others. */
const FORGET_AT_ONCE = 100;

/** A document is a place that is used again and again, because a deleted document would leave its trace for ever. */
export interface CommandDocument {
	readonly command: Command;
	/** Its number in the feed; absent: of a version that had none. */
	readonly seq?: number;
}

/** Commands, and their changes as a hub follows them. */
export interface CommandStore extends CommandRepository {
	readonly feed: RecordFeed<Command>;
}

interface Place {
	readonly slot: string;
	/** `null`: nothing was ever stored there. */
	readonly rev: string | null;
}

interface Kept {
	readonly command: Command;
	readonly place: Place;
}

interface Numbering extends Kept {
	readonly seq: number;
}

const isShown = ({ origin }: Command): boolean => origin === 'gateway';

const inOrder = (a: Command, b: Command): number => (a.id < b.id ? -1 : Number(a.id > b.id));

/** Opens the commands of a document database. The caller writes one after the other. */
export async function createCommandStore(
	database: DocumentDatabase<CommandDocument>,
	clock: Pick<Clock, 'now'>,
	identity: Pick<FeedIdentity, 'id' | 'positions'>,
	bounds: Partial<CommandStoreLimits> = {},
): Promise<CommandStore> {
	const limits = { ...DEFAULT_LIMITS, ...bounds };
	const kept = new Map<string, Kept>();
	const byDevice = new Map<DeviceId, Set<string>>();
	const openIds = new Set<string>();
	/** Commands of gateways. */
	const shownIds = new Set<string>();
	/** Places of forgotten commands; what is written there is void. */
	const free: Place[] = [];
	let slots = 0;

	const commandsOf = (ids: Iterable<string>): Command[] =>
		[...ids].flatMap((id) => kept.get(id)?.command ?? []).toSorted(inOrder);

	function remember(entry: Kept): void {
		const { command } = entry;
		kept.set(command.id, entry);
		if (isOpen(command)) openIds.add(command.id);
		else openIds.delete(command.id);
		if (isShown(command)) shownIds.add(command.id);
		const ofDevice = byDevice.get(command.device);
		if (ofDevice === undefined) byDevice.set(command.device, new Set([command.id]));
		else ofDevice.add(command.id);
	}

	function forget({ command, place }: Kept): void {
		kept.delete(command.id);
		shownIds.delete(command.id);
		book.forget([command.id]);
		const ofDevice = byDevice.get(command.device);
		ofDevice?.delete(command.id);
		if (ofDevice?.size === 0) byDevice.delete(command.device);
		free.push(place);
	}

	/** The hub may hand a command on again for as long as it lives; only who remembers it does not execute it twice. */
	const isForgettable = ({ origin, expiresAt }: Command): boolean => origin !== 'hub' || expiresAt < clock.now();

	/** Forgets the oldest of a list down to a number: those that are shown only, or final ones of this box. */
	function prune(ids: Iterable<string>, most: number, areShown: boolean): void {
		const finished = commandsOf(ids).filter((command) => isShown(command) === areShown && !isOpen(command));
		for (const command of finished.slice(0, Math.max(0, finished.length - most))) {
			const entry = kept.get(command.id);
			if (entry !== undefined && isForgettable(command)) forget(entry);
		}
	}

	function keepWithinLimits(devices: Iterable<DeviceId>): void {
		for (const device of devices) {
			const ids = byDevice.get(device);
			if (ids !== undefined && ids.size > limits.finishedPerDevice) prune(ids, limits.finishedPerDevice, false);
			if (ids !== undefined && ids.size > limits.shownPerDevice) prune(ids, limits.shownPerDevice, true);
		}
		const finished = kept.size - openIds.size - shownIds.size;
		if (finished > limits.finished) prune(kept.keys(), limits.finished - FORGET_AT_ONCE, false);
		if (shownIds.size > limits.shown) prune(shownIds, limits.shown - FORGET_AT_ONCE, true);
	}

	const { rows } = await database.allDocs({ include_docs: true });
	const saved: Numbered<Command>[] = [];
	for (const { id: slot, value, doc } of rows) {
		// The feed has documents of its own.
		if (doc === undefined || !('command' in doc)) continue;
		slots = Math.max(slots, Number(slot) + 1);
		const entry = { command: doc.command, place: { slot, rev: value.rev } };
		// A command that was forgotten, and a place that was to be used again when the power failed.
		const known = kept.get(doc.command.id);
		if (known === undefined) {
			remember(entry);
			saved.push({ seq: doc.seq ?? 0, record: doc.command });
		} else free.push(entry.place);
	}
	const book = createRecordFeed(identity, saved);
	keepWithinLimits(new Set(byDevice.keys()));

	function newPlace(): Place {
		const reused = free.pop();
		if (reused !== undefined) return reused;
		slots += 1;
		return { slot: String(slots - 1).padStart(6, '0'), rev: null };
	}

	/** A write that failed may be on disk all the same. */
	async function asStored({ slot }: Place): Promise<Place> {
		const [row] = (await database.allDocs({ keys: [slot] })).rows;
		return { slot, rev: row !== undefined && 'value' in row ? row.value.rev : null };
	}

	/** @returns those that the database refused, because their places are not as they were known */
	async function write(entries: readonly Numbering[]): Promise<readonly Numbering[]> {
		const results = await database.bulkDocs(
			entries.map(({ command, seq, place: { slot, rev } }) =>
				Object.assign({ _id: slot, command, seq }, rev === null ? {} : { _rev: rev }),
			),
		);
		return entries.filter(({ command, place: { slot } }, index) => {
			const rev: unknown = Reflect.get(results[index] ?? {}, 'rev');
			if (typeof rev !== 'string') return true;
			remember({ command, place: { slot, rev } });
			return false;
		});
	}

	async function writeAll(entries: readonly Numbering[]): Promise<void> {
		const refused = await write(entries);
		if (refused.length === 0) return;
		const again: Numbering[] = [];
		for (const one of refused) again.push({ ...one, place: await asStored(one.place) });
		const left = await write(again);
		if (left.length > 0) throw new Fault('unavailable', `${left.length} commands were not stored`);
	}

	async function put(commands: readonly Command[]): Promise<void> {
		const numbered = book.number(commands);
		const entries = numbered.map(({ seq, record: command }) => {
			const place = kept.get(command.id)?.place ?? newPlace();
			return { command, seq, place };
		});
		try {
			await writeAll(entries);
		} catch (error) {
			for (const { command, place } of entries) if (!kept.has(command.id)) free.push(place);
			throw error;
		}
		book.wrote(numbered);
		keepWithinLimits(new Set(commands.map(({ device }) => device)));
	}

	return {
		find: (id) => kept.get(id)?.command ?? null,
		open: (device) =>
			commandsOf(device === undefined ? openIds : [...(byDevice.get(device) ?? [])].filter((id) => openIds.has(id))),
		newest(device, before, limit) {
			const older = [...(byDevice.get(device) ?? [])].filter((id) => before === null || id < before);
			return commandsOf(older.toSorted().slice(-limit)).toReversed();
		},
		openCount: () => openIds.size,
		lastId: () => commandsOf(kept.keys()).findLast(({ origin }) => origin === 'local')?.id ?? null,
		count: () => kept.size,
		put,
		feed: book.feed,
	};
}
