import { setTimeout as sleep } from 'node:timers/promises';

import { probe, startLinkRig } from './link-rig.ts';
import { type Row, table } from './table.ts';

const LOOKS = 12;
const MOST_RSS_MB = 150;

export interface MemoryOptions {
	/** From the first look to the last. */
	readonly seconds: number;
}

/** Resident memory of gateway and hub over time, 1 000 points polled each second. Ask for minutes, e.g. `--seconds 180`. */
export async function runMemoryBench({
	seconds,
}: MemoryOptions): Promise<{ readonly report: string; readonly isWithinLimits: boolean }> {
	const rig = await startLinkRig({ devices: 10, periodMs: 1_000 });
	try {
		const rows: Row[] = [];
		let highest = 0;
		for (let look = 1; look <= LOOKS; look += 1) {
			await sleep((seconds * 1_000) / LOOKS);
			const [gateway, hub] = await Promise.all([probe(rig.gateway), probe(rig.hub)]);
			highest = Math.max(highest, gateway.rssBytes / 1e6, hub.rssBytes / 1e6);
			rows.push({
				'after s': Math.round((look * seconds) / LOOKS),
				samples: gateway.samples,
				'gateway MB': gateway.rssBytes / 1e6,
				'hub MB': hub.rssBytes / 1e6,
			});
		}
		return { report: table(rows), isWithinLimits: highest <= MOST_RSS_MB };
	} finally {
		await rig.stop();
	}
}
