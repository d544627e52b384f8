import { silentLog } from '../../core/kernel/log.ts';
import { createSerialPorts } from '../../gateway/driver/port/machine-ports.ts';
import { machineFolders, type PortFolders } from '../../gateway/driver/port/port-folders.ts';
import type { PortMemory } from '../../gateway/driver/port/port-memory.ts';
import type { AdapterIdentity } from '../../gateway/driver/port/serial-port.ts';
import type { SerialPorts } from '../../gateway/driver/port/serial-ports.ts';

/** What a gateway knows of its ports, without a disk. */
export function memoryOfPorts(): PortMemory {
	const known = new Map<string, AdapterIdentity>();
	return {
		get: (path) => known.get(path) ?? null,
		set: (path, identity) => Promise.resolve(void known.set(path, identity)),
		forget: (path) => Promise.resolve(void known.delete(path)),
		all: () => [...known],
	};
}

/** The serial ports of this machine, or of folders that stand for one. */
export const portsOf = (folders: PortFolders = machineFolders, memory = memoryOfPorts()): SerialPorts =>
	createSerialPorts({ folders, memory, log: silentLog });
