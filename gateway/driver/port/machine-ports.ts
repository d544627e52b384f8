import { realpath } from 'node:fs/promises';

import { messageOf } from '../../../core/kernel/fault.ts';
import { createJoined } from '../../../core/kernel/joined.ts';
import type { Logger } from '../../../core/kernel/log.ts';
import { createPortFinder, fileIdentity, GONE } from './port-finder.ts';
import type { PortFolders } from './port-folders.ts';
import { findHolders } from './port-holder.ts';
import { listPorts } from './port-list.ts';
import type { PortMemory } from './port-memory.ts';
import { createPortNames } from './port-names.ts';
import { portRefusal } from './port-refusal.ts';
import { createPortWatch } from './port-watch.ts';
import { isAdapter, type PortHolder, type SerialPortInfo } from './serial-port.ts';
import type { FoundPort, SerialPorts, SerialPortStatus } from './serial-ports.ts';

/** All ports are looked at when the kernel tells of a change, and beside that at every so manieth look. */
const LOOKS_UNTOLD = 10;

/** Longest wait for a look at some paths: one of them may lead to a disk of the network that does not answer. */
const LOOK_MS = 5000;

export interface SerialPortsDeps {
	readonly folders: PortFolders;
	readonly memory: PortMemory;
	readonly log: Logger;
}

/** The serial ports of this machine, as its kernel shows them. */
export function createSerialPorts({ folders, memory, log }: SerialPortsDeps): SerialPorts {
	const finder = createPortFinder({ folders, memory });
	const names = createPortNames();
	const watch = createPortWatch(folders.dev);
	/** Device files at the last look. */
	let shape = '';
	let looksSince = 0;
	const waiting = new Set<() => void>();
	let endLooking: (() => void) | null = null;

	async function look(): Promise<void> {
		const ports = await listPorts(folders);
		const files = await Promise.all(ports.map(({ device }) => fileIdentity(device)));
		const next = ports.map(({ device, byId, byPath }, at) => [device, byId, byPath, files[at]].join(' ')).join('\n');
		if (next === shape) return;
		shape = next;
		await finder.noticeTwins();
		waiting.forEach((changed) => changed());
	}

	function lookAtTimes(isNews: boolean): void {
		looksSince = isNews ? 0 : looksSince + 1;
		if (looksSince % LOOKS_UNTOLD > 0) return;
		look().catch((error: unknown) => log.debug('ports-not-listed', { reason: messageOf(error) }));
	}

	function sawAt({ path, device, file }: FoundPort): void {
		if (file === GONE) names.missed(path, finder.meantBy(path));
		else names.saw(path, `${device} ${file}`);
	}

	/** @param also what was found just now */
	async function lookFor(paths: readonly string[], also: FoundPort | null = null): Promise<void> {
		const found = paths.length === 0 ? [] : await finder.findAll(paths);
		// All at once, so that nobody sees two names of one port apart.
		if (also !== null) sawAt(also);
		for (const [at, path] of paths.entries()) {
			sawAt(found[at] ?? { path, device: path, file: GONE });
		}
	}

	const statusOf = (port: SerialPortInfo, holder: PortHolder | null): SerialPortStatus => {
		const known = memory.all().filter(([, identity]) => isAdapter(port, identity));
		return { ...port, holder, knownAs: known.map(([path]) => path) };
	};

	/** Who holds a port is found by looking through the files of all processes. */
	const list = createJoined(async () => {
		const ports = await listPorts(folders);
		const files = await Promise.all(ports.map(({ device }) => realpath(device).catch(() => device)));
		const holders = await findHolders(files, folders.proc);
		return ports.map((port, at) => statusOf(port, holders.get(files[at] ?? '') ?? null));
	});

	return {
		list,
		async find(path) {
			const found = await finder.find(path);
			await lookFor(names.aliasesOf(path), found);
			return found;
		},
		async look(paths) {
			const looked = lookFor([...new Set(paths)]).catch((error: unknown) =>
				log.debug('ports-not-listed', { reason: messageOf(error) }),
			);
			let timer: NodeJS.Timeout | undefined;
			const late = new Promise<void>((resolve) => {
				timer = setTimeout(resolve, LOOK_MS);
			});
			await Promise.race([looked, late]);
			clearTimeout(timer);
		},
		use: (paths) => names.use(paths),
		nameOf: (path) => names.nameOf(path),
		async opened(found) {
			try {
				for (const path of [found.path, ...names.aliasesOf(found.path)]) await finder.learn({ ...found, path });
			} catch (error) {
				// The port works; only a later renumbering would not be seen through.
				log.warn('port-not-remembered', { path: found.path, reason: messageOf(error) });
			}
		},
		refusal: (found, error) => portRefusal(found, error, folders),
		watch({ device, file }, gone) {
			let isOver = false;
			const lookAgain = async (): Promise<void> => {
				if ((await fileIdentity(device)) === file || isOver) return;
				isOver = true;
				end();
				gone();
			};
			const end = watch.listen(() => void lookAgain());
			return () => {
				isOver = true;
				end();
			};
		},
		listen(changed) {
			waiting.add(changed);
			endLooking ??= watch.listen(lookAtTimes);
			return () => {
				waiting.delete(changed);
				if (waiting.size > 0) return;
				endLooking?.();
				endLooking = null;
			};
		},
		async adopt(path) {
			await finder.adopt(path);
			waiting.forEach((changed) => changed());
		},
		stop() {
			waiting.clear();
			endLooking = null;
			watch.stop();
			return Promise.resolve();
		},
	};
}
