import type { Command } from '../../core/command/command.ts';
import type { CommandService } from '../../core/command/command-service.ts';
import { commandRoute, commandTopic } from '../../core/command/command-topics.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import type { Device } from '../../core/device/device.ts';
import type { SetTimer } from '../../core/journal/set-timer.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import type { DeviceId } from '../../core/kernel/id.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { Broker } from '../../core/mqtt/mqtt.ts';
import { createDeviceTurns } from './device-turns.ts';
import { lockedOut, type LockOut } from './lock-out.ts';

/** Longest wait for a device's PUBACK. */
const ACK_TIMEOUT_MS = 10_000;
/** Wait before the same command is sent again to a device that stays connected and did not acknowledge it. */
const RETRY_MS = 30_000;
/** Sendings without an acknowledgement after which a command has failed. */
const MOST_ATTEMPTS = 5;

export interface MqttDeliveryDeps {
	readonly commands: Pick<CommandService, 'open' | 'find' | 'advance'>;
	readonly devices: Pick<DeviceService, 'find'>;
	readonly deliver: Broker['deliver'];
	readonly lockOut: LockOut;
	readonly clock: Pick<Clock, 'now'>;
	readonly setTimer: SetTimer;
	readonly log: Logger;
}

export interface CommandDelivery extends Stoppable {
	/** A command of this device was queued. */
	wake(device: DeviceId): void;
	/** The device has come. */
	hurry(device: DeviceId): void;
}

/**
 * Hands pending commands to MQTT devices: in the order in which they were made, one in flight for each device, only while the device is
 * subscribed to the command's topic; those for other topics do not wait for one it is not subscribed to.
 *
 * A command that was acknowledged is written down as sent and never sent again. Until that is on disk it may be sent more than once -
 * after a lost PUBACK, or a power cut between the PUBACK and the disk - always with the same `command_id`, by which the device
 * tells a repetition.
 */
export function createMqttDelivery({
	commands,
	devices,
	deliver,
	lockOut,
	clock,
	setTimer,
	log,
}: MqttDeliveryDeps): CommandDelivery {
	async function noteTimeout(command: Command): Promise<void> {
		const attempts = command.attempts + 1;
		if (attempts < MOST_ATTEMPTS) {
			await commands.advance(command.id, { attempts });
			return;
		}
		const error = `the device did not acknowledge it in ${attempts} attempts; whether it has it is not known`;
		await commands.advance(command.id, { attempts, status: 'failed', error });
	}

	/** @returns whether the device took it, or did not have to; what follows may be sent then */
	async function send(device: Device, command: Command, missing: Set<string>): Promise<boolean> {
		const route = commandRoute(command.name);
		const topic = commandTopic(device.uid, route);
		if (missing.has(topic)) return true;
		const lock = lockOut.lockOf(device);
		if (lock !== null) {
			await commands.advance(command.id, { status: 'failed', error: lockedOut(lock) });
			return true;
		}
		const message = JSON.stringify(route.message(command));
		const result = await deliver(device.uid, topic, message, { timeoutMs: ACK_TIMEOUT_MS });
		if (result === 'not-subscribed') {
			missing.add(topic);
			return true;
		}
		if (result === 'timeout') {
			// The end of this process is no fault of the device.
			if (!turns.isStopped) await noteTimeout(command);
			return false;
		}
		await commands.advance(command.id, { status: route.isAnswered ? 'sent' : 'executed', sentAt: clock.now() });
		return true;
	}

	/** What is still to be sent of a command: meanwhile a person, its expiry or an answer may have ended it. */
	function stillPending({ id }: Command): Command | null {
		const now = commands.find(id);
		return now !== null && now.status === 'pending' && now.expiresAt > clock.now() ? now : null;
	}

	async function run(id: DeviceId): Promise<number | null> {
		const missing = new Set<string>();
		const queue = commands.open(id).filter(({ status }) => status === 'pending');
		for (const queued of queue) {
			const device = devices.find(id);
			if (device?.connection?.driver !== 'mqtt' || turns.isStopped) return null;
			const command = stillPending(queued);
			if (command !== null && !(await send(device, command, missing))) return RETRY_MS;
		}
		return null;
	}

	const turns = createDeviceTurns({ run, setTimer, log });
	return turns;
}
