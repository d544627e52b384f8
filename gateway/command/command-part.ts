import type { DeviceTemplate } from '../../config/template/template.ts';
import { openCommands } from '../../core/box/command-part.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import { systemTimer } from '../../core/journal/set-timer.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import type { Lifecycle } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { createCommandLink } from './command-link.ts';
import { assertDeviceTakes, createGatewayDelivery } from './gateway-delivery.ts';
import { createHubCommands } from './hub-commands.ts';
import { type LockOut, noLockOut } from './lock-out.ts';
import { createWriteRevert } from './write-revert.ts';
import { createModbusDelivery, type ModbusDeliveryDeps } from './modbus-delivery.ts';
import { createMqttDelivery, type MqttDeliveryDeps } from './mqtt-delivery.ts';

export interface GatewayCommandPartDeps extends Pick<MqttDeliveryDeps, 'deliver'>, Pick<ModbusDeliveryDeps, 'bus'> {
	/** Folder of everything durable. */
	readonly data: string;
	readonly devices: DeviceService;
	readonly templates: ReadonlyMap<string, DeviceTemplate>;
	/** Absent: nobody locks devices out. */
	readonly lockOut?: LockOut;
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}

/** Commands of this gateway: its own and the hub's, and their ways to devices. What a power cut has left on a line is ended here. */
export async function openGatewayCommands(deps: GatewayCommandPartDeps) {
	const { data, devices, templates, lifecycle, clock, log } = deps;
	const part = await openCommands({
		data,
		devices,
		assertFits: (device, draft) => assertDeviceTakes(device, draft, templates),
		lifecycle,
		clock,
		log,
	});
	const { commands } = part;
	const { lockOut = noLockOut } = deps;
	const common = { commands, devices, lockOut, clock, setTimer: systemTimer, log };
	const mqtt = lifecycle.own('MQTT delivery', createMqttDelivery({ ...common, deliver: deps.deliver }));
	const modbus = lifecycle.own(
		'Modbus delivery',
		createModbusDelivery({ ...common, template: (key) => templates.get(key) ?? null, bus: deps.bus }),
	);
	await modbus.recover();
	const delivery = createGatewayDelivery({ devices, deliveries: { mqtt, modbus } });
	commands.listen(delivery);
	const reverts = lifecycle.own(
		'reverts of writes',
		createWriteRevert({ ...common, template: (key) => templates.get(key) ?? null }),
	);
	commands.listen(reverts);
	const link = createCommandLink();
	const ofHub = createHubCommands({ ...common, report: link.report });
	commands.listen(ofHub.command);
	part.responses.push(ofHub.response);
	return {
		part,
		feature: link.feature(ofHub),
		/** A device's connection can be reached on one more topic. */
		subscribed: delivery.subscribed,
		/** Takes up what an earlier life of this process left in the queue: once devices can be reached. */
		resume(): void {
			delivery.resume(commands.open());
			reverts.resume();
		},
	};
}

export type GatewayCommandPart = Awaited<ReturnType<typeof openGatewayCommands>>;
