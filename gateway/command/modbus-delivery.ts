import type { DeviceTemplate } from '../../config/template/template.ts';
import type { Command, CommandChange } from '../../core/command/command.ts';
import type { CommandService } from '../../core/command/command-service.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import type { Device } from '../../core/device/device.ts';
import type { SetTimer } from '../../core/journal/set-timer.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { Fault, messageOf } from '../../core/kernel/fault.ts';
import type { DeviceId } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { Bus } from '../driver/bus.ts';
import { lineName } from '../driver/modbus/line-name.ts';
import { ModbusFault } from '../driver/modbus/wire/modbus-fault.ts';
import type { EncodedWrite } from '../driver/modbus/codec/register-encoder.ts';
import { writeOf } from './modbus-write.ts';
import { createDeviceTurns } from './device-turns.ts';
import type { CommandDelivery } from './mqtt-delivery.ts';

/** Wait before a line that is not open is looked at again. */
const RETRY_MS = 5_000;

export interface ModbusDeliveryDeps {
	readonly commands: Pick<CommandService, 'open' | 'find' | 'advance'>;
	readonly devices: Pick<DeviceService, 'find'>;
	/** The template of this key; `null` when it is not installed. */
	readonly template: (key: string) => DeviceTemplate | null;
	/** The bus of a line by its name; `null` when no device uses it. */
	readonly bus: (name: string) => Pick<Bus, 'request' | 'isOpen'> | null;
	readonly clock: Pick<Clock, 'now'>;
	readonly setTimer: SetTimer;
	readonly log: Logger;
}

const UNKNOWN = 'whether the device has taken the value is not known';

/** An exception is the device's own word; without one, a write may have been carried out all the same. */
const whyFailed = (fault: unknown): string => {
	const isCertain = fault instanceof ModbusFault ? fault.failure === 'exception' : fault instanceof Fault;
	return isCertain ? messageOf(fault) : `${messageOf(fault)}; ${UNKNOWN}`;
};

/**
 * Writes what pending commands of Modbus devices say, in the order in which they were made, while their line is open. A command is written
 * down as sent before it is sent, so that a power cut cannot write it twice: it is carried out at most once.
 */
export function createModbusDelivery(deps: ModbusDeliveryDeps): CommandDelivery & {
	/** Ends what an earlier life of this process has begun; to be called once, before the first `wake`. */
	readonly recover: () => Promise<void>;
} {
	const { commands, devices, clock, setTimer, log } = deps;

	interface Target {
		readonly unitId: number;
		readonly timeoutMs: number;
		readonly bus: Pick<Bus, 'request'>;
	}

	async function write(target: Target, encoded: EncodedWrite, guardMs: number): Promise<CommandChange> {
		const { unitId, timeoutMs, bus } = target;
		try {
			await bus.request({ ...encoded, unitId, timeoutMs, guardMs }, 'write');
			return { status: 'executed' };
		} catch (fault) {
			return { status: 'failed', error: whyFailed(fault) };
		}
	}

	/** @returns whether the next command may follow at once */
	async function carryOut(device: Device, command: Command): Promise<boolean> {
		if (device.connection?.driver !== 'modbus') return false;
		const { connection } = device;
		const template = deps.template(connection.template);
		const bus = deps.bus(lineName(connection.line));
		if (template === null || bus?.isOpen !== true) return false;
		let encoded: EncodedWrite;
		try {
			// The device may have another template than when the command was queued.
			encoded = writeOf(template, command);
		} catch (error) {
			await commands.advance(command.id, { status: 'failed', error: messageOf(error) });
			return true;
		}
		if ((await commands.advance(command.id, { status: 'sent', sentAt: clock.now() })) === null) return true;
		await commands.advance(command.id, await write({ ...connection, bus }, encoded, template.guardMs));
		return true;
	}

	async function run(id: DeviceId): Promise<number | null> {
		for (;;) {
			const command = commands.open(id).find(({ status }) => status === 'pending');
			const device = devices.find(id);
			if (command === undefined || device?.connection?.driver !== 'modbus' || turns.isStopped) return null;
			// Not now: the line is to be opened, or the queue is about to drop what has expired.
			if (command.expiresAt <= clock.now() || !(await carryOut(device, command))) return RETRY_MS;
		}
	}

	const turns = createDeviceTurns({ run, setTimer, log });
	return {
		wake: (id) => turns.wake(id),
		hurry: (id) => turns.hurry(id),
		async recover() {
			for (const { id, status, device } of commands.open()) {
				if (status !== 'sent' || devices.find(device)?.connection?.driver !== 'modbus') continue;
				await commands.advance(id, { status: 'failed', error: `the gateway was stopped during the write; ${UNKNOWN}` });
			}
		},
		stop: () => turns.stop(),
	};
}
