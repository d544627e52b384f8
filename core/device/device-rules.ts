import {
	type Connection,
	type ModbusConnection,
	type SerialConnection,
	type SerialSettings,
	serialPortOf,
} from '../../config/connection/connection.ts';
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
