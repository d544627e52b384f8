import type { DeviceTemplate } from '../../config/template/template.ts';
import { writablePoint, writeMistake } from '../../config/template/write-rules.ts';
import type { CommandDraft } from '../../core/command/command.ts';
import { Fault, fieldFault } from '../../core/kernel/fault.ts';
import { type EncodedWrite, encodeWrite } from '../driver/modbus/codec/register-encoder.ts';

/** The one command of Modbus devices. */
export const WRITE_COMMAND = 'write';

/**
 * What a command means on the wire of a Modbus device.
 * @throws Fault `rule-violation` naming the field, the rule and the value
 */
export function writeOf(
	template: DeviceTemplate,
	{ name, payload }: Pick<CommandDraft, 'name' | 'payload'>,
): EncodedWrite {
	if (name !== WRITE_COMMAND)
		throw fieldFault(
			'rule-violation',
			'command_name',
			`a Modbus device takes ${WRITE_COMMAND} with payload {point, value}; found ${JSON.stringify(name)}`,
		);
	const { point: key = null, value = null } = payload;
	const mistake = writeMistake(template, { point: key, value });
	if (mistake !== null) throw fieldFault('rule-violation', `payload.${mistake.member}`, mistake.sentence);
	const point = writablePoint(template, key);
	if ('sentence' in point) throw new Fault('rule-violation', point.sentence);
	return encodeWrite(point, value);
}
