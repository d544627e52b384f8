import type { Line } from '../../config/connection/connection.ts';
import { layeredTemplate } from '../../config/template/template-layers.ts';
import type { DeviceTemplate } from '../../config/template/template.ts';
import type { Command, CommandChange } from '../../core/command/command.ts';
import type { CommandService } from '../../core/command/command-service.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import type { Device } from '../../core/device/device.ts';
import type { SetTimer } from '../../core/journal/set-timer.ts';
import { keptResult } from '../../core/command/command-schema.ts';
import { type Clock, toIso } from '../../core/kernel/clock.ts';
import { Fault, messageOf } from '../../core/kernel/fault.ts';
import type { DeviceId } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { Bus } from '../driver/bus.ts';
import { isWrite } from '../driver/modbus/wire/modbus-line.ts';
import { createDeviceTurns } from './device-turns.ts';
import { lockedOut, type LockOut } from './lock-out.ts';
import type { CommandDelivery } from './mqtt-delivery.ts';
import { createStepWriter, NotHeldFault, type StepTarget, type WrittenPoint } from './step-writer.ts';
import { limitSentence } from './write-limit.ts';
import { writePlan, type WriteStep } from './write-plan.ts';

/** Wait before a line that is not open is looked at again. */
const RETRY_MS = 5_000;

/** Commands that count for the limit of a point: all that are kept of a device. */
const LOOK_BACK = 1_100;

export interface ModbusDeliveryDeps {
	readonly commands: Pick<CommandService, 'open' | 'find' | 'advance' | 'newest'>;
	readonly devices: Pick<DeviceService, 'find'>;
	/** The template of this key; `null` when it is not installed. */
	readonly template: (key: string) => DeviceTemplate | null;
	/** The bus of a line; `null` when no device uses it. */
	readonly bus: (line: Line) => Pick<Bus, 'request' | 'isOpen'> | null;
	readonly lockOut: LockOut;
	readonly clock: Pick<Clock, 'now'>;
	readonly setTimer: SetTimer;
	readonly log: Logger;
}

const STOPPED = 'the gateway was stopped during the write; whether the device has taken the value is not known';

/** What became of a command's steps, as far as they came. */
function outcomeOf(written: readonly WrittenPoint[], before: readonly WrittenPoint[], fault: unknown): CommandChange {
	const result = keptResult({ points: written.map((each) => ({ ...each })) });
	if (fault === null) return { status: 'executed', result };
	const done = before.length === 0 ? '' : `${before.map(({ point }) => point).join(', ')} written; then `;
	return { status: 'failed', error: `${done}${messageOf(fault)}`, ...(written.length > 0 && { result }) };
}

/** Writes one step after the other; the first that fails ends the command. */
async function writeSteps(steps: readonly WriteStep[], target: StepTarget): Promise<CommandChange> {
	const writeStep = createStepWriter(target);
	const written: WrittenPoint[] = [];
	for (const step of steps) {
		try {
			// oxlint-disable-next-line no-await-in-loop -- in the order of the payload, and none after one that failed
			written.push(...(await writeStep(step)));
		} catch (fault) {
			const last = fault instanceof NotHeldFault ? fault.written : [];
			return outcomeOf([...written, ...last], written, fault);
		}
	}
	return outcomeOf(written, written, null);
}

/**
 * Writes what pending commands of Modbus devices say, in the order in which they were made, while their line is open. A command is written
 * down as sent before it is sent, so that a power cut cannot write it twice: it is carried out at most once.
 */
export function createModbusDelivery(deps: ModbusDeliveryDeps): CommandDelivery & {
	/** Ends what an earlier life of this process has begun; to be called once, before the first `wake`. */
	readonly recover: () => Promise<void>;
} {
	const { commands, devices, clock, setTimer, log } = deps;

	/** Why a command must not go to the wire now. */
	function refusalOf(device: Device, { id, expiresAt }: Command): Fault | null {
		const lock = deps.lockOut.lockOf(device);
		if (lock !== null) return new Fault('state-conflict', lockedOut(lock));
		if (expiresAt <= clock.now()) return new Fault('timeout', `its time ran out (until ${toIso(expiresAt)})`);
		return commands.find(id)?.status === 'sent' ? null : new Fault('state-conflict', 'the command was ended');
	}

	/** Why a command is not begun; `null`: it is. */
	function whyNot(device: Device, command: Command, template: DeviceTemplate): string | null {
		const lock = deps.lockOut.lockOf(device);
		if (lock !== null) return lockedOut(lock);
		if (!template.points.some(({ write }) => write?.limit !== undefined)) return null;
		return limitSentence(template, command, commands.newest(device.id, null, LOOK_BACK), clock.now());
	}

	/** @returns whether the next command may follow at once */
	async function carryOut(device: Device, command: Command): Promise<boolean> {
		if (device.connection?.driver !== 'modbus') return false;
		const { connection } = device;
		const known = deps.template(connection.template);
		const bus = deps.bus(connection.line);
		if (known === null || bus?.isOpen !== true) return false;
		const template = layeredTemplate(known, connection);
		let steps: readonly WriteStep[];
		try {
			// The device may have another template than when the command was queued.
			steps = writePlan(template, command);
		} catch (error) {
			await commands.advance(command.id, { status: 'failed', error: messageOf(error) });
			return true;
		}
		const why = whyNot(device, command, template);
		if (why !== null) {
			await commands.advance(command.id, { status: 'failed', error: why });
			return true;
		}
		if ((await commands.advance(command.id, { status: 'sent', sentAt: clock.now() })) === null) return true;
		const { unitId, timeoutMs } = connection;
		const lastLook = (): Fault | null => refusalOf(device, command);
		const outcome = await writeSteps(steps, {
			unitId,
			timeoutMs,
			guardMs: template.guardMs,
			template,
			ask: (exchange) => bus.request(exchange, 'write', isWrite(exchange) ? { lastLook } : {}),
		});
		await commands.advance(command.id, outcome);
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
				await commands.advance(id, { status: 'failed', error: STOPPED });
			}
		},
		stop: () => turns.stop(),
	};
}
