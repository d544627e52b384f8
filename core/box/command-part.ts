import { join } from 'node:path';

import type { Command, CommandDraft } from '../command/command.ts';
import type { ResponseListener } from '../command/command-realtime.ts';
import { createCommandService } from '../command/command-service.ts';
import { createCommandStore } from '../command/command-store.ts';
import type { DeviceService } from '../device/device-service.ts';
import type { Device } from '../device/device.ts';
import { systemTimer } from '../journal/set-timer.ts';
import type { Clock, EpochMs } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Lifecycle } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { ensureSound } from '../storage/ensure-sound.ts';
import { openDatabase } from '../storage/pouch.ts';
import { openFeedIdentity } from '../sync/record-feed.ts';
import type { Metrics } from '../system/metrics.ts';

export interface CommandPartDeps {
	/** Folder of everything durable. */
	readonly data: string;
	readonly devices: Pick<DeviceService, 'listen'>;
	readonly assertFits: (device: Device, draft: CommandDraft) => void;
	readonly awaitedUntil?: (command: Command) => EpochMs;
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}

/** The command queue on its disk: the same on gateway and hub. How a command reaches its device is added while composing. */
export async function openCommands({ data, devices, lifecycle, ...deps }: CommandPartDeps) {
	const { clock, log } = deps;
	await ensureSound(join(data, 'commands'), log);
	const database = openDatabase<never>(join(data, 'commands'));
	lifecycle.own('command documents', { stop: () => database.close() });
	const identity = lifecycle.own('positions of commands', await openFeedIdentity(database, log));
	const store = await createCommandStore(database, clock, identity);
	const commands = lifecycle.own('commands', createCommandService({ ...deps, commands: store, setTimer: systemTimer }));
	devices.listen({
		changed({ id, deletedAt }) {
			if (deletedAt === null) return;
			commands
				.fail(id, 'the device was deleted')
				.catch((error: unknown) => log.error('commands-not-failed', { device: id, reason: messageOf(error) }));
		},
	});
	/** Told of what devices answer; the realtime part and the uplink add themselves. */
	const responses: ResponseListener[] = [];
	return { commands, responses, commandFeed: store.feed };
}

export type CommandPart = Awaited<ReturnType<typeof openCommands>>;

export function addCommandMetrics(metrics: Metrics, { commands }: Pick<CommandPart, 'commands'>): void {
	metrics.add({
		name: 'commands_open',
		help: 'Commands that are not final, by status',
		kind: 'gauge',
		labels: ['status'],
		read: () => Object.entries(commands.stats().open).map(([status, value]) => ({ value, labels: { status } })),
	});
	metrics.add({
		name: 'commands_finished_total',
		help: 'Commands that became final since the start, by outcome',
		kind: 'counter',
		labels: ['outcome'],
		read: () => Object.entries(commands.stats().finished).map(([outcome, value]) => ({ value, labels: { outcome } })),
	});
}
