import {
	type Connection,
	type ModbusConnection,
	type SerialConnection,
	type SerialSettings,
	portOf,
	serialPortOf,
} from '../../config/connection/connection.ts';
import { fieldFault } from '../kernel/fault.ts';
import type { Device } from './device.ts';

const settingsOf = ({ baudRate, dataBits, parity, stopBits }: SerialSettings): string =>
	`${baudRate} ${dataBits}${parity.charAt(0).toUpperCase()}${stopBits}`;

/** Whether two connections want one port, of which one does not share it: a serial device that is not Modbus. */
function isRival(own: Connection | null, other: Connection | null): boolean {
	if (own === null || other === null || own.driver === 'mqtt' || other.driver === 'mqtt') return false;
	if (own.driver === 'modbus' && other.driver === 'modbus') return false;
	return portOf(own.line) === portOf(other.line);
}

/**
 * All Modbus devices on one serial port talk with the same settings; a serial device that is not Modbus has its line for itself.
 * @throws Fault `rule-violation` naming the other device
 */
export function assertLineAgrees(device: Device, others: Iterable<Device>): void {
	const { connection } = device;
	if (connection === null || connection.driver === 'mqtt') return;
	const line = serialPortOf(connection);
	const field = line === null ? 'connection.line.host' : 'connection.line.path';
	for (const other of others) {
		if (other.id === device.id || other.deletedAt !== null) continue;
		if (isRival(connection, other.connection))
			throw fieldFault(
				'rule-violation',
				field,
				`${portOf(connection.line)} is used by device ${other.uid}; a serial device that is not Modbus has its line for itself`,
			);
		const theirs = serialPortOf(other.connection);
		if (line === null || theirs?.path !== line.path || settingsOf(theirs) === settingsOf(line)) continue;
		throw fieldFault(
			'rule-violation',
			field,
			`${line.path} is used by device ${other.uid} with ${settingsOf(theirs)}, not ${settingsOf(line)}`,
		);
	}
}

/** A place in a list, as template files and this API write it: `options[0]`, `options.0`. */
const INDEX = /\[(\d+)\]/g;

/** The templates of this box, as far as a device's connection is held against them. */
export interface KnownTemplates {
	readonly has: (key: string) => boolean;
	/** What a connection says that its template does not know: options, their values, points. Absent: nothing is known of that. */
	readonly misfits?: (
		connection: ModbusConnection | SerialConnection,
	) => readonly { readonly path: string; readonly message: string }[];
}

/** @throws Fault `rule-violation` when no template has the key, or it does not know an option or a point of the connection */
export function assertTemplateFits(connection: Connection | null, templates: KnownTemplates): void {
	if (connection === null || connection.driver === 'mqtt') return;
	if (!templates.has(connection.template))
		throw fieldFault('rule-violation', 'connection.template', `there is no device template ${connection.template}`);
	const [misfit] = templates.misfits?.(connection) ?? [];
	if (misfit !== undefined)
		throw fieldFault('rule-violation', `connection.${misfit.path.replaceAll(INDEX, '.$1')}`, misfit.message);
}
