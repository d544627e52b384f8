import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ExecutionContext } from 'ava';

import { composeHub, type Hub } from '../../cloud/compose.ts';
import { readSettings } from '../../config/read-settings.ts';
import { type Clock, epochMs, systemClock } from '../../core/kernel/clock.ts';
import { type Logger, silentLog } from '../../core/kernel/log.ts';
import { type LinkProxy, startLinkProxy } from '../../demo/link-proxy.ts';
import type { SystemTime } from '../../core/time/system-time.ts';
import { composeGateway, type Gateway } from '../../gateway/compose.ts';
import { ADMINISTRATOR, login, type Rest } from '../system/kit/rest.ts';

/** Tests ask more often than people do. */
const UNLIMITED = { DRAWBRIDGE_HTTP_REQUESTS_PER_SECOND: '1000' };

/** Free ports of loopback for every listener of the role. */
const listenerSettings = (sections: readonly string[]): Readonly<Record<string, string>> =>
	Object.fromEntries(
		sections.flatMap((section) => [
			[`DRAWBRIDGE_${section}_HOST`, '127.0.0.1'],
			[`DRAWBRIDGE_${section}_PORT`, '0'],
		]),
	);

/** The time of this machine, and more of it than has passed. */
export interface ShiftedClock extends Clock {
	shift(ms: number): void;
}

export function createShiftedClock(): ShiftedClock {
	let shiftMs = 0;
	return {
		now: () => epochMs(systemClock.now() + shiftMs),
		monotonicMs: () => systemClock.monotonicMs() + shiftMs,
		shift: (ms) => (shiftMs += ms),
	};
}

export interface PairOptions {
	readonly clock?: Clock;
	/** The machine of the gateway, when it has a time of its own. */
	readonly gatewayMachine?: { readonly clock: Clock; readonly systemTime: () => SystemTime };
	readonly log?: Logger;
	/** More settings of the gateway, as variables of the environment. */
	readonly gateway?: Readonly<Record<string, string>>;
}

/** A gateway and a hub in this process, that do not know each other yet; both claimed. They end with the test. */
export interface Pair {
	/** Data folder of a hull. */
	folder(role: 'hub' | 'gateway'): string;
	hub(): Hub;
	gateway(): Gateway;
	hubUrl(): string;
	/** The hub's first code. */
	code(): string;
	hubRest(): Promise<Rest>;
	gatewayRest(): Promise<Rest>;
	/** Stops the hub, does something while it is away, and starts it on the same port of the link. */
	restartHub(meanwhile?: () => void): Promise<void>;
	restartGateway(meanwhile?: () => void): Promise<void>;
	/** The wire between the two, which can be cut. */
	readonly wire: LinkProxy;
}

export async function startPair(t: ExecutionContext, options: PairOptions = {}): Promise<Pair> {
	const root = mkdtempSync(join(tmpdir(), 'drawbridge-pair-'));
	const folder = (role: 'hub' | 'gateway'): string => join(root, role);
	const common = {
		templateFolders: [],
		web: null,
		administrator: ADMINISTRATOR,
		version: '0.0.0',
		clock: options.clock ?? systemClock,
		log: options.log ?? silentLog,
	};

	function startHub(linkPort: number): Promise<Hub> {
		const environment = {
			...UNLIMITED,
			...listenerSettings(['HTTP', 'HTTPS', 'LINK']),
			DRAWBRIDGE_LINK_PORT: String(linkPort),
		};
		return composeHub({ ...common, settings: readSettings({ role: 'hub', environment }), data: folder('hub') });
	}

	function startGateway(): Promise<Gateway> {
		const environment = {
			...UNLIMITED,
			...listenerSettings(['HTTP', 'HTTPS', 'MQTT', 'MQTT_TLS']),
			DRAWBRIDGE_UPLINK_LINK_HOST: '127.0.0.1',
			DRAWBRIDGE_UPLINK_LINK_PORT: String(wire.port),
			...options.gateway,
		};
		const settings = readSettings({ role: 'gateway', environment });
		const machine = options.gatewayMachine;
		const own = machine === undefined ? {} : { clock: machine.clock, systemTime: machine.systemTime() };
		return composeGateway({ ...common, ...own, sunspecFolder: 'config/sunspec', settings, data: folder('gateway') });
	}

	let hub = await startHub(0);
	const wire = await startLinkProxy({ clock: systemClock, targetPort: hub.linkPort });
	let gateway = await startGateway();
	t.teardown(async () => {
		await gateway.stop();
		await wire.stop();
		await hub.stop();
		rmSync(root, { recursive: true, force: true });
	});
	const hubUrl = (): string => `http://127.0.0.1:${hub.httpPort}`;
	return {
		folder,
		wire,
		hub: () => hub,
		gateway: () => gateway,
		hubUrl,
		code: () => readFileSync(join(folder('hub'), 'enrolment-code'), 'utf8').trim(),
		hubRest: () => login(hubUrl()),
		gatewayRest: () => login(`http://127.0.0.1:${gateway.httpPort}`),
		async restartHub(meanwhile = () => undefined) {
			const { linkPort } = hub;
			await hub.stop();
			meanwhile();
			hub = await startHub(linkPort);
		},
		async restartGateway(meanwhile = () => undefined) {
			await gateway.stop();
			meanwhile();
			gateway = await startGateway();
		},
	};
}
