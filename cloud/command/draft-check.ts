import { layeredTemplate } from '../../config/template/template-layers.ts';
import type { DeviceTemplate } from '../../config/template/template.ts';
import { payloadMistake } from '../../config/template/write-rules.ts';
import type { CommandDraft } from '../../core/command/command.ts';
import { commandRoute } from '../../core/command/command-topics.ts';
import type { Device } from '../../core/device/device.ts';
import { fieldFault } from '../../core/kernel/fault.ts';

/**
 * Refuses what the gateway of a device would refuse, as far as the hub can tell: it may not know the device's template, and how a
 * value is put into registers is the gateway's business. The gateway looks again.
 * @throws Fault `rule-violation` naming the field, the rule and the value
 */
export function assertGatewayTakes(
	{ connection }: Pick<Device, 'connection'>,
	{ name, payload }: CommandDraft,
	templates: ReadonlyMap<string, DeviceTemplate>,
): void {
	if (connection?.driver === 'mqtt') commandRoute(name).check(payload);
	if (connection?.driver === 'serial')
		throw fieldFault(
			'rule-violation',
			'device_uid',
			'a serial device that is not Modbus takes no commands: it is only read',
		);
	if (connection?.driver !== 'modbus') return;
	if (name !== 'write')
		throw fieldFault(
			'rule-violation',
			'command_name',
			`a Modbus device takes write with payload {point, value} or {points: [{point, value}]}; found ${JSON.stringify(name)}`,
		);
	const template = templates.get(connection.template);
	if (template === undefined) return;
	const mistake = payloadMistake(layeredTemplate(template, connection), payload);
	if (mistake !== null) throw fieldFault('rule-violation', `payload.${mistake.member}`, mistake.sentence);
}
