import { setTimeout as sleep } from 'node:timers/promises';

import { type LinkLoad, type LinkRig, type Probe, probe, startLinkRig } from './link-rig.ts';
import { watchLiveAges } from './live-age.ts';
import { POINTS_PER_DEVICE } from './stamp-devices.ts';
import { type Row, table } from './table.ts';

/** The load that memory and start-up are told for, and then more and more until it is no longer carried. */
const STEPS: readonly LinkLoad[] = [
	{ devices: 10, periodMs: 1_000 },
	{ devices: 10, periodMs: 100 },
	{ devices: 10, periodMs: 50 },
	{ devices: 20, periodMs: 50 },
	{ devices: 40, periodMs: 50 },
];
/** A step is carried when the hub gets this share of what is asked for, and the gateway owes less than so many seconds of it. */
const CARRIED_SHARE = 0.97;
const MOST_OWED_SECONDS = 5;
/** Gateway and hub share this processor. */
const PROCESSOR = 0;
const MOST_RSS_MB = 150;

interface Step {
	readonly row: Row;
	readonly isCarried: boolean;
	readonly rssMb: number;
}

export interface EndToEndOptions {
	readonly warmSeconds: number;
	readonly seconds: number;
}

const usPerSample = (before: Probe, after: Probe): number =>
	((after.cpuMs - before.cpuMs) * 1_000) / (after.samples - before.samples);

const rate = (before: Probe, after: Probe): number =>
	((after.samples - before.samples) * 1_000) / (after.atMs - before.atMs);

async function measure(rig: LinkRig, load: LinkLoad, options: EndToEndOptions): Promise<Step> {
	const ages = await watchLiveAges(rig.rest, ['bench-0']);
	await sleep(options.warmSeconds * 1_000);
	ages.take();
	const [gatewayBefore, hubBefore] = await Promise.all([probe(rig.gateway), probe(rig.hub)]);
	await sleep(options.seconds * 1_000);
	const [gateway, hub] = await Promise.all([probe(rig.gateway), probe(rig.hub)]);
	const { p50Ms } = ages.take();
	ages.stop();
	const perSample = (read: (from: Probe) => number): number =>
		(read(gateway) - read(gatewayBefore)) / (gateway.samples - gatewayBefore.samples);
	const asked = (load.devices * POINTS_PER_DEVICE * 1_000) / load.periodMs;
	const arrived = rate(hubBefore, hub);
	return {
		isCarried: arrived >= asked * CARRIED_SHARE && gateway.backlog <= asked * MOST_OWED_SECONDS,
		rssMb: Math.max(gateway.rssBytes, hub.rssBytes) / 1e6,
		row: {
			'asked points/s': asked,
			'read points/s': rate(gatewayBefore, gateway),
			'hub points/s': arrived,
			owed: gateway.backlog,
			'hub age p50 ms': p50Ms,
			'gateway us/point': usPerSample(gatewayBefore, gateway),
			'hub us/point': usPerSample(hubBefore, hub),
			'gateway MB': gateway.rssBytes / 1e6,
			'hub MB': hub.rssBytes / 1e6,
			'journal B/point': perSample(({ journalBytes }) => journalBytes),
			'syncs/s': ((gateway.journalSyncs - gatewayBefore.journalSyncs) * 1_000) / (gateway.atMs - gatewayBefore.atMs),
		},
	};
}

/**
 * Slave → gateway → TLS link → hub, both journals on, gateway and hub on one processor together: more load in each step, with
 * fresh data folders, until it is not carried.
 * @returns the table, and whether memory keeps its limit at the first step
 */
export async function runEndToEndBench(
	options: EndToEndOptions,
): Promise<{ readonly report: string; readonly isWithinLimits: boolean }> {
	const steps: Step[] = [];
	for (const load of STEPS) {
		const rig = await startLinkRig({ ...load, pinTo: PROCESSOR });
		try {
			steps.push(await measure(rig, load, options));
		} finally {
			await rig.stop();
		}
		if (steps.at(-1)?.isCarried === false) break;
	}
	return {
		report: table(steps.map(({ row }) => row)),
		isWithinLimits: steps[0]?.isCarried === true && steps[0].rssMb <= MOST_RSS_MB,
	};
}
