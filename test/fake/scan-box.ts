import { realpath } from 'node:fs/promises';

import type { Line } from '../../config/connection/connection.ts';
import type { TemplateDocument } from '../../config/template/template.ts';
import { readTemplates } from '../../config/template/template-schema.ts';
import type { Device, DeviceHealth } from '../../core/device/device.ts';
import { systemTimer } from '../../core/journal/set-timer.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { ReadingDraft } from '../../core/telemetry/reading.ts';
import { openModbusDriver } from '../../gateway/driver/modbus/open-modbus-driver.ts';
import { createDriverLines } from '../../gateway/scan/driver-lines.ts';
import { createIdentifyUnit } from '../../gateway/scan/identify-unit.ts';
import { knockAtPort } from '../../gateway/scan/knock-at-port.ts';
import type { OwnAddress } from '../../gateway/scan/own-networks.ts';
import { createRegisterScan } from '../../gateway/scan/register-scan.ts';
import type { Scan, ScanRequest } from '../../gateway/scan/scan.ts';
import type { ScanLines } from '../../gateway/scan/scan-line.ts';
import { createScanService, type ScanService } from '../../gateway/scan/scan-service.ts';
import { createSerialSweep } from '../../gateway/scan/serial-sweep.ts';
import { createTcpSweep } from '../../gateway/scan/tcp-sweep.ts';
import { createTryRegister, type TryRegister } from '../../gateway/scan/try-service.ts';
import { identifySunspec } from '../../gateway/sunspec/sunspec-discovery.ts';
import { portsOf } from './machine-ports.ts';

export interface ScanBox {
	readonly lines: ScanLines;
	readonly scans: ScanService;
	readonly tryRegister: TryRegister;
	readonly templates: ReadonlyMap<string, TemplateDocument>;
	/** What polling brought, the oldest first. */
	readonly readings: readonly ReadingDraft[];
	readonly health: ReadonlyMap<string, DeviceHealth>;
	/** A scan to its end. */
	readonly run: (request: ScanRequest) => Promise<Scan>;
	readonly stop: () => Promise<void>;
}

/** The loopback as the only network. */
const LOOPBACK: readonly OwnAddress[] = [{ address: '127.0.0.1', cidr: '127.0.0.1/8', internal: true }];

const deviceOf = (path: string): Promise<string> => realpath(path).catch(() => path);

/** Scans over real lines, beside a real driver that polls these devices. */
export async function scanBox(devices: readonly Device[] = []): Promise<ScanBox> {
	const { templates } = await readTemplates('config/template');
	const readings: ReadingDraft[] = [];
	const health = new Map<string, DeviceHealth>();
	const ports = portsOf();
	const driver = openModbusDriver({
		templates,
		ports,
		fieldTlsFolder: null,
		sink: {
			reading: (draft) => void readings.push(draft),
			health: (id, now) => void health.set(id, now),
		},
		clock: systemClock,
		log: silentLog,
	});
	await driver.apply(devices);
	const lines = createDriverLines({
		lines: () =>
			devices.flatMap(({ connection }): readonly Line[] => (connection?.driver === 'modbus' ? [connection.line] : [])),
		bus: (line) => driver.busOf(line),
		createLine: (line, meter) => driver.createLine(line, meter),
		deviceOf,
		clock: systemClock,
		setTimer: systemTimer,
		log: silentLog,
	});
	const identify = createIdentifyUnit({ templates: () => templates.values(), discoverSunspec: identifySunspec });
	const scans = await createScanService({
		serial: createSerialSweep({ lines, identify }),
		tcp: createTcpSweep({ lines, identify, networks: { addresses: () => LOOPBACK, withLoopback: true }, knockAtPort }),
		registers: createRegisterScan({ lines }),
		deviceOf,
		repository: { load: () => Promise.resolve([]), save: () => Promise.resolve() },
		clock: systemClock,
		setTimer: systemTimer,
		log: silentLog,
	});
	return {
		lines,
		scans,
		tryRegister: createTryRegister({ lines }),
		templates,
		readings,
		health,
		run: async (request) => {
			const { id } = await scans.start(request, 'test@example.com');
			return new Promise((resolve) => {
				scans.listen((scan) => {
					if (scan.id === id && scan.state !== 'running') resolve(scan);
				});
			});
		},
		async stop() {
			await scans.stop();
			await driver.stop();
			await ports.stop();
		},
	};
}
