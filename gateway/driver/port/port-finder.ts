import { realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { Fault } from '../../../core/kernel/fault.ts';
import { openFault } from '../modbus/wire/open-fault.ts';
import type { PortFolders } from './port-folders.ts';
import { listPorts } from './port-list.ts';
import type { PortMemory } from './port-memory.ts';
import {
	adapterName,
	type AdapterIdentity,
	identityOf,
	isAdapter,
	looksLike,
	type SerialPortInfo,
} from './serial-port.ts';
import type { FoundPort } from './serial-ports.ts';

/** Stands for a device file that is not there. */
export const GONE = 'gone';

/** Tells a device file from another one that took its name; `GONE` when there is none. */
export async function fileIdentity(device: string): Promise<string> {
	try {
		const { ino, rdev } = await stat(device);
		return `${ino} ${rdev}`;
	} catch {
		return GONE;
	}
}

/** Finds ports by what was once opened under a path, so that names which were dealt anew never lead to another adapter. */
export interface PortFinder {
	/** @throws Fault `unreachable` or `state-conflict` */
	find(path: string): Promise<FoundPort>;
	/** The same for many at once; `null` for those that `find` would refuse. */
	findAll(paths: readonly string[]): Promise<readonly (FoundPort | null)[]>;
	/** The adapter that is meant by a path, so that paths which mean the same one can be told; `null`: nothing is known of it. */
	meantBy(path: string): string | null;
	/** Keeps which adapter is behind the path, where there is something to tell it by. */
	learn(found: FoundPort): Promise<void>;
	/** Looks whether adapters that are meant have got twins, which only their sockets tell apart. */
	noticeTwins(): Promise<void>;
	/** @throws Fault `not-found` when no adapter has this path */
	adopt(path: string): Promise<void>;
}

const foundAt = async (path: string, device: string): Promise<FoundPort> => ({
	path,
	device,
	file: await fileIdentity(device),
});

const realOf = (path: string): Promise<string | null> => realpath(path).catch(() => null);

/** The port that has this name now, among those listed. */
async function namedBy(path: string, ports: readonly SerialPortInfo[]): Promise<SerialPortInfo | null> {
	const device = await realOf(path);
	if (device === null) return null;
	const devices = await Promise.all(ports.map((port) => realOf(port.device)));
	return ports[devices.indexOf(device)] ?? null;
}

/** Names of serial ports and of pseudo-terminals below the folder of devices. */
const PORT_NAME = /^(?:pts\/\d+|(?:tty|rfcomm)[\w.-]*)$/;

/**
 * The file of a port that the machine does not list, e.g. a pseudo-terminal. Nothing else is ever opened: to open some device files is
 * to use them. One that is not there fails when it is opened.
 */
async function unlisted(path: string, dev: string): Promise<string> {
	const device = await realOf(path);
	if (device === null) return path;
	const folder = [dev, '/dev'].find((each) => device.startsWith(`${each}/`));
	if (folder !== undefined && PORT_NAME.test(device.slice(folder.length + 1))) return device;
	throw openFault(path, 'ENOTTY', new Error(`${device} is not a serial port`));
}

/** Why the adapter that is meant cannot be used. */
function missing(
	path: string,
	known: AdapterIdentity,
	ports: readonly SerialPortInfo[],
	named: SerialPortInfo | null,
): Fault {
	const lost = `${path} means the adapter ${adapterName(known)}`;
	const twin = ports.find((port) => looksLike(port, known));
	if (twin !== undefined) {
		const hint = `only its socket tells it from others of its make: put it back into ${known.socket}, or confirm that it was moved`;
		return new Fault(
			'state-conflict',
			`${lost}, which was in ${known.socket}; there is one in ${twin.socket}, but ${hint}`,
		);
	}
	const other = named?.usb ?? null;
	if (other === null) return new Fault('unreachable', `${lost}, which is unplugged (ENODEV)`);
	const hint = 'plug the right one in, or confirm that it was replaced';
	return new Fault('state-conflict', `${lost}, but its name now belongs to ${adapterName(other)}: ${hint}`);
}

export function createPortFinder({
	folders,
	memory,
}: {
	readonly folders: PortFolders;
	readonly memory: PortMemory;
}): PortFinder {
	const bySocket = join(folders.dev, 'serial', 'by-path');

	/** A link below by-path means a socket: whatever adapter is in it, is the right one. */
	const meansSocket = (path: string): boolean => dirname(path) === bySocket;

	/** From the first sight of a twin on, the socket belongs to the identity, also when the twin is gone again. */
	async function boundIfTwin(path: string, known: AdapterIdentity, ports: readonly SerialPortInfo[]) {
		if (known.isBoundToSocket || ports.filter((port) => looksLike(port, known)).length < 2) return known;
		const bound = { ...known, isBoundToSocket: true };
		await memory.set(path, bound);
		return bound;
	}

	const keptOf = (path: string): AdapterIdentity | null => (meansSocket(path) ? null : memory.get(path));

	async function findAmong(ports: readonly SerialPortInfo[], path: string): Promise<FoundPort> {
		const kept = keptOf(path);
		if (kept === null) {
			const named = await namedBy(path, ports);
			return foundAt(path, named?.device ?? (await unlisted(path, folders.dev)));
		}
		const known = await boundIfTwin(path, kept, ports);
		const port = ports.find((each) => isAdapter(each, known));
		if (port !== undefined) return foundAt(path, port.device);
		throw missing(path, known, ports, await namedBy(path, ports));
	}

	return {
		find: async (path) => findAmong(await listPorts(folders), path),
		async findAll(paths) {
			const ports = await listPorts(folders);
			const found: (FoundPort | null)[] = [];
			// One after the other: what is learnt of twins is written to one small file.
			for (const path of paths) found.push(await findAmong(ports, path).catch(() => null));
			return found;
		},
		meantBy(path) {
			const kept = keptOf(path);
			if (kept === null) return null;
			const { vendorId, productId, serialNumber, interfaceNumber, isBoundToSocket, socket } = kept;
			return [vendorId, productId, serialNumber, interfaceNumber, isBoundToSocket ? socket : null].join(' ');
		},
		async noticeTwins() {
			const ports = await listPorts(folders);
			for (const [path, known] of memory.all()) await boundIfTwin(path, known, ports);
		},
		async learn({ path, device, file }) {
			if (meansSocket(path) || memory.get(path) !== null) return;
			const ports = await listPorts(folders);
			const port = await namedBy(device, ports);
			const identity = port === null ? null : identityOf(port, ports);
			if (identity !== null && (await fileIdentity(device)) === file) await memory.set(path, identity);
		},
		async adopt(path) {
			const ports = await listPorts(folders);
			const port = await namedBy(path, ports);
			if (port === null) throw new Fault('not-found', `${path} is not a serial port of this machine now`);
			const identity = identityOf(port, ports);
			if (identity === null) await memory.forget(path);
			else await memory.set(path, identity);
		},
	};
}
