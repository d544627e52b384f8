import { hash } from 'node:crypto';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { messageOf } from '../../core/kernel/fault.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { diskFault } from '../../core/storage/disk-fault.ts';
import { readTextIfThere, writeFileDurably } from '../../core/storage/json-file.ts';
import { readRoot, readSnapshot, readTargets, readTimestamp } from './metadata-document.ts';
import { parseSlot, type SlotContent, slotText } from './trust-slot.ts';
import { TrustFault } from './trust-fault.ts';
import { firstState, type TrustedState, underOwnRoot, withRoot } from './trusted-state.ts';

/** What the store asks of a file system. */
export interface TrustFiles {
	/** `null`: there is no such file. */
	read(path: string): Promise<string | null>;
	/** Replaces a whole file; on the medium when it resolves. */
	write(path: string, text: string): Promise<void>;
	rename(from: string, to: string): Promise<void>;
	/** Removes what writes that a power cut ended have left. */
	tidy(folder: string): Promise<void>;
}

/** Beginnings of `writeFileDurably`. */
const LEFT_BEHIND = /^\..*\.tmp$/;

/** The real file system. */
export const nodeTrustFiles: TrustFiles = {
	read: readTextIfThere,
	write: writeFileDurably,
	rename,
	async tidy(folder) {
		const names = await readdir(folder).catch(() => []);
		await Promise.all(names.filter((name) => LEFT_BEHIND.test(name)).map((name) => rm(join(folder, name))));
	},
};

/** The trusted state on disk. */
export interface TrustSetStore {
	/** What is on disk, or the factory's root where nothing is, or where all of it is damaged; never rejects for damage. */
	open(): Promise<TrustedState>;
	/** On the medium when it resolves. @throws Fault `unavailable` when the disk does not take it; the state before stays */
	write(state: TrustedState): Promise<void>;
}

/** Two files that are written in turns: while one is replaced, and should it be damaged, the other is there. */
const SLOTS = ['set-a', 'set-b'] as const;

const contentOf = (generation: number, { root, timestamp, snapshot, set }: TrustedState): SlotContent => ({
	generation,
	root: root.text,
	timestamp: timestamp?.text ?? null,
	snapshot: snapshot?.text ?? null,
	set:
		set === null
			? null
			: {
					timestamp: set.timestamp.text,
					snapshot: set.snapshot.text,
					targets: set.targets.text,
					roles: Object.fromEntries(
						[...set.roles].flatMap(([name, role]) => (role instanceof TrustFault ? [] : [[name, role.text]])),
					),
				},
});

/** Everything is verified anew: the disk is not believed. @throws TrustFault when not even the root can be trusted */
function stateOf({ root, timestamp, snapshot, set }: SlotContent): TrustedState {
	const trusted = firstState(readRoot('root.json', root));
	return underOwnRoot({
		...trusted,
		timestamp: timestamp === null ? null : readTimestamp('timestamp.json', timestamp),
		snapshot: snapshot === null ? null : readSnapshot('snapshot.json', snapshot),
		set:
			set === null
				? null
				: {
						timestamp: readTimestamp('timestamp.json', set.timestamp),
						snapshot: readSnapshot('snapshot.json', set.snapshot),
						targets: readTargets('targets.json', set.targets),
						roles: new Map(Object.entries(set.roles).map(([name, text]) => [name, readTargets(`${name}.json`, text)])),
					},
	});
}

interface Written {
	readonly slot: string;
	readonly generation: number;
	readonly digest: string;
}

interface Found extends Written {
	readonly state: TrustedState;
}

/** To tell whether there is anything to write: a repository with a role that is refused is looked at again and again. */
const digestOf = (content: SlotContent): string => hash('sha256', JSON.stringify({ ...content, generation: 0 }), 'hex');

export function createTrustSetStore({
	folder,
	factoryRoot,
	log,
	files = nodeTrustFiles,
}: {
	readonly folder: string;
	/** Text of the root that this build was shipped with; it holds no secret. */
	readonly factoryRoot: string;
	readonly log: Logger;
	readonly files?: TrustFiles;
}): TrustSetStore {
	let last: Written | null = null;

	/** A slot that can be used; a damaged one is put aside for a person to look at, in the place of an earlier one. */
	async function readSlot(slot: string): Promise<Found | null> {
		const path = join(folder, slot);
		const text = await files.read(path);
		if (text === null) return null;
		try {
			const content = parseSlot(text);
			return { slot, generation: content.generation, digest: digestOf(content), state: stateOf(content) };
		} catch (error) {
			log.error('trust-damaged', { path, reason: messageOf(error), movedTo: `${path}.damaged` });
			await files.rename(path, `${path}.damaged`);
			return null;
		}
	}

	return {
		async open() {
			const factory = firstState(readRoot('factory root', factoryRoot));
			await files.tidy(folder);
			const found = (await Promise.all(SLOTS.map(readSlot))).filter((one) => one !== null);
			const [newest] = found.toSorted((one, other) => other.generation - one.generation);
			if (newest === undefined) return factory;
			last = newest;
			const { state } = newest;
			// A release brings the root of its time: who installed it trusts that too.
			return factory.root.version > state.root.version ? withRoot(state, factory.root) : state;
		},
		async write(state) {
			const generation = (last?.generation ?? 0) + 1;
			const slot = last?.slot === SLOTS[0] ? SLOTS[1] : SLOTS[0];
			const path = join(folder, slot);
			const content = contentOf(generation, state);
			const digest = digestOf(content);
			if (digest === last?.digest) return;
			try {
				await files.write(path, slotText(content));
			} catch (error) {
				throw diskFault(path, error);
			}
			last = { slot, generation, digest };
		},
	};
}
