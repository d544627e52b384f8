import type { CommandPayload } from '../../core/command/command.ts';
import type { ResponseListener } from '../../core/command/command-realtime.ts';
import { keptResult } from '../../core/command/command-schema.ts';
import type { CommandService } from '../../core/command/command-service.ts';
import type { Device } from '../../core/device/device.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { ResponseMessage } from '../../core/telemetry/telemetry-topics.ts';

export interface DeviceResponsesDeps {
	readonly commands: Pick<CommandService, 'find' | 'advance'>;
	/** Told of every answer, also of one that changes no command. */
	readonly listeners: readonly ResponseListener[];
	readonly log: Logger;
}

/** The device's own words on a failure, as far as it has some. */
function errorOf({ error, message }: CommandPayload): string {
	const words = [error, message].find((text) => typeof text === 'string' && text !== '');
	return typeof words === 'string' ? `the device says: ${words.slice(0, 500)}` : 'the device says that it failed';
}

/** `devices/{uid}/response`: an answer ends its command. One to an unknown, foreign or final command changes nothing. */
export function createDeviceResponses({ commands, listeners, log }: DeviceResponsesDeps) {
	async function settle(device: Device, { commandId, status, at, fields }: ResponseMessage): Promise<void> {
		const command = commands.find(commandId);
		const isOwn = command !== null && command.device === device.id;
		const end =
			status === 'executed'
				? { status, result: keptResult(fields), ...(at !== null && { executedAt: at }) }
				: { status, result: keptResult(fields), error: errorOf(fields) };
		if (!isOwn || (await commands.advance(commandId, end)) === null)
			log.warn('command-response-ignored', {
				device: device.uid,
				command: commandId,
				status,
				reason: isOwn ? `the command is ${command.status}` : 'the device has no such command',
			});
	}

	return (device: Device, response: ResponseMessage): void => {
		for (const listener of listeners) listener(device, response.fields);
		settle(device, response).catch((error: unknown) =>
			log.error('command-response-not-stored', { device: device.uid, reason: messageOf(error) }),
		);
	};
}
