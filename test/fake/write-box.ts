import type { ExecutionContext } from 'ava';

import type { PointOverride, TemplateOption } from '../../config/connection/connection.ts';
import type { DeviceTemplate } from '../../config/template/template.ts';
import type { Command } from '../../core/command/command.ts';
import type { Device } from '../../core/device/device.ts';
import { systemTimer } from '../../core/journal/set-timer.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { assertDeviceTakes } from '../../gateway/command/gateway-delivery.ts';
import { type LockOut, noLockOut } from '../../gateway/command/lock-out.ts';
import { createModbusDelivery } from '../../gateway/command/modbus-delivery.ts';
import { lineName } from '../../gateway/driver/modbus/line-name.ts';
import { openModbusDriver } from '../../gateway/driver/modbus/open-modbus-driver.ts';
import { waitFor } from '../system/kit/wait-for.ts';
import { actorOfRole } from './actor-of-role.ts';
import { commandBox, draftOfCommand } from './command-box.ts';
import { deviceOf } from './device-box.ts';
import { portsOf } from './machine-ports.ts';

const MANAGER = actorOfRole('manager');

export interface WriteBoxOptions {
	readonly template: DeviceTemplate;
	/** Whether the line is open from the start. */
	readonly isPolled?: boolean;
	readonly lockOut?: LockOut;
	/** Longest wait for an answer; absent: longer than any stall of a loaded machine. */
	readonly timeoutMs?: number;
	/** What the device says above its template. */
	readonly layer?: { readonly options?: readonly TemplateOption[]; readonly overrides?: readonly PointOverride[] };
}

/** A Modbus device behind a real driver on a TCP port, and the queue of its commands. */
export async function writeBox(
	t: ExecutionContext,
	port: number,
	{ template, isPolled = true, lockOut = noLockOut, timeoutMs = 10_000, layer = {} }: WriteBoxOptions,
) {
	const templates = new Map([[template.key, template]]);
	const device = deviceOf(1, 'heater', {
		connection: {
			driver: 'modbus',
			line: { transport: 'tcp', host: '127.0.0.1', port },
			unitId: 1,
			template: template.key,
			periodMs: 60_000,
			timeoutMs,
			...layer,
		},
	});
	const devices = { find: (id: string): Device | null => (id === device.id ? device : null) };
	const queue = await commandBox({ assertFits: (which, draft) => assertDeviceTakes(which, draft, templates) });
	const driver = openModbusDriver({
		ports: portsOf(),
		fieldTlsFolder: null,
		templates,
		sink: { reading: () => undefined, health: () => undefined },
		clock: systemClock,
		log: silentLog,
	});
	const deliver = (commands: typeof queue.commands) => {
		const delivery = createModbusDelivery({
			commands,
			devices,
			template: (wanted) => templates.get(wanted) ?? null,
			bus: (line) => driver.bus(lineName(line)),
			lockOut,
			clock: queue.timer.clock,
			setTimer: (callback, delayMs) => systemTimer(callback, delayMs / 100),
			log: silentLog,
		});
		commands.listen({ queued: ({ device: id }) => delivery.wake(id) });
		return delivery;
	};
	const { commands } = queue;
	const delivery = deliver(commands);
	if (isPolled) await driver.apply([device]);
	t.teardown(async () => {
		await driver.stop();
		await delivery.stop();
		await queue.close();
	});
	const create = (payload: Command['payload'], name = 'write', ttlMs = 3_600_000) =>
		commands.create(device, draftOfCommand(name, { payload, ttlMs }), MANAGER);
	const write = async (payload: Command['payload']): Promise<Command> => {
		const { id } = await create(payload);
		return waitFor('the outcome', 30_000, async () => {
			const now = commands.find(id);
			return now !== null && ['executed', 'failed'].includes(now.status) && now;
		});
	};
	return { ...queue, device, driver, delivery, deliver, create, write };
}
