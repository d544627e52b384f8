import type { Scan } from './scan.ts';

/** Where ended scans are kept over a restart. */
export interface ScanRepository {
	/** What was kept last; nothing when it is damaged. */
	load(): Promise<readonly Scan[]>;
	/** Keeps these, as far as there is room; the newest first. Never rejects. */
	save(scans: readonly Scan[]): Promise<void>;
}
