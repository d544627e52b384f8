import { realpath } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';

import type { Line } from '../../config/connection/connection.ts';
import type { TemplateDocument } from '../../config/template/template.ts';
import type { Device } from '../../core/device/device.ts';
import { type HttpPart, part } from '../../core/http/server.ts';
import { systemTimer } from '../../core/journal/set-timer.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import type { Lifecycle } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { RealtimeServer } from '../../core/realtime/realtime-server.ts';
import type { Bus } from '../driver/bus.ts';
import type { LineMeter } from '../driver/line-meter.ts';
import type { ModbusLine } from '../driver/modbus/wire/modbus-line.ts';
import type { SerialPorts } from '../driver/port/serial-ports.ts';
import type { DiscoverSunspec } from './device-words.ts';
import { createDriverLines } from './driver-lines.ts';
import { createIdentifyUnit } from './identify-unit.ts';
import { knockAtPort } from './knock-at-port.ts';
import type { OwnAddress } from './own-networks.ts';
import { createRegisterScan } from './register-scan.ts';
import { createScanRealtime } from './scan-realtime.ts';
import { scanRoutes } from './scan-routes.ts';
import { createScanService } from './scan-service.ts';
import { openScanStore } from './scan-store.ts';
import { createSerialSweep } from './serial-sweep.ts';
import { createTcpSweep } from './tcp-sweep.ts';
import { createTryRegister } from './try-service.ts';

export interface ScanPartDeps {
	/** Folder of everything durable. */
	readonly data: string;
	readonly templates: ReadonlyMap<string, TemplateDocument>;
	/** All devices of the box; those that are polled name the lines in use. */
	readonly devices: () => readonly Device[];
	/** The bus of a line, also of one that no device uses. */
	readonly bus: (line: Line) => Bus;
	/** The line with its port under the one name that it has among the lines. */
	readonly lineNamed: (line: Line) => Line;
	/** A fresh connection of a scan's own. */
	readonly createLine: (line: Line, meter: LineMeter) => ModbusLine;
	readonly ports: Pick<SerialPorts, 'find'>;
	readonly discoverSunspec: DiscoverSunspec;
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
	/** Absent: those of the machine, without loopback. */
	readonly ownAddresses?: () => readonly OwnAddress[];
}

const machineAddresses = (): readonly OwnAddress[] =>
	Object.values(networkInterfaces()).flatMap((addresses) =>
		(addresses ?? []).map(({ address, cidr, internal }) => ({ address, cidr, internal })),
	);

/** Finding devices: sweeps, identification, one register at a time. */
export async function openScans(deps: ScanPartDeps) {
	const { data, templates, devices, bus, lineNamed, createLine, ports, discoverSunspec, lifecycle, clock, log } = deps;
	const lines = createDriverLines({
		lines: () =>
			devices().flatMap(({ connection, deletedAt }) =>
				connection?.driver === 'modbus' && deletedAt === null ? [lineNamed(connection.line)] : [],
			),
		bus,
		createLine,
		deviceOf: (path) =>
			ports
				.find(path)
				.then(({ device }) => realpath(device))
				.catch(() => path),
		clock,
		setTimer: systemTimer,
		log,
	});
	const identify = createIdentifyUnit({
		templates: () => [...templates.values()].filter(({ serial }) => serial === undefined),
		discoverSunspec,
	});
	const networks = { addresses: deps.ownAddresses ?? machineAddresses, withLoopback: deps.ownAddresses !== undefined };
	const scans = lifecycle.own(
		'scans',
		await createScanService({
			serial: createSerialSweep({ lines, identify }),
			tcp: createTcpSweep({ lines, identify, networks, knockAtPort }),
			registers: createRegisterScan({ lines }),
			repository: await openScanStore(join(data, 'scans.json'), log),
			clock,
			setTimer: systemTimer,
			log,
		}),
	);
	const routes: readonly HttpPart[] = [
		part(scanRoutes, { scans, tryRegister: createTryRegister({ lines }), lines }, '/api/v1'),
	];
	return {
		routes,
		/** Lines for a few requests of somebody else. */
		lines,
		/** Tells whoever watches how far scans are. */
		announce: (realtime: Pick<RealtimeServer, 'namespace' | 'on' | 'actorOf' | 'cutSlow'>): void =>
			scans.listen(createScanRealtime({ realtime })),
	};
}
