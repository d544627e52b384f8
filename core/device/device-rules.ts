import { type Connection, type SerialSettings, serialPortOf } from '../../config/connection/connection.ts';
import { fieldFault } from '../kernel/fault.ts';
import type { Device } from './device.ts';

const settingsOf = ({ baudRate, dataBits, parity, stopBits }: SerialSettings): string =>
	`${baudRate} ${dataBits}${parity.charAt(0).toUpperCase()}${stopBits}`;

/**
 * All devices on one serial port talk with the same settings.
 * @throws Fault `rule-violation` naming the other device
 */
export function assertLineAgrees(device: Device, others: Iterable<Device>): void {
	const line = serialPortOf(device.connection);
	if (line === null) return;
	const settings = settingsOf(line);
	for (const other of others) {
		const theirs = serialPortOf(other.connection);
		if (other.id === device.id || other.deletedAt !== null || theirs?.path !== line.path) continue;
		if (settingsOf(theirs) !== settings)
			throw fieldFault(
				'rule-violation',
				'connection.line.path',
				`${line.path} is used by device ${other.uid} with ${settingsOf(theirs)}, not ${settings}`,
			);
	}
}

/** @throws Fault `rule-violation` when no template has the key */
export function assertTemplateExists(
	connection: Connection | null,
	templates: { readonly has: (key: string) => boolean },
): void {
	if (connection !== null && connection.driver !== 'mqtt' && !templates.has(connection.template))
		throw fieldFault('rule-violation', 'connection.template', `there is no device template ${connection.template}`);
}
