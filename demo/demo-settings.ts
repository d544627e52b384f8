import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { stringify } from 'yaml';

import type { StartedLine } from '../gateway/simulator/simulator.ts';

export interface DemoPorts {
	readonly gatewayHttp: number;
	readonly mqtt: number;
	readonly hubHttp: number;
	readonly link: number;
	/** Of the simulated Modbus TCP meters. */
	readonly simulator: number;
}

/** Port of the simulated meters. Fixed, because a gateway keeps the devices it has once been told of. */
const SIMULATOR_PORT = 5020;

/** The fixed ports of the product, and the simulator's. */
export const DEFAULT_PORTS: DemoPorts = {
	gatewayHttp: 8000,
	mqtt: 1883,
	hubHttp: 8101,
	link: 8884,
	simulator: SIMULATOR_PORT,
};

const HOST = '127.0.0.1';
/** A free port of the system's choice, which the log names. */
const ANY_PORT = { host: HOST, port: 0 };

/** Pages, status lines and tests of a demo all come from one address. */
const REQUESTS_PER_SECOND = 1_000;
const TEMPLATE = 'eastron-sdm630';

function lineSettings(line: StartedLine) {
	if (line.transport === 'tcp') return { transport: 'tcp', host: HOST, port: line.port };
	return { transport: 'rtu', path: line.path, baud_rate: 9600, parity: 'none', data_bits: 8, stop_bits: 1 };
}

/** A meter of a simulated line, as the gateway's settings name devices. */
export interface MeterSettings {
	readonly uid: string;
	readonly name: string;
	readonly device_type: string;
	readonly connection: Readonly<Record<string, unknown>>;
}

const placeOf = ({ transport, port }: StartedLine): string =>
	transport === 'rtu' ? 'serial' : port === SIMULATOR_PORT ? 'tcp' : `tcp${port}`;

/**
 * One device per unit of the simulator. A serial line at 9600 baud gets a longer period: a whole meter takes about 0.6 s
 * of it.
 */
export function meterSettings(lines: readonly StartedLine[], template = TEMPLATE): readonly MeterSettings[] {
	return lines.flatMap((line) =>
		line.unitIds.map((unitId) => ({
			uid: `meter-${placeOf(line)}-${unitId}`,
			name: `Simulated meter ${unitId} (${line.transport === 'tcp' ? 'Modbus TCP' : 'RS-485'})`,
			device_type: 'energy_meter',
			connection: {
				driver: 'modbus',
				line: lineSettings(line),
				unit_id: unitId,
				template,
				period_ms: line.transport === 'tcp' ? 1000 : 3000,
				timeout_ms: 1000,
			},
		})),
	);
}

/** Settings of a gateway that reads these devices. */
export const gatewaySettings = (
	ports: Pick<DemoPorts, 'gatewayHttp' | 'mqtt'>,
	devices: readonly MeterSettings[],
	more: Readonly<Record<string, unknown>> = {},
): object => ({
	http: { host: HOST, port: ports.gatewayHttp, requests_per_second: REQUESTS_PER_SECOND },
	https: ANY_PORT,
	mqtt: { host: HOST, port: ports.mqtt },
	mqtt_tls: ANY_PORT,
	devices,
	...more,
});

export const hubSettings = (ports: Pick<DemoPorts, 'hubHttp' | 'link'>): object => ({
	http: { host: HOST, port: ports.hubHttp, requests_per_second: REQUESTS_PER_SECOND },
	https: ANY_PORT,
	link: { host: HOST, port: ports.link },
});

/** Writes settings as YAML, readable by this user only; makes the folder. */
export function writeSettings(path: string, settings: object): void {
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, stringify(settings), { mode: 0o600 });
}
