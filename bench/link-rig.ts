import { execFileSync } from 'node:child_process';

import type { Child } from '../demo/child.ts';
import type { LinkProxy } from '../demo/link-proxy.ts';
import type { HullProcess } from '../test/system/kit/hull-process.ts';
import { type Rest, claim } from '../test/system/kit/rest.ts';
import { type Stage, createStage } from '../test/system/kit/stage.ts';
import { waitFor } from '../test/system/kit/wait-for.ts';
import { type ProcessUsage, usageOf } from './load/process-usage.ts';
import { stampDevices, startStampSlave, writeStampTemplate } from './stamp-devices.ts';

/** One register of each device tells its age; the others look like a meter's. */
const STAMPS = 1;
const ONLINE_WITHIN_MS = 20_000;

export interface LinkLoad {
	readonly devices: number;
	readonly periodMs: number;
	/** More sections of the gateway's settings. */
	readonly settings?: Readonly<Record<string, unknown>>;
	/** Processor that gateway and hub have to share; the slaves get the others. `null`: as the kernel likes. */
	readonly pinTo?: number | null;
}

/** Counters of one process at one instant. */
export interface Probe extends ProcessUsage {
	readonly atMs: number;
	/** Samples accepted since the start of the process. */
	readonly samples: number;
	readonly journalBytes: number;
	readonly journalSyncs: number;
	/** Samples that the hub has not acknowledged; 0 of a hub. */
	readonly backlog: number;
	readonly skippedPeriods: number;
}

/** Slaves, gateway, link and hub, all of them running and connected. */
export interface LinkRig {
	readonly stage: Stage;
	readonly gateway: HullProcess;
	readonly hub: HullProcess;
	readonly link: LinkProxy;
	/** The hub as its administrator. */
	readonly rest: Rest;
	readonly gatewayStartMs: number;
	readonly hubStartMs: number;
	stop(): Promise<void>;
}

/** Values of a Prometheus text by name without labels; series of one name are added up. */
function metricsIn(text: string): ReadonlyMap<string, number> {
	const values = new Map<string, number>();
	for (const [, name = '', value] of text.matchAll(/^drawbridge_(\w+)(?:\{[^}]*\})? (\S+)$/gm)) {
		values.set(name, (values.get(name) ?? 0) + Number(value));
	}
	return values;
}

export async function probe(hull: HullProcess): Promise<Probe> {
	const response = await fetch(`${hull.url()}/metrics`, { signal: AbortSignal.timeout(5_000) });
	const metrics = metricsIn(await response.text());
	const read = (name: string): number => metrics.get(name) ?? 0;
	return {
		...usageOf(hull.child().pid),
		atMs: performance.now(),
		samples: read('samples_accepted_total'),
		journalBytes: read('journal_written_bytes_total'),
		journalSyncs: read('journal_syncs_total'),
		backlog: read('uplink_backlog_samples'),
		skippedPeriods: read('modbus_skipped_periods_total'),
	};
}

/** Waits until the gateway of a rig says that its hub is connected. */
export const linkIsUp = (gateway: HullProcess): Promise<boolean> =>
	waitFor('the link', ONLINE_WITHIN_MS, async () => {
		const response = await fetch(`${gateway.url()}/metrics`);
		return metricsIn(await response.text()).get('uplink_connected') === 1;
	});

async function timed<T>(work: Promise<T>): Promise<readonly [T, number]> {
	const fromMs = performance.now();
	const result = await work;
	return [result, performance.now() - fromMs];
}

function pin(child: Child, processor: number): void {
	execFileSync('taskset', ['-a', '-c', '-p', String(processor), String(child.pid)], { stdio: 'ignore' });
}

/** Starts a rig and waits until values flow. The caller stops it. */
export async function startLinkRig(load: LinkLoad): Promise<LinkRig> {
	const endings: (() => Promise<void>)[] = [];
	async function stop(): Promise<void> {
		for (const end of endings.splice(0).toReversed()) await end();
	}
	try {
		const stage = createStage({ teardown: (end) => void endings.push(end) });
		const ports = await startStampSlave(load.devices, STAMPS, (child) => endings.push(() => child.stop()));
		const [hub, hubStartMs] = await timed(stage.spawnHub());
		const rest = await claim(hub.url(), await hub.claimCode());
		const link = await stage.spawnLink(hub);
		const settings = { ...writeStampTemplate(stage.folder, STAMPS), ...load.settings };
		const devices = stampDevices(ports, load.periodMs);
		const [gateway, gatewayStartMs] = await timed(stage.spawnGateway({ devices, uplink: { hub, link }, settings }));
		const { pinTo = null } = load;
		if (pinTo !== null) for (const hull of [hub, gateway]) pin(hull.child(), pinTo);
		await linkIsUp(gateway);
		return { stage, gateway, hub, link, rest, gatewayStartMs, hubStartMs, stop };
	} catch (error) {
		await stop();
		throw error;
	}
}
