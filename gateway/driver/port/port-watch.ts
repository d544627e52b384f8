import { watch } from 'node:fs';

/** How often the ports are looked at beside what the file system tells: it tells nothing of some kinds of folders. */
const LOOK_MS = 1000;
/** A new device file gets its owner and its links a moment after its name. */
const SETTLE_MS = 150;

/** Hears that device files may have come or gone. Costs nothing while nobody listens. */
export interface PortWatch {
	/**
	 * @param look called after each change, and every second in case one was not told. `isNews`: something was told
	 * @returns what ends it
	 */
	listen(look: (isNews: boolean) => void): () => void;
	stop(): void;
}

/** @param dev folder of the device files */
export function createPortWatch(dev: string): PortWatch {
	const listeners = new Set<(isNews: boolean) => void>();
	let end: (() => void) | null = null;

	const tell = (isNews: boolean): void => listeners.forEach((look) => look(isNews));

	/** Changes of the folder as the kernel tells them; polling alone where it does not. */
	function watchFolder(changed: () => void): () => void {
		try {
			const watcher = watch(dev, { persistent: false }, (event) => {
				if (event === 'rename') changed();
			});
			watcher.on('error', () => watcher.close());
			return () => watcher.close();
		} catch {
			return () => undefined;
		}
	}

	function start(): () => void {
		let settling: NodeJS.Timeout | null = null;
		const unwatch = watchFolder(() => {
			// What is gone is gone at once; what has come is whole a moment later.
			if (settling === null) tell(true);
			else clearTimeout(settling);
			settling = setTimeout(() => {
				settling = null;
				tell(true);
			}, SETTLE_MS);
		});
		const timer = setInterval(() => tell(false), LOOK_MS);
		return () => {
			unwatch();
			clearInterval(timer);
			if (settling !== null) clearTimeout(settling);
		};
	}

	function stop(): void {
		end?.();
		end = null;
		listeners.clear();
	}

	return {
		listen(look) {
			listeners.add(look);
			end ??= start();
			return () => {
				listeners.delete(look);
				if (listeners.size === 0) stop();
			};
		},
		stop,
	};
}
