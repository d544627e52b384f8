import type { CommandService } from '../command/command-service.ts';
import type { Command } from '../command/command.ts';
import type { TenantId } from '../kernel/id.ts';
import { type CommandRecord, MAX_ERROR_CHARACTERS, parseCommandRecord } from '../link/record-messages.ts';
import type { RecordFeed } from './record-feed.ts';
import type { RecordKind } from './record-kind.ts';

/** Who may say and hear what of commands. */
export interface CommandRecordPolicy {
	/** The tenant here that records of the other box belong to. @throws Fault `not-found` */
	readonly tenantOf: (peer: string) => TenantId;
	/** @throws Fault `forbidden` with the reason when the other box may not say it. @param known the command of this id that is here */
	readonly assertCommand: (record: CommandRecord, known: Command | null, peer: string) => void;
	readonly hearsCommand: (command: Command, peer: string) => boolean;
}

export interface CommandRecordsDeps {
	readonly commands: Pick<CommandService, 'show' | 'find'>;
	readonly commandFeed: RecordFeed<Command>;
	readonly policy: CommandRecordPolicy;
}

function recordOf({ tenantId: _tenantId, origin: _origin, actor, ...command }: Command): CommandRecord {
	return { ...command, email: actor.email, error: command.error?.slice(0, MAX_ERROR_CHARACTERS) ?? null };
}

/** Commands of a gateway's own people, as its hub shows them: the gateway alone says what becomes of them. */
export const createCommandRecords = ({ commands, commandFeed, policy }: CommandRecordsDeps): RecordKind => ({
	name: 'command',
	feed: commandFeed,
	changes: (after, limit, peer) =>
		commandFeed.since(after, limit, ({ record }) => (policy.hearsCommand(record, peer) ? recordOf(record) : null)),
	async take(raw, peer) {
		const record = parseCommandRecord(raw);
		policy.assertCommand(record, commands.find(record.id), peer);
		const { email, ...command } = record;
		const tenantId = policy.tenantOf(peer);
		await commands.show({ ...command, tenantId, origin: 'gateway', actor: { userId: null, email } });
	},
	stored: async () => undefined,
});
