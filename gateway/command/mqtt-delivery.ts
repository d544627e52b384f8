import type { Command } from '../../core/command/command.ts';
import type { CommandService } from '../../core/command/command-service.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import type { Device } from '../../core/device/device.ts';
import type { SetTimer } from '../../core/journal/set-timer.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import type { DeviceId } from '../../core/kernel/id.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { Broker } from '../../core/mqtt/mqtt.ts';
import { commandRoute, commandTopic } from './command-topics.ts';

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
	readonly clock: Pick<Clock, 'now'>;
	readonly setTimer: SetTimer;
	readonly log: Logger;
}

export interface CommandDelivery extends Stoppable {
	/** A command of this device may be sent now: it was queued, or the device came. */
	wake(device: DeviceId): void;
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
	clock,
	setTimer,
	log,
}: MqttDeliveryDeps): CommandDelivery {
	const running = new Map<DeviceId, Promise<void>>();
	/** Woken while running: looks once more, because what made it skip a command may be over. */
	const wokenAgain = new Set<DeviceId>();
	const retries = new Map<DeviceId, () => void>();
	let isStopped = false;

	function retryLater(id: DeviceId): void {
		retries.get(id)?.();
		retries.set(
			id,
			setTimer(() => {
				retries.delete(id);
				wake(id);
			}, RETRY_MS),
		);
	}

	async function noteTimeout(command: Command): Promise<void> {
		const attempts = command.attempts + 1;
		if (attempts < MOST_ATTEMPTS) {
			await commands.advance(command.id, { attempts });
			return;
		}
		const error = `the device did not acknowledge it in ${attempts} attempts; whether it has it is not known`;
		await commands.advance(command.id, { attempts, status: 'failed', error });
	}

	/** @returns whether the next command may follow at once */
	async function send(device: Device, command: Command, missing: Set<string>): Promise<boolean> {
		const route = commandRoute(command.name);
		const topic = commandTopic(device.uid, route);
		if (missing.has(topic)) return true;
		const message = JSON.stringify(route.message(command));
		const result = await deliver(device.uid, topic, message, { timeoutMs: ACK_TIMEOUT_MS });
		if (result === 'not-subscribed') {
			missing.add(topic);
			return true;
		}
		if (result === 'timeout') {
			await noteTimeout(command);
			retryLater(device.id);
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

	async function run(id: DeviceId): Promise<void> {
		const missing = new Set<string>();
		const queue = commands.open(id).filter(({ status }) => status === 'pending');
		for (const queued of queue) {
			const device = devices.find(id);
			if (device?.connection?.driver !== 'mqtt' || isStopped) return;
			const command = stillPending(queued);
			if (command !== null && !(await send(device, command, missing))) return;
		}
	}

	function wake(id: DeviceId): void {
		if (isStopped) return;
		if (running.has(id)) {
			wokenAgain.add(id);
			return;
		}
		const task = run(id)
			.catch((error: unknown) => log.error('command-not-delivered', { device: id, reason: messageOf(error) }))
			.finally(() => {
				running.delete(id);
				if (wokenAgain.delete(id)) wake(id);
			});
		running.set(id, task);
	}

	return {
		wake,
		async stop() {
			isStopped = true;
			for (const cancel of retries.values()) cancel();
			retries.clear();
			await Promise.all(running.values());
		},
	};
}
