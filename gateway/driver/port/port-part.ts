import { join } from 'node:path';

import { type HttpPart, part } from '../../../core/http/server.ts';
import type { Lifecycle } from '../../../core/kernel/lifecycle.ts';
import type { Logger } from '../../../core/kernel/log.ts';
import { openSettingsStore } from '../../../core/storage/settings-store.ts';
import { createSerialPorts } from './machine-ports.ts';
import { machineFolders } from './port-folders.ts';
import { createPortMemory, type KnownAdapters } from './port-memory.ts';
import { portRoutes } from './port-routes.ts';

/** The serial ports of this machine, and which of them is meant by which configured path. */
export async function openPorts({
	data,
	lifecycle,
	log,
}: {
	/** Folder of everything durable. */
	readonly data: string;
	readonly lifecycle: Lifecycle;
	readonly log: Logger;
}) {
	const path = join(data, 'serial-ports.json');
	const store = await openSettingsStore<KnownAdapters>({ path, defaults: { adapters: [] }, log });
	const memory = createPortMemory(store);
	const ports = lifecycle.own('serial ports', createSerialPorts({ folders: machineFolders, memory, log }));
	const routes: readonly HttpPart[] = [part(portRoutes, { ports }, '/api/v1')];
	return { ports, routes };
}
