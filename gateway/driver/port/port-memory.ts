import type { SettingsStore } from '../../../core/storage/settings-store.ts';
import type { AdapterIdentity } from './serial-port.ts';

/** Configured paths whose adapters are kept, at most; the one kept longest goes first. */
const MOST_PATHS = 64;

/** Which adapter is meant by which configured path. It outlives restarts, since numbers are often dealt anew at a boot. */
export interface PortMemory {
	get(path: string): AdapterIdentity | null;
	set(path: string, identity: AdapterIdentity): Promise<void>;
	forget(path: string): Promise<void>;
	all(): readonly (readonly [path: string, identity: AdapterIdentity])[];
}

/** As it stands in the file. */
export interface KnownAdapters {
	readonly adapters: readonly { readonly path: string; readonly identity: AdapterIdentity }[];
}

/** The memory in a small file of settings. */
export function createPortMemory(store: SettingsStore<KnownAdapters>): PortMemory {
	const others = ({ adapters }: KnownAdapters, path: string) => adapters.filter((known) => known.path !== path);
	return {
		get: (path) => store.get().adapters.find((known) => known.path === path)?.identity ?? null,
		async set(path, identity) {
			await store.update((known) => ({
				adapters: [...others(known, path), { path, identity }].slice(-MOST_PATHS),
			}));
		},
		async forget(path) {
			await store.update((known) => ({ adapters: others(known, path) }));
		},
		all: () => store.get().adapters.map(({ path, identity }) => [path, identity]),
	};
}
