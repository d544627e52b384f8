import { messageOf } from '../../core/kernel/fault.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { openSettingsStore } from '../../core/storage/settings-store.ts';
import type { Scan } from './scan.ts';
import type { ScanRepository } from './scan-repository.ts';

/** A scan that found a whole table has a quarter of a megabyte. */
const MOST_BYTES = 1 << 20;

/** Form of the records; those of another one are forgotten. */
const FORM = 1;

interface KeptScans {
	readonly form: number;
	readonly scans: readonly unknown[];
}

/** Whether a record can be shown; a file that was made by hand, or damaged, may hold anything. */
const isScan = (kept: unknown): kept is Scan =>
	typeof kept === 'object' &&
	kept !== null &&
	'id' in kept &&
	typeof kept.id === 'string' &&
	'startedAt' in kept &&
	typeof kept.startedAt === 'number' &&
	'request' in kept;

/** Ended scans in one file, the newest as many as fit into a megabyte. */
export async function openScanStore(path: string, log: Logger): Promise<ScanRepository> {
	const store = await openSettingsStore<KeptScans>({ path, defaults: { form: FORM, scans: [] }, log });
	return {
		load() {
			const { form, scans } = store.get();
			return Promise.resolve(form === FORM && Array.isArray(scans) ? scans.filter(isScan) : []);
		},
		async save(scans) {
			let bytes = 0;
			const kept = scans
				.toSorted((one, other) => other.startedAt - one.startedAt)
				.filter((scan) => (bytes += JSON.stringify(scan).length) <= MOST_BYTES);
			try {
				await store.update(() => ({ form: FORM, scans: kept }));
			} catch (error) {
				log.warn('scans-not-kept', { reason: messageOf(error) });
			}
		},
	};
}
