import type { LinkMode } from './link-proxy.ts';
import type { Metrics } from './metrics.ts';

/** What both hulls said at one moment; null for one that did not answer. */
export interface Observation {
	/** Monotonic ms. */
	readonly atMs: number;
	readonly gateway: Metrics | null;
	readonly hub: Metrics | null;
}

const SAMPLES = 'drawbridge_samples_accepted_total';
const BACKLOG = 'drawbridge_uplink_backlog_samples';
const CONNECTED = 'drawbridge_uplink_connected';

const WIRE: Readonly<Record<LinkMode['kind'], string>> = {
	pass: '',
	cut: ' (cut, press l to restore)',
	'black-hole': ' (black hole, press b to restore)',
	delay: ' (delayed)',
	throttle: ' (narrow)',
	'cut-after': ' (about to be cut)',
};

function rate(name: string, before: Metrics | null, now: Metrics | null, elapsedMs: number): string {
	const from = before?.get(name);
	const to = now?.get(name);
	if (from === undefined || to === undefined || elapsedMs <= 0) return '-';
	// A counter that fell belongs to a process that has started anew.
	return ((Math.max(0, to - from) / elapsedMs) * 1000).toFixed(0);
}

function linkState(gateway: Metrics | null): string {
	const connected = gateway?.get(CONNECTED);
	if (connected === undefined) return '-';
	return connected > 0 ? 'connected' : 'down';
}

/** One line for a person: points read, points stored at the hub, backlog, link. */
export function statusLine(before: Observation, now: Observation, mode: LinkMode): string {
	const elapsedMs = now.atMs - before.atMs;
	const read = rate(SAMPLES, before.gateway, now.gateway, elapsedMs);
	const stored = rate(SAMPLES, before.hub, now.hub, elapsedMs);
	const backlog = now.gateway?.get(BACKLOG)?.toFixed(0) ?? '-';
	return `read ${read} points/s · stored at hub ${stored}/s · backlog ${backlog} · link ${linkState(now.gateway)}${WIRE[mode.kind]}`;
}
