import type { Command, CommandChange } from '../../core/command/command.ts';
import type { ResponseListener } from '../../core/command/command-realtime.ts';
import { keptResult } from '../../core/command/command-schema.ts';
import type { CommandListener, CommandService } from '../../core/command/command-service.ts';
import type { Device } from '../../core/device/device.ts';
import { type Clock, type EpochMs, epochMs } from '../../core/kernel/clock.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import type { DeviceId, GatewayId } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { commandBatches } from '../../core/link/command-batches.ts';
import type { HubLinkFeature } from '../../core/link/link-feature.ts';
import {
	type CommandMessage,
	type CommandMessages,
	type CommandState,
	parseLinkMessage,
} from '../../core/link/link-messages.ts';

/** How long after its end the hub waits for a gateway's word on a command that it may have carried out, ms: a day. */
const REPORT_GRACE_MS = 86_400_000;

export interface GatewayCommandsDeps {
	readonly commands: Pick<CommandService, 'open' | 'find' | 'advance'>;
	/** The device of this id, deleted ones too; `null` when the hub does not know it. */
	readonly deviceOf: (id: DeviceId) => Device | null;
	/** `false` when the gateway is not there to hear them. */
	readonly send: (gateway: GatewayId, message: CommandMessages) => boolean;
	readonly isOnline: (gateway: GatewayId) => boolean;
	/** Told of the answers of devices. */
	readonly listeners: readonly ResponseListener[];
	readonly clock: Pick<Clock, 'now'>;
	readonly log: Logger;
}

/** Until when the hub awaits the outcome of a command: once a gateway may have it, only the gateway knows. */
export const awaitedUntil = ({ expiresAt, attempts }: Command): EpochMs =>
	attempts === 0 ? expiresAt : epochMs(expiresAt + REPORT_GRACE_MS);

/**
 * Commands for devices behind gateways. While a gateway is connected, what is queued is handed on at once; with each new connection the
 * gateway is sent everything that is open, and answers each with where it stands. That it was handed on is on disk before it is.
 */
export function createGatewayCommands(deps: GatewayCommandsDeps) {
	const { commands, deviceOf, clock, log } = deps;
	/** Gateways that are being told of what is open. */
	const telling = new Map<GatewayId, Promise<void>>();

	const gatewayOf = (command: Command): GatewayId | null => deviceOf(command.device)?.gatewayId ?? null;

	const messageOfCommand = (command: Command): CommandMessage => ({
		command_id: command.id,
		device: command.device,
		name: command.name,
		payload: command.payload,
		// Never more than it had, whatever became of the clock.
		expires_in_ms: Math.min(command.expiresAt - clock.now(), command.expiresAt - command.createdAt),
		actor: command.actor.email,
		is_accepted: command.acceptedAt !== null,
	});

	async function handOn(gateway: GatewayId, batch: readonly Command[]): Promise<void> {
		const noted: Command[] = [];
		for (const { id, attempts } of batch) {
			const command = await commands.advance(id, { attempts: attempts + 1 });
			if (command !== null) noted.push(command);
		}
		if (noted.length > 0) deps.send(gateway, { commands: noted.map(messageOfCommand) });
	}

	/** What has run out before it was ever handed on is left to the queue, which drops it. */
	const isWanted = (command: Command): boolean => command.attempts > 0 || command.expiresAt > clock.now();

	/** One after the other, so that commands of a gateway keep their order. */
	function inTurn(gateway: GatewayId, work: () => Promise<void>): void {
		const turn = (telling.get(gateway) ?? Promise.resolve())
			.then(work)
			.catch((error: unknown) => log.error('commands-not-handed-on', { gateway, reason: messageOf(error) }))
			.finally(() => {
				if (telling.get(gateway) === turn) telling.delete(gateway);
			});
		telling.set(gateway, turn);
	}

	async function tellOpen(gateway: GatewayId): Promise<void> {
		const open = commands.open().filter((command) => gatewayOf(command) === gateway && isWanted(command));
		for (const batch of commandBatches(open)) await handOn(gateway, batch);
	}

	async function handOnNew({ id }: Command, gateway: GatewayId): Promise<void> {
		const command = commands.find(id);
		if (command?.attempts === 0 && deps.isOnline(gateway)) await handOn(gateway, [command]);
	}

	async function note(gateway: GatewayId, state: CommandState): Promise<void> {
		const command = commands.find(state.command_id);
		if (command === null || gatewayOf(command) !== gateway) {
			log.warn('command-state-ignored', { gateway, command: state.command_id, status: state.status });
			return;
		}
		const acceptedAt = command.acceptedAt ?? clock.now();
		const change: CommandChange = {
			status: state.status,
			acceptedAt,
			sentAt: state.sent_at,
			executedAt: state.executed_at,
			error: state.error,
			result: state.result === null ? null : keptResult(state.result),
		};
		if ((await commands.advance(command.id, change)) === null)
			log.debug('command-state-late', { gateway, command: command.id, status: state.status });
	}

	/** @throws Fault `rule-violation` when the message is none; anything else: it could not be stored */
	async function reported(gateway: GatewayId, payload: Uint8Array): Promise<void> {
		const { changes, responses } = parseLinkMessage('commands', payload);
		for (const state of changes) await note(gateway, state);
		for (const { device: id, data } of responses) {
			const device = deviceOf(id);
			if (device?.gatewayId !== gateway) continue;
			for (const listener of deps.listeners) listener(device, data);
		}
	}

	/** A gateway is there: it can be told what is open. */
	const hello = (gateway: GatewayId): void => inTurn(gateway, () => tellOpen(gateway));

	return {
		feature: { hears: { commands: reported }, begin: hello } satisfies HubLinkFeature,
		/** To be added to the listeners of the command service. */
		command: {
			queued(command) {
				const gateway = gatewayOf(command);
				if (gateway !== null) inTurn(gateway, () => handOnNew(command, gateway));
			},
		} satisfies CommandListener,
		async stop(): Promise<void> {
			await Promise.all(telling.values());
		},
	};
}
