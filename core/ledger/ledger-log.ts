import { join } from 'node:path';

import type { FileLayer, JournalFile } from '../journal/file-layer.ts';
import { createTurns } from '../kernel/turns.ts';
import type { LedgerChange } from './ledger.ts';
import { recordLine } from './record-lines.ts';

const NAME = /^log-(\d{1,15})$/;

export const ledgerLogName = (number: number): string => `log-${number}`;

/** Numbers of the logs among the names of a folder, ascending. */
export const ledgerLogNumbers = (names: Iterable<string>): readonly number[] =>
	[...names]
		.flatMap((name) => Number(NAME.exec(name)?.[1] ?? Number.NaN))
		.filter((number) => number >= 0)
		.toSorted((a, b) => a - b);

/** Most lines that wait for the disk; with more, the oldest mark of time is no loss, and everything else is in the next snapshot. */
const MAX_WAITING = 200_000;

export interface LedgerLogDeps {
	readonly files: FileLayer;
	readonly folder: string;
	/** Number of the first log that is written. */
	readonly first: number;
}

/** Changes of the ledger, line after line; one sync for all that wait. */
export function createLedgerLog({ files, folder, first }: LedgerLogDeps) {
	let number = first;
	let file: JournalFile | null = null;
	let position = 0;
	let waiting: string[] = [];
	const { run: inTurn } = createTurns();

	async function open(): Promise<JournalFile> {
		const made = await files.create(join(folder, ledgerLogName(number)));
		await files.syncFolder(folder);
		position = 0;
		return made;
	}

	async function write(): Promise<void> {
		if (waiting.length === 0) return;
		const lines = waiting;
		waiting = [];
		try {
			file ??= await open();
			const bytes = Buffer.from(lines.join(''));
			await file.write(position, bytes);
			await file.datasync();
			position += bytes.length;
		} catch (error) {
			// Nobody was told that they are written down; they are said again with the next try.
			waiting = [...lines, ...waiting].slice(-MAX_WAITING);
			throw error;
		}
	}

	return {
		add(change: LedgerChange): void {
			if (waiting.length < MAX_WAITING) waiting.push(recordLine(change));
		},
		/** Resolves when everything added before is on disk. */
		flush: (): Promise<void> => inTurn(write),
		/** Ends the log and begins the next; answers its number. */
		turn: (): Promise<number> =>
			inTurn(async () => {
				await file?.close();
				file = null;
				position = 0;
				number += 1;
				return number;
			}),
		async removeBefore(kept: number): Promise<void> {
			const names = await files.list(folder);
			for (const old of ledgerLogNumbers(names.map(({ name }) => name)))
				if (old < kept) await files.remove(join(folder, ledgerLogName(old)));
		},
		bytes: (): number => position,
		stop: (): Promise<void> =>
			inTurn(async () => {
				await write();
				await file?.close();
				file = null;
			}),
	};
}
