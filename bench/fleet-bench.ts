import { setTimeout as sleep } from 'node:timers/promises';

import { type Child, portOf, startChild } from '../demo/child.ts';
import { usageOf } from './load/process-usage.ts';
import { quantile } from './live-age.ts';
import { loadProgram } from './stamp-devices.ts';
import { table } from './table.ts';

const GATEWAYS = 500;
const BACKLOG_SAMPLES = 4_000;
const WATCH_MS = 250;
const READY_WITHIN_MS = 60_000;
const WITHIN_MS = 60_000;
const MOST_RSS_MB = 400;
/** The 500 gateways are one process, which has its own delays. */
const MOST_LIVE_P99_MS = 2_500;

interface HubStats {
	readonly stored: readonly number[];
	readonly liveAges: readonly number[];
}

const numbersIn = (value: unknown): readonly number[] => (Array.isArray(value) ? value.map(Number) : []);

function statsOf(hub: Child): Promise<HubStats> {
	return new Promise((resolve) => {
		const stop = hub.onLine((line) => {
			if (!line.startsWith('{"event":"stats"')) return;
			stop();
			// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON that begins with a brace is an object
			const stats = JSON.parse(line) as Readonly<Record<string, unknown>>;
			resolve({ stored: numbersIn(stats['stored']), liveAges: numbersIn(stats['live_ages']) });
		});
		hub.send('stats');
	});
}

/** 500 gateways that come back at once, each with a backlog, over TLS with certificates of their own; the hub in one process, they in another. */
export async function runFleetBench(): Promise<{ readonly report: string; readonly isWithinLimits: boolean }> {
	const hub = startChild({ name: 'hub', args: [loadProgram('fleet-hub'), '--gateways', String(GATEWAYS)] });
	let gateways: Child | null = null;
	try {
		const ready = await hub.ready(READY_WITHIN_MS);
		const args = ['--port', String(portOf(ready, 'link_port')), '--credentials', String(ready['credentials'])];
		gateways = startChild({
			name: 'gateways',
			args: [loadProgram('fleet-gateways'), ...args, '--backlog', String(BACKLOG_SAMPLES)],
		});
		const told = new Map<string, number>();
		gateways.onLine((line) => {
			const [, event, ms] = /"event":"(\w+)","ms":([\d.]+)/.exec(line) ?? [];
			if (event !== undefined) told.set(event, Number(ms));
		});
		const startMs = performance.now();
		const cpuBefore = usageOf(hub.pid).cpuMs;
		let rssBytes = 0;
		let halfway: readonly number[] = [];
		const liveAges: number[] = [];
		while (!told.has('drained') && performance.now() - startMs < WITHIN_MS) {
			await sleep(WATCH_MS);
			rssBytes = Math.max(rssBytes, usageOf(hub.pid).rssBytes);
			const stats = await statsOf(hub);
			liveAges.push(...stats.liveAges);
			const sum = stats.stored.reduce((total, samples) => total + samples, 0);
			if (halfway.length === 0 && sum > (GATEWAYS * BACKLOG_SAMPLES) / 2) halfway = stats.stored;
		}
		const drainedMs = told.get('drained') ?? Number.NaN;
		const liveP99Ms = quantile(liveAges, 0.99);
		const rssMb = rssBytes / 2 ** 20;
		const rows = [
			{ figure: 'gateways', value: GATEWAYS },
			{ figure: 'samples that each owes', value: BACKLOG_SAMPLES },
			{ figure: 'until all are welcomed, ms', value: told.get('welcomed') ?? Number.NaN },
			{ figure: 'until none owes anything, ms', value: drainedMs },
			{ figure: 'stored per second of that', value: (GATEWAYS * BACKLOG_SAMPLES * 1_000) / drainedMs },
			{
				figure: 'half of it stored: the least that a gateway has, share of its own',
				value: Math.min(...halfway) / BACKLOG_SAMPLES,
			},
			{
				figure: 'half of it stored: the most that a gateway has, share of its own',
				value: Math.max(...halfway) / BACKLOG_SAMPLES,
			},
			{ figure: 'half of it stored: gateways that have anything', value: halfway.length },
			{ figure: 'live age meanwhile p50, ms', value: quantile(liveAges, 0.5) },
			{ figure: 'live age meanwhile p99, ms', value: liveP99Ms },
			{ figure: 'hub, most memory, MB', value: rssMb },
			{ figure: 'hub, processor time, ms', value: usageOf(hub.pid).cpuMs - cpuBefore },
		];
		const isWithinLimits = drainedMs < WITHIN_MS && rssMb < MOST_RSS_MB && liveP99Ms < MOST_LIVE_P99_MS;
		return { report: table(rows), isWithinLimits };
	} finally {
		await gateways?.kill9();
		await hub.stop();
	}
}
