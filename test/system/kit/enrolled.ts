import type { MeterSettings } from '../../../demo/demo-settings.ts';
import type { LinkProxy } from '../../../demo/link-proxy.ts';
import type { HullProcess } from './hull-process.ts';
import { type Rest, claim } from './rest.ts';
import type { Stage } from './stage.ts';
import { uplinkOf } from './telemetry.ts';
import { waitFor } from './wait-for.ts';

/** A hub and a gateway that is enrolled there over a wire, both claimed. */
export interface Enrolled {
	readonly hub: HullProcess;
	readonly gateway: HullProcess;
	readonly link: LinkProxy;
	readonly hubRest: Rest;
	readonly gatewayRest: Rest;
}

export const ONLINE_WITHIN_MS = 45_000;

export const untilOnline = (gateway: Rest, withinMs = ONLINE_WITHIN_MS): Promise<boolean> =>
	waitFor('the link is online', withinMs, async () => (await uplinkOf(gateway, 'state')) === 'online');

export async function startEnrolled(
	stage: Stage,
	devices: readonly MeterSettings[],
	settings: Readonly<Record<string, unknown>> = {},
): Promise<Enrolled> {
	const hub = await stage.spawnHub();
	const link = await stage.spawnLink(hub);
	const gateway = await stage.spawnGateway({ devices, uplink: { hub, link }, settings });
	const hubRest = await claim(hub.url(), await hub.claimCode());
	const gatewayRest = await claim(gateway.url(), await gateway.claimCode());
	await untilOnline(gatewayRest);
	return { hub, gateway, link, hubRest, gatewayRest };
}
