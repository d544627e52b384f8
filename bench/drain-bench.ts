import { setTimeout as sleep } from 'node:timers/promises';

import { linkIsUp, type LinkLoad, type LinkRig, probe, startLinkRig } from './link-rig.ts';
import { type LiveAges, watchLiveAges } from './live-age.ts';
import { barePipeRate } from './bare-pipe.ts';
import { POINTS_PER_DEVICE } from './stamp-devices.ts';
import { table } from './table.ts';

const LOAD: LinkLoad = { devices: 10, periodMs: 100 };
const POINTS_PER_SECOND = (LOAD.devices * POINTS_PER_DEVICE * 1_000) / LOAD.periodMs;
const CUT_MS = 30_000;
const SETTLE_MS = 4_000;
const WATCH_MS = 100;
const DRAINED_WITHIN_MS = 30_000;
/** What is on its way at any time: a second in the journal's group commit on either side. */
const ON_THE_WAY = 3 * POINTS_PER_SECOND;
/** Live values may be this much older while history is sent. */
const MOST_AGE_GROWTH_MS = 200;
const MOST_LIVE_P99_MS = 250;
const LEAST_DRAINED_PER_SECOND = 50_000;

interface Drain {
	readonly owed: number;
	readonly reconnectMs: number;
	readonly drainMs: number;
	readonly stored: number;
	/** From the last look at which no history had arrived: without the jitter of the start. */
	readonly flowMs: number;
	readonly gatewayCpuShare: number;
	readonly hubCpuShare: number;
}

async function cutAndDrain(rig: LinkRig, ages: LiveAges): Promise<Drain> {
	rig.link.setMode({ kind: 'cut' });
	await sleep(CUT_MS);
	const hubBefore = await probe(rig.hub);
	const fromMs = performance.now();
	rig.link.setMode({ kind: 'pass' });
	await linkIsUp(rig.gateway);
	const upMs = performance.now();
	ages.take();
	const gatewayBefore = await probe(rig.gateway);
	let gateway = gatewayBefore;
	let flowFromMs = gatewayBefore.atMs;
	while (gateway.backlog > ON_THE_WAY && performance.now() - upMs < DRAINED_WITHIN_MS) {
		await sleep(WATCH_MS);
		if (gateway.backlog >= gatewayBefore.backlog) flowFromMs = gateway.atMs;
		gateway = await probe(rig.gateway);
	}
	const hub = await probe(rig.hub);
	const drainMs = gateway.atMs - upMs;
	return {
		owed: gatewayBefore.backlog,
		reconnectMs: upMs - fromMs,
		drainMs,
		flowMs: gateway.atMs - flowFromMs,
		stored: hub.samples - hubBefore.samples,
		gatewayCpuShare: (gateway.cpuMs - gatewayBefore.cpuMs) / drainMs,
		hubCpuShare: (hub.cpuMs - hubBefore.cpuMs) / (hub.atMs - fromMs),
	};
}

/**
 * 10 000 points a second, the link cut for half a minute, then restored: how soon the hub has everything, and what that does to
 * live values.
 */
export async function runDrainBench(): Promise<{ readonly report: string; readonly isWithinLimits: boolean }> {
	const rig = await startLinkRig(LOAD);
	try {
		const ages = await watchLiveAges(
			rig.rest,
			Array.from({ length: LOAD.devices }, (_, index) => `bench-${index}`),
		);
		await sleep(SETTLE_MS);
		const before = ages.take();
		const drain = await cutAndDrain(rig, ages);
		const during = ages.take();
		await sleep(SETTLE_MS);
		const after = ages.take();
		ages.stop();
		const peer = await barePipeRate();
		const perSecond = (drain.owed * 1_000) / drain.flowMs;
		const rows = [
			{ figure: 'owed when the link is back, samples', value: drain.owed },
			{ figure: 'from the repair to the first connection, ms', value: drain.reconnectMs },
			{ figure: 'from the connection to nothing owed, ms', value: drain.drainMs },
			{ figure: 'stored by the hub per second of that', value: (drain.stored * 1_000) / drain.drainMs },
			{ figure: 'of it history flows, ms', value: drain.flowMs },
			{ figure: 'history per second of that', value: perSecond },
			{ figure: 'peer: the same blocks through mqtt.js and aedes, samples per second', value: peer },
			{ figure: 'ratio to the peer', value: perSecond / peer },
			{ figure: 'live age p50 before, ms', value: before.p50Ms },
			{ figure: 'live age p50 while history is sent, ms', value: during.p50Ms },
			{ figure: 'live age p99 while history is sent, ms', value: during.p99Ms },
			{ figure: 'live age max while history is sent, ms', value: during.maxMs },
			{ figure: 'live age p50 after, ms', value: after.p50Ms },
			{ figure: 'gateway, share of a processor meanwhile', value: drain.gatewayCpuShare },
			{ figure: 'hub, share of a processor meanwhile', value: drain.hubCpuShare },
		];
		const isDrained = drain.drainMs < DRAINED_WITHIN_MS && perSecond > LEAST_DRAINED_PER_SECOND;
		const isLive = during.p50Ms <= before.p50Ms + MOST_AGE_GROWTH_MS && during.p99Ms < MOST_LIVE_P99_MS;
		return { report: table(rows), isWithinLimits: isDrained && isLive };
	} finally {
		await rig.stop();
	}
}
