import type { Command, CommandPayload } from '../../core/command/command.ts';
import { MAX_TTL_MS } from '../../core/command/command-schema.ts';
import type { ResponseListener } from '../../core/command/command-realtime.ts';
import type { CommandListener, CommandService } from '../../core/command/command-service.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import { type Clock, epochMs } from '../../core/kernel/clock.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { commandBatches } from '../../core/link/command-batches.ts';
import {
	type CommandMessage,
	type CommandReport,
	type CommandResponse,
	type CommandState,
	parseLinkMessage,
} from '../../core/link/link-messages.ts';

/** Answers of devices that wait for the hub; with more, the oldest is left out. Each is a record of telemetry, which the hub gets anyway. */
const WAITING_RESPONSES = 200;

/** Longest answer that is handed on whole, characters of JSON. */
const RESPONSE_CHARS = 16_384;

export interface HubCommandsDeps {
	readonly commands: Pick<CommandService, 'accept' | 'find'>;
	readonly devices: Pick<DeviceService, 'find'>;
	/** @throws when the hub has not heard it */
	readonly report: (report: CommandReport) => Promise<void>;
	readonly clock: Pick<Clock, 'now'>;
	readonly log: Logger;
}

const stateOf = ({ id, status, sentAt, executedAt, error, result }: Command): CommandState => ({
	command_id: id,
	status,
	sent_at: sentAt,
	executed_at: executedAt,
	error: error?.slice(0, 2_000) ?? null,
	result,
});

/** An answer that is too long for those who wait is told of; its record of telemetry has it. */
function handedOn(data: CommandPayload): CommandPayload {
	if (JSON.stringify(data).length <= RESPONSE_CHARS) return data;
	const { command_id: id = null, status = null } = data;
	return { command_id: id, status };
}

const refused = (id: string, error: string): CommandState => ({
	command_id: id,
	status: 'failed',
	sent_at: null,
	executed_at: null,
	error,
	result: null,
});

/**
 * Commands of the hub at the gateway. Each is on disk before it is carried out, and its id is remembered for as long as the hub may send it
 * again: it is carried out at most once, and a repetition is answered with where it stands. The hub has checked who may command
 * what; the gateway only asks whether the device takes it. A report that is lost is made up for by the repetition.
 */
export function createHubCommands({ commands, devices, report, clock, log }: HubCommandsDeps) {
	let responses: CommandResponse[] = [];
	let isReporting = false;
	/** Messages are taken one after the other, so that commands keep their order. */
	let last: Promise<void> = Promise.resolve();
	let isAskedAgain = false;

	function tell(changes: readonly CommandState[]): void {
		report({ changes, responses: [] }).catch((error: unknown) =>
			log.debug('command-state-not-told', { commands: changes.length, reason: messageOf(error) }),
		);
	}

	async function tellWaiting(): Promise<void> {
		try {
			while (responses.length > 0) {
				const [batch = []] = commandBatches(responses);
				await report({ changes: [], responses: batch });
				responses = responses.filter((response) => !batch.includes(response));
			}
		} catch (error) {
			log.debug('command-responses-wait', { responses: responses.length, reason: messageOf(error) });
		}
	}

	async function tellResponses(): Promise<void> {
		isAskedAgain = isReporting;
		if (isReporting) return;
		isReporting = true;
		// The link may have come up while an attempt was failing.
		do {
			isAskedAgain = false;
			await tellWaiting();
		} while (isAskedAgain);
		isReporting = false;
	}

	async function take(message: CommandMessage): Promise<CommandState> {
		const { command_id: id, device: deviceId, name, payload, expires_in_ms: leftMs, actor: email } = message;
		const device = devices.find(deviceId);
		const known = commands.find(id);
		if (known !== null) return stateOf(known);
		if (message.is_accepted) return refused(id, 'the gateway has lost the command; what became of it is not known');
		if (device === null) return refused(id, `the gateway has no device ${deviceId}`);
		const expiresAt = epochMs(clock.now() + Math.min(Math.max(0, leftMs), MAX_TTL_MS));
		return stateOf(await commands.accept(device, { id, name, payload, expiresAt, email }));
	}

	async function takeAll(messages: readonly CommandMessage[]): Promise<void> {
		const states: CommandState[] = [];
		for (const message of messages) states.push(await take(message));
		// Meanwhile they may have changed, and the hub was told.
		tell(states.map((state) => stateNow(state)));
	}

	function stateNow(state: CommandState): CommandState {
		const command = commands.find(state.command_id);
		return command === null ? state : stateOf(command);
	}

	return {
		/** A message of the hub. @throws Fault `rule-violation` when it is none */
		received(payload: Uint8Array): void {
			const { commands: messages } = parseLinkMessage('command', payload);
			last = last
				.then(() => takeAll(messages))
				.catch((error: unknown) =>
					// Not on disk, so not answered: the hub sends it again with the next connection.
					log.error('hub-commands-not-stored', { reason: messageOf(error) }),
				);
		},
		linkUp: (): void => void tellResponses(),
		/** To be added to the listeners of the command service. */
		command: { changed: (command) => command.origin === 'hub' && tell([stateOf(command)]) } satisfies CommandListener,
		/** Answers of devices, which people at the hub may wait for. */
		response: ((device, data) => {
			responses = [...responses.slice(1 - WAITING_RESPONSES), { device: device.id, data: handedOn(data) }];
			void tellResponses();
		}) satisfies ResponseListener,
	};
}
