import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemClock } from '../../../core/kernel/clock.ts';
import { createLifecycle } from '../../../core/kernel/lifecycle.ts';
import { silentLog } from '../../../core/kernel/log.ts';
import { type MeterSettings, gatewaySettings, hubSettings } from '../../../demo/demo-settings.ts';
import { type LinkProxy, startLinkProxy } from '../../../demo/link-proxy.ts';
import { reservePort } from '../../fake/reserved-port.ts';
import { type HullOptions, type HullProcess, createHullProcess } from './hull-process.ts';
import { type SimulatorProcess, startSimulatorProcess } from './simulator-process.ts';

export interface GatewayOptions {
	readonly devices: readonly MeterSettings[];
	/** The hub to enrol at, and the wire to it; nothing: the gateway stands alone. */
	readonly uplink?: { readonly hub: HullProcess; readonly link: LinkProxy };
	/** More sections of the settings file. */
	readonly settings?: Readonly<Record<string, unknown>>;
	/** Added to the environment of each start. */
	readonly env?: () => Readonly<Record<string, string>>;
}

/** Real processes in temporary folders, on ports of loopback that are theirs, also while they are down. All end with the test, whatever its outcome. */
export interface Stage {
	readonly folder: string;
	/** A simulator with the arguments of its command line, e.g. `--tcp 0:1,2`. */
	spawnSimulator(...args: readonly string[]): Promise<SimulatorProcess>;
	/** @param env added to the environment of each start */
	spawnHub(
		settings?: Readonly<Record<string, unknown>>,
		env?: () => Readonly<Record<string, string>>,
	): Promise<HullProcess>;
	/** A wire to the hub's link that can be cut. */
	spawnLink(hub: HullProcess): Promise<LinkProxy>;
	spawnGateway(options: GatewayOptions): Promise<HullProcess>;
}

const COMMAND = join(process.cwd(), 'bin', 'drawbridge.js');

/** As the first line of the command says; who names `node` himself has to repeat it. */
const MEMORY_FLAG = '--max-semi-space-size=4';

const realHull: HullOptions['command'] = (role, settingsFile, dataFolder) => [
	MEMORY_FLAG,
	COMMAND,
	role,
	'--config',
	settingsFile,
	'--data',
	dataFolder,
];

/** What the stage needs of a test: to be told when it ends. */
export interface Ending {
	teardown(end: () => Promise<void>): void;
}

function uplinkEnvironment({ hub, link }: NonNullable<GatewayOptions['uplink']>): Readonly<Record<string, string>> {
	const codeFile = join(hub.dataFolder, 'enrolment-code');
	return {
		DRAWBRIDGE_UPLINK_HUB_URL: hub.url(),
		DRAWBRIDGE_UPLINK_LINK_HOST: '127.0.0.1',
		DRAWBRIDGE_UPLINK_LINK_PORT: String(link.port),
		...(existsSync(codeFile) ? { DRAWBRIDGE_UPLINK_ENROLMENT_CODE: readFileSync(codeFile, 'utf8').trim() } : {}),
	};
}

/** @param command runs a hull; the real one unless told. */
export function createStage(test: Ending, command: HullOptions['command'] = realHull): Stage {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-'));
	const lifecycle = createLifecycle(silentLog);
	let hulls = 0;

	test.teardown(async () => {
		await lifecycle.stop();
		rmSync(folder, { recursive: true, force: true });
	});

	async function spawnHull(options: Pick<HullOptions, 'role' | 'settings' | 'env'>): Promise<HullProcess> {
		hulls += 1;
		const hull = createHullProcess({
			...options,
			folder: join(folder, `${options.role}-${hulls}`),
			command,
			onStart: (child) => lifecycle.own(options.role, child),
		});
		await hull.start();
		return hull;
	}

	return {
		folder,
		spawnSimulator: (...args) => startSimulatorProcess(args, (child) => lifecycle.own('simulator', child)),
		async spawnHub(settings = {}, env = () => ({})) {
			const ports = { hubHttp: await reservePort(), link: await reservePort() };
			return spawnHull({ role: 'hub', settings: { ...hubSettings(ports), ...settings }, env });
		},
		async spawnLink(hub) {
			return lifecycle.own('link', await startLinkProxy({ clock: systemClock, targetPort: hub.port('link_port') }));
		},
		async spawnGateway({ devices, uplink, settings, env = () => ({}) }) {
			const ports = { gatewayHttp: await reservePort(), mqtt: await reservePort() };
			return spawnHull({
				role: 'gateway',
				settings: gatewaySettings(ports, devices, settings),
				env: () => ({ ...(uplink === undefined ? {} : uplinkEnvironment(uplink)), ...env() }),
			});
		},
	};
}
