import {
	type Connection,
	type LinePlace,
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

/** The serial ports of this box, which have several names each. */
export interface KnownPorts {
	/** Looks where these paths lead now. Never rejects. */
	readonly look: (paths: readonly string[]) => Promise<void>;
	/** The one path that stands for all names of the port that this path leads to, as it was last looked at. */
	readonly nameOf: (path: string) => string;
}

/** The serial ports of devices as they are written, each path once, in the order of the devices. */
export function serialPathsOf(devices: Iterable<Device>): readonly string[] {
	const paths = new Set<string>();
	for (const { connection, deletedAt } of devices) {
		const port = serialPortOf(connection);
		if (port !== null && deletedAt === null) paths.add(port.path);
	}
	return [...paths];
}

type NameOf = KnownPorts['nameOf'];

const asWritten: NameOf = (path) => path;

/** Whether two connections want one port, of which one does not share it: a serial device that is not Modbus. */
function isRival(own: Connection | null, other: Connection | null, nameOf: NameOf): boolean {
	if (own === null || other === null || own.driver === 'mqtt' || other.driver === 'mqtt') return false;
	if (own.driver === 'modbus' && other.driver === 'modbus') return false;
	const placeOf = (line: LinePlace): string => portOf('path' in line ? { path: nameOf(line.path) } : line);
	return placeOf(own.line) === placeOf(other.line);
}

/** Who uses the port, and what it is called there when that is another name. */
const userOf = ({ uid }: Device, line: SerialSettings | null, theirs: SerialSettings | null): string =>
	`is used by device ${uid}${theirs === null || theirs.path === line?.path ? '' : ` as ${theirs.path}`}`;

/** Why two connections cannot both be; `null`: they can. */
function contradictionOf(own: ModbusConnection | SerialConnection, other: Device, nameOf: NameOf): string | null {
	const [line, theirs] = [serialPortOf(own), serialPortOf(other.connection)];
	const user = userOf(other, line, theirs);
	if (isRival(own, other.connection, nameOf))
		return `${portOf(own.line)} ${user}; a serial device that is not Modbus has its line for itself`;
	if (line === null || theirs === null || nameOf(theirs.path) !== nameOf(line.path)) return null;
	const [settings, used] = [settingsOf(line), settingsOf(theirs)];
	return settings === used ? null : `${line.path} ${user} with ${used}, not ${settings}`;
}

/**
 * All Modbus devices on one serial port talk with the same settings; a serial device that is not Modbus has its line for itself.
 * @param nameOf tells which paths lead to one port; absent: each is a port of its own
 * @throws Fault `rule-violation` naming the other device, and what it calls the port when that is another name
 */
export function assertLineAgrees(device: Device, others: Iterable<Device>, nameOf: NameOf = asWritten): void {
	const { connection } = device;
	if (connection === null || connection.driver === 'mqtt') return;
	const field = serialPortOf(connection) === null ? 'connection.line.host' : 'connection.line.path';
	for (const other of others) {
		if (other.id === device.id || other.deletedAt !== null) continue;
		const contradiction = contradictionOf(connection, other, nameOf);
		if (contradiction !== null) throw fieldFault('rule-violation', field, contradiction);
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
