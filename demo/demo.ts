import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Clock } from '../core/kernel/clock.ts';
import type { Stoppable } from '../core/kernel/lifecycle.ts';
import { type Child, startChild } from './child.ts';
import { type DemoPorts, gatewaySettings, hubSettings, meterSettings, writeSettings } from './demo-settings.ts';
import { findPort } from './free-port.ts';
import { type LinkProxy, startLinkProxy } from './link-proxy.ts';
import { fetchMetrics } from './metrics.ts';
import { findProgram } from './program.ts';
import { startedLines } from '../gateway/simulator/started-lines.ts';
import type { Observation } from './status-line.ts';

export type Role = 'gateway' | 'hub';

export interface DemoOptions {
	/** Holds everything: `hub/`, `gateway/` and `demo/` (settings and logs). */
	readonly dataFolder: string;
	readonly wantedPorts: DemoPorts;
	/** Arguments of `node` that run a hull with these settings and this data folder. */
	readonly hull: (role: Role, settingsFile: string, dataFolder: string) => readonly string[];
	/** Added to the environment of both hulls. */
	readonly env: Readonly<Record<string, string>>;
	readonly clock: Clock;
	/** Ends the start: what runs is stopped and `startDemo` throws. */
	readonly signal: AbortSignal;
	readonly say: (line: string) => void;
}

/** The whole product on this machine: simulated meters, a gateway, a hub and the wire between them. */
export interface Demo extends Stoppable {
	readonly ports: DemoPorts;
	readonly link: LinkProxy;
	/** Resolves with a sentence as soon as one of the programs ends by itself. */
	readonly broken: Promise<string>;
	/** Code that makes the first administrator of a hull; null once that is done. */
	claimCode(role: Role): string | null;
	observe(): Promise<Observation>;
}

/** Script of the simulator. */
const SIMULATOR = fileURLToPath(new URL('../gateway/simulator/main.js', import.meta.url));
const TCP_UNITS = '1,2,3';
const RTU_UNITS = '1,2';

async function choosePorts(wanted: DemoPorts, say: (line: string) => void): Promise<DemoPorts> {
	const chosen = new Set<number>();
	async function choose(what: string, port: number): Promise<number> {
		const found = await findPort(port, chosen);
		chosen.add(found.port);
		if (found.takenBy !== null) say(`port ${port} (${what}) is taken by ${found.takenBy}; using ${found.port}`);
		return found.port;
	}
	return {
		gatewayHttp: await choose('gateway HTTP', wanted.gatewayHttp),
		mqtt: await choose('gateway MQTT', wanted.mqtt),
		hubHttp: await choose('hub HTTP', wanted.hubHttp),
		link: await choose('hub link', wanted.link),
		simulator: await choose('simulated meters', wanted.simulator),
	};
}

/** First line of a file of secrets; null when it is not there. */
function readCode(path: string): string | null {
	try {
		return readFileSync(path, 'utf8').trim() || null;
	} catch {
		return null;
	}
}

const endOf = async (child: Child): Promise<string> => {
	const { code, signal } = await child.exited;
	return [`${child.name} ended (${signal ?? `exit ${code}`}); its last lines:`, ...child.lastLines().slice(-15)].join(
		'\n',
	);
};

/** Starts everything. @throws Error with a sentence when a part does not come up; nothing is left running then. */
export async function startDemo(options: DemoOptions): Promise<Demo> {
	const { clock, say } = options;
	const dataFolder = resolve(options.dataFolder);
	const folderOf = (name: string): string => join(dataFolder, name);
	for (const name of ['hub', 'gateway', 'demo']) mkdirSync(folderOf(name), { recursive: true, mode: 0o700 });
	const children: Child[] = [];
	let link: LinkProxy | null = null;
	let helperPids: readonly number[] = [];

	function start(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Child {
		options.signal.throwIfAborted();
		const child = startChild({ name, args, env, logFile: join(folderOf('demo'), `${name}.log`) });
		children.push(child);
		return child;
	}

	async function startSimulated(ports: DemoPorts) {
		const hasSocat = findProgram('socat') !== null;
		if (!hasSocat) say('socat is not installed: no meters on RS-485, only on Modbus TCP');
		const rtu = hasSocat ? ['--rtu', `${folderOf('demo')}:${RTU_UNITS}`, '--paced'] : [];
		const simulator = start('simulator', [SIMULATOR, '--tcp', `${ports.simulator}:${TCP_UNITS}`, ...rtu]);
		const started = startedLines(await simulator.ready());
		({ helperPids } = started);
		return started.lines;
	}

	async function startHull(role: Role, settings: object, env: Readonly<Record<string, string>>): Promise<Child> {
		const settingsFile = join(folderOf('demo'), `${role}.yaml`);
		writeSettings(settingsFile, settings);
		const child = start(role, options.hull(role, settingsFile, folderOf(role)), { ...options.env, ...env });
		await child.ready();
		return child;
	}

	async function stop(): Promise<void> {
		await Promise.all(children.map((child) => child.stop()));
		await link?.stop();
		// Only a simulator that had to be killed leaves its helpers behind.
		for (const pid of helperPids) killQuietly(pid);
	}

	const stopEarly = (): void => void stop();
	options.signal.addEventListener('abort', stopEarly);
	try {
		const ports = await choosePorts(options.wantedPorts, say);
		const [lines] = await Promise.all([startSimulated(ports), startHull('hub', hubSettings(ports), {})]);
		link = await startLinkProxy({ clock, targetPort: ports.link });
		const code = readCode(join(folderOf('hub'), 'enrolment-code'));
		await startHull('gateway', gatewaySettings(ports, meterSettings(lines)), {
			DRAWBRIDGE_UPLINK_HUB_URL: `http://127.0.0.1:${ports.hubHttp}`,
			DRAWBRIDGE_UPLINK_LINK_HOST: '127.0.0.1',
			DRAWBRIDGE_UPLINK_LINK_PORT: String(link.port),
			...(code === null ? {} : { DRAWBRIDGE_UPLINK_ENROLMENT_CODE: code }),
		});
		return {
			ports,
			link,
			broken: Promise.race(children.map(endOf)),
			claimCode: (role) => readCode(join(folderOf(role), 'claim-code')),
			async observe() {
				const [gateway, hub] = await Promise.all([fetchMetrics(ports.gatewayHttp), fetchMetrics(ports.hubHttp)]);
				return { atMs: clock.monotonicMs(), gateway, hub };
			},
			stop,
		};
	} catch (error) {
		await stop();
		throw error;
	} finally {
		options.signal.removeEventListener('abort', stopEarly);
	}
}

function killQuietly(pid: number): void {
	try {
		process.kill(pid, 'SIGKILL');
	} catch {
		// It is gone, which is what is wanted.
	}
}
