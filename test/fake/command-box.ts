import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Command, CommandDraft } from '../../core/command/command.ts';
import { createCommandService, type CommandServiceDeps } from '../../core/command/command-service.ts';
import { createCommandStore, type CommandStoreLimits } from '../../core/command/command-store.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { openDatabase } from '../../core/storage/pouch.ts';
import { openFeedIdentity, type RecordFeed } from '../../core/sync/record-feed.ts';
import { createManualTimer } from './manual-timer.ts';

export const draftOfCommand = (name = 'restart', changes: Partial<CommandDraft> = {}): CommandDraft => ({
	name,
	payload: {},
	ttlMs: 3_600_000,
	...changes,
});

/** A command queue over the real store in a temporary folder, with a clock that is moved by hand. */
export async function commandBox(
	rules: Partial<CommandServiceDeps> & { readonly storeLimits?: Partial<CommandStoreLimits> } = {},
) {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-commands-'));
	const timer = createManualTimer();
	const stops: (() => Promise<void>)[] = [];
	let feed: RecordFeed<Command>;
	async function open() {
		for (const stop of stops.splice(0)) await stop();
		const database = openDatabase<never>(join(folder, 'commands'));
		const identity = await openFeedIdentity(database, silentLog);
		const store = await createCommandStore(database, timer.clock, identity, rules.storeLimits);
		feed = store.feed;
		const commands = createCommandService({
			commands: store,
			assertFits: () => undefined,
			clock: timer.clock,
			setTimer: timer.setTimer,
			log: silentLog,
			...rules,
		});
		stops.push(async () => {
			await commands.stop();
			await identity.stop();
			await database.close();
		});
		return commands;
	}
	return {
		timer,
		commands: await open(),
		/** Of the present life. */
		feed: () => feed,
		/** A second life on the same folder. */
		reopen: open,
		close: async () => {
			for (const stop of stops.splice(0)) await stop();
			rmSync(folder, { recursive: true, force: true });
		},
	};
}
