import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { openJournal } from '../core/journal/file-journal.ts';
import { FRAMES_START, SUMMARY_START } from '../core/journal/segment-format.ts';
import { systemClock } from '../core/kernel/clock.ts';
import { gatewayId } from '../core/kernel/id.ts';
import { silentLog } from '../core/kernel/log.ts';
import type { HullProcess } from '../test/system/kit/hull-process.ts';
import { member } from '../test/system/kit/rest.ts';
import { startLinkRig } from './link-rig.ts';
import { plausibleReadings } from './plausible-readings.ts';
import { median, type Row, table } from './table.ts';

const SAMPLES_PER_COMMIT = 10_000;
const ROUNDS = 3;
/** From the start of the process to its ready line, on the machine of the README; the product's own promise is seconds on a Pi. */
const MOST_START_MS = 3_000;

export interface StartOptions {
	/** Size of the history that waits for the hub. */
	readonly backlogMb: number;
}

async function ownId(dataFolder: string): Promise<string> {
	const stored: unknown = JSON.parse(await readFile(join(dataFolder, 'uplink.json'), 'utf8'));
	return String(member(stored, 'gatewayId'));
}

/** Lays a journal full of samples that no hub has acknowledged into a stopped gateway's folder. @returns their number */
async function layBacklog(dataFolder: string, bytes: number): Promise<number> {
	const origin = gatewayId(await ownId(dataFolder));
	const journal = await openJournal({
		folder: join(dataFolder, 'journal'),
		clock: systemClock,
		log: silentLog,
		holders: ['uplink', 'sealer'],
		promptMs: 0,
	});
	let samples = 0;
	while (journal.stats().writtenBytes < bytes) {
		// Noise does not compress: most bytes for the fewest samples.
		const load = { origin, epoch: journal.epoch, samples: SAMPLES_PER_COMMIT, firstSeq: samples + 1 };
		await journal.append(plausibleReadings({ ...load, sampleAt: () => Math.random() }), 'prompt');
		samples += SAMPLES_PER_COMMIT;
	}
	const sealed = journal.end().segment;
	await journal.stop();
	// As after a long time without the hub: everything that is closed has become history already.
	await writeFile(join(dataFolder, 'history', 'sealed-through'), `${sealed}\n`);
	return samples;
}

async function eraseSummaries(dataFolder: string): Promise<void> {
	const folder = join(dataFolder, 'journal');
	for (const name of (await readdir(folder)).filter((file) => file.endsWith('.segment'))) {
		const file = await open(join(folder, name), 'r+');
		await file.write(new Uint8Array(FRAMES_START - SUMMARY_START), 0, FRAMES_START - SUMMARY_START, SUMMARY_START);
		await file.close();
	}
}

async function startMs(hull: HullProcess, before: () => Promise<void> = async () => undefined): Promise<number> {
	const times: number[] = [];
	for (let round = 0; round < ROUNDS; round += 1) {
		await hull.stop();
		await before();
		const fromMs = performance.now();
		await hull.start();
		times.push(performance.now() - fromMs);
	}
	return median(times);
}

/** Start of gateway and hub: fresh, again, and of a gateway with much history that its hub has not got. */
export async function runStartBench(
	options: StartOptions,
): Promise<{ readonly report: string; readonly isWithinLimits: boolean }> {
	const rig = await startLinkRig({ devices: 10, periodMs: 1_000 });
	try {
		const { gateway, hub, link } = rig;
		const rows: Row[] = [
			{ start: 'hub, first', ms: rig.hubStartMs },
			{ start: 'gateway, first, with enrolment', ms: rig.gatewayStartMs },
			{ start: 'hub, again', ms: await startMs(hub) },
			{ start: 'gateway, again', ms: await startMs(gateway) },
		];
		link.setMode({ kind: 'cut' });
		await gateway.stop();
		const samples = await layBacklog(gateway.dataFolder, options.backlogMb * 1024 * 1024);
		const what = `${options.backlogMb} MiB backlog (${(samples / 1e6).toFixed(1)} M samples)`;
		const withBacklogMs = await startMs(gateway);
		rows.push({ start: `gateway, ${what}`, ms: withBacklogMs });
		const without = await startMs(gateway, () => eraseSummaries(gateway.dataFolder));
		rows.push({ start: `gateway, ${what}, summaries lost`, ms: without });
		return { report: table(rows), isWithinLimits: withBacklogMs <= MOST_START_MS };
	} finally {
		await rig.stop();
	}
}
