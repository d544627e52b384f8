import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { DocumentDatabase } from '../storage/pouch.ts';
import { type Command, isOpen } from './command.ts';
import type { CommandRepository } from './command-repository.ts';

export interface CommandStoreLimits {
	/** Final commands of one device. */
	readonly finishedPerDevice: number;
	/** Final commands of all devices. */
	readonly finished: number;
}

/** All of them are held in memory, mostly less than a kilobyte each. */
const DEFAULT_LIMITS: CommandStoreLimits = { finishedPerDevice: 1_000, finished: 5_000 };

/** Of all devices so many more are forgotten at once, so that not every new command looks at all others. */
const FORGET_AT_ONCE = 100;

/** A document is a place that is used again and again, because a deleted document would leave its trace for ever. */
export interface CommandDocument {
	readonly command: Command;
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

const inOrder = (a: Command, b: Command): number => (a.id < b.id ? -1 : Number(a.id > b.id));

/** Opens the commands of a document database. The caller writes one after the other. */
export async function createCommandStore(
	database: DocumentDatabase<CommandDocument>,
	clock: Pick<Clock, 'now'>,
	limits: CommandStoreLimits = DEFAULT_LIMITS,
): Promise<CommandRepository> {
	const kept = new Map<string, Kept>();
	const byDevice = new Map<DeviceId, Set<string>>();
	const openIds = new Set<string>();
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
		const ofDevice = byDevice.get(command.device);
		if (ofDevice === undefined) byDevice.set(command.device, new Set([command.id]));
		else ofDevice.add(command.id);
	}

	function forget({ command, place }: Kept): void {
		kept.delete(command.id);
		const ofDevice = byDevice.get(command.device);
		ofDevice?.delete(command.id);
		if (ofDevice?.size === 0) byDevice.delete(command.device);
		free.push(place);
	}

	/** The hub may hand a command on again for as long as it lives; only who remembers it does not execute it twice. */
	const isForgettable = ({ origin, expiresAt }: Command): boolean => origin === 'local' || expiresAt < clock.now();

	/** Forgets the oldest final ones of a list down to a number. */
	function prune(ids: Iterable<string>, most: number): void {
		const finished = commandsOf(ids).filter((command) => !isOpen(command));
		for (const command of finished.slice(0, Math.max(0, finished.length - most))) {
			const entry = kept.get(command.id);
			if (entry !== undefined && isForgettable(command)) forget(entry);
		}
	}

	function keepWithinLimits(devices: Iterable<DeviceId>): void {
		for (const device of devices) {
			const ids = byDevice.get(device);
			if (ids !== undefined && ids.size > limits.finishedPerDevice) prune(ids, limits.finishedPerDevice);
		}
		if (kept.size - openIds.size > limits.finished) prune(kept.keys(), limits.finished - FORGET_AT_ONCE);
	}

	const { rows } = await database.allDocs({ include_docs: true });
	for (const { id: slot, value, doc } of rows) {
		slots = Math.max(slots, Number(slot) + 1);
		if (doc === undefined || !('command' in doc)) continue;
		const entry = { command: doc.command, place: { slot, rev: value.rev } };
		// A command that was forgotten, and a place that was to be used again when the power failed.
		const known = kept.get(doc.command.id);
		if (known === undefined) remember(entry);
		else free.push(entry.place);
	}
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
	async function write(entries: readonly Kept[]): Promise<readonly Kept[]> {
		const results = await database.bulkDocs(
			entries.map(({ command, place: { slot, rev } }) =>
				Object.assign({ _id: slot, command }, rev === null ? {} : { _rev: rev }),
			),
		);
		return entries.filter(({ command, place: { slot } }, index) => {
			const rev: unknown = Reflect.get(results[index] ?? {}, 'rev');
			if (typeof rev !== 'string') return true;
			remember({ command, place: { slot, rev } });
			return false;
		});
	}

	async function writeAll(entries: readonly Kept[]): Promise<void> {
		const refused = await write(entries);
		if (refused.length === 0) return;
		const again: Kept[] = [];
		for (const { command, place } of refused) again.push({ command, place: await asStored(place) });
		const left = await write(again);
		if (left.length > 0) throw new Fault('unavailable', `${left.length} commands were not stored`);
	}

	async function put(commands: readonly Command[]): Promise<void> {
		const entries = commands.map((command) => ({ command, place: kept.get(command.id)?.place ?? newPlace() }));
		try {
			await writeAll(entries);
		} catch (error) {
			for (const { command, place } of entries) if (!kept.has(command.id)) free.push(place);
			throw error;
		}
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
	};
}
