import { layeredTemplate } from '../../config/template/template-layers.ts';
import type { DeviceTemplate } from '../../config/template/template.ts';
import type { Command, CommandDraft } from '../../core/command/command.ts';
import type { CommandListener } from '../../core/command/command-service.ts';
import { commandRoute } from '../../core/command/command-topics.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import type { Connection } from '../../config/connection/connection.ts';
import type { Device } from '../../core/device/device.ts';
import { fieldFault } from '../../core/kernel/fault.ts';
import type { LocalAccount } from '../broker/mqtt-account.ts';
import type { CommandDelivery } from './mqtt-delivery.ts';
import { writePlan } from './write-plan.ts';

type Driver = Connection['driver'];

/**
 * Whether a device takes a command; one without a connection polls its commands and judges them itself.
 * @throws Fault `rule-violation` naming the field, the rule and the value
 */
export function assertDeviceTakes(
	{ connection }: Pick<Device, 'connection'>,
	draft: CommandDraft,
	templates: ReadonlyMap<string, DeviceTemplate>,
): void {
	if (connection?.driver === 'mqtt') commandRoute(draft.name).check(draft.payload);
	if (connection?.driver === 'serial')
		throw fieldFault(
			'rule-violation',
			'device_uid',
			'a serial device that is not Modbus takes no commands: it is only read',
		);
	if (connection?.driver !== 'modbus') return;
	const template = templates.get(connection.template);
	// The template may be missing now and there when the command is due; then it is looked at again.
	if (template !== undefined) writePlan(layeredTemplate(template, connection), draft);
}

/** Hands what is queued to the delivery of its device. */
export function createGatewayDelivery({
	devices,
	deliveries,
}: {
	readonly devices: Pick<DeviceService, 'find'>;
	/** By driver; to devices of the others nothing is delivered. */
	readonly deliveries: Readonly<Partial<Record<Driver, Pick<CommandDelivery, 'wake' | 'hurry'>>>> &
		Readonly<Record<'mqtt', Pick<CommandDelivery, 'hurry'>>>;
}): CommandListener & {
	/** A device's connection can be reached on one more topic. */
	readonly subscribed: (account: LocalAccount) => void;
	/** What an earlier life of this process left in the queue. */
	readonly resume: (open: readonly Command[]) => void;
} {
	function queued({ device: id }: Pick<Command, 'device'>): void {
		const driver = devices.find(id)?.connection?.driver;
		if (driver !== undefined) deliveries[driver]?.wake(id);
	}

	return {
		queued,
		subscribed: (account) => account.kind === 'device' && deliveries.mqtt.hurry(account.device),
		resume: (open) => open.forEach(queued),
	};
}
