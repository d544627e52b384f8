import { join } from 'node:path';

import type { DeviceTemplate } from '../../config/template/template.ts';
import type { Line } from '../../config/connection/connection.ts';
import type { TelemetryPart } from '../../core/box/telemetry-part.ts';
import type { Device } from '../../core/device/device.ts';
import { serialPathsOf } from '../../core/device/device-rules.ts';
import { type HttpPart, part } from '../../core/http/server.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import type { DeviceId } from '../../core/kernel/id.ts';
import type { Lifecycle } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { byAge } from './candidate.ts';
import { learntRoutes } from './learnt-routes.ts';
import { lineBudgetRoutes } from './line-budget-routes.ts';
import type { LineMeter } from './line-meter.ts';
import { createLearntStore } from './modbus/plan/learnt-store.ts';
import { lineName } from './modbus/line-name.ts';
import { openModbusDriver } from './modbus/open-modbus-driver.ts';
import type { DriverSink, LineStats } from './driver.ts';
import { openSerialDriver } from './serial/open-serial-driver.ts';
import type { SerialPorts } from './port/serial-ports.ts';

export interface DriverPartDeps {
	/** Data folder of the gateway. */
	readonly data: string;
	readonly templates: ReadonlyMap<string, DeviceTemplate>;
	readonly ports: SerialPorts;
	/** Folder of the certificates of Modbus/TCP Security. */
	readonly fieldTlsFolder: string;
	readonly telemetry: Pick<TelemetryPart, 'devices' | 'telemetry'>;
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}

/** The serial ports of devices, as they are written; those of the older devices first. */
const portPathsOf = (devices: readonly Device[]): readonly string[] => serialPathsOf(devices.toSorted(byAge));

/** What polls. Nothing is read before `begin`; each driver is handed all devices and takes its own. */
export function openDrivers(deps: DriverPartDeps) {
	const { data, templates, ports, fieldTlsFolder, telemetry: into, lifecycle, clock, log } = deps;
	const { devices, telemetry } = into;
	let isPolling = false;
	const sink: DriverSink = {
		reading(draft) {
			// The journal says why it cannot write; live values go on.
			telemetry
				.accept(draft, 'group')
				.catch((error: unknown) => log.debug('reading-not-durable', { reason: messageOf(error) }));
		},
		health: devices.setHealth,
	};
	const modbus = lifecycle.own(
		'modbus driver',
		openModbusDriver({
			memory: createLearntStore({ folder: join(data, 'learnt'), log }),
			templates,
			ports,
			fieldTlsFolder,
			sink,
			clock,
			log,
		}),
	);
	const serial = lifecycle.own('serial driver', openSerialDriver({ templates, ports, sink, clock, log }));
	const lines = (): readonly LineStats[] => [...modbus.lines(), ...serial.lines()];
	function retryFailed(): void {
		for (const { line, state } of modbus.lines()) if (state === 'failed') modbus.bus(line)?.retry();
		serial.retry();
	}
	const endListening = ports.listen(() => {
		// Names that lead to one port now, or to one no more, change who shares a line; before that nobody opens anything.
		void lookAnew().then(retryFailed);
	});
	lifecycle.own('port watch', {
		stop() {
			endListening();
			isPolling = false;
			return Promise.resolve();
		},
	});
	/** Whoever saves a device has looked where its port is. */
	async function applyDevices(): Promise<void> {
		const all = devices.all();
		ports.use(portPathsOf(all));
		await Promise.all([modbus.apply(all), serial.apply(all)]);
	}
	const lineNameOf = (line: Line): string => lineName(modbus.lineNamed(line));
	const notApplied = (error: unknown): void => log.error('devices-not-applied', { reason: messageOf(error) });
	/** Looks where the ports of the devices are now, and applies them by that; what goes wrong is logged. */
	async function lookAnew(): Promise<void> {
		await ports.look(portPathsOf(devices.all()));
		if (isPolling) await applyDevices().catch(notApplied);
	}
	const routes: readonly HttpPart[] = [
		part(lineBudgetRoutes, { budgets: modbus.budgets, budgetWith: modbus.budgetWith }, '/api/v1'),
		part(learntRoutes, { devices, learnt: modbus.learnt, forget: modbus.forget }, '/api/v1'),
	];
	return {
		lines,
		/** The bus of a Modbus line by its name; `null` when no device uses it. */
		busNamed: (name: string) => modbus.bus(name),
		/** The same by the line as a device writes it. */
		busInUse: (line: Line) => modbus.bus(lineNameOf(line)),
		/** What the line of a serial device that is not Modbus is measured with; `null`: it is none. */
		streamNamed: (name: string) => serial.stream(name),
		/** The bus of a Modbus line, also of one that no device uses: opened by the first request, closed some seconds after the last. */
		bus: (line: Line) => modbus.busOf(line),
		/** The line with its port under the one name that it has among the lines. */
		lineNamed: modbus.lineNamed,
		/** The name that the line of a Modbus device has among the lines. */
		lineNameOf,
		/** What was learnt about a device; `null` when it is not polled. */
		learnt: (id: DeviceId) => modbus.learnt(id),
		/** A fresh connection to a line, for who has its port for himself. */
		createLine: (line: Line, meter: LineMeter) => modbus.createLine(line, meter),
		/** Devices or templates are others now; resolves when what polls has looked. Before `begin` nothing does: it then sees them as they are. */
		rearranged: (): Promise<void> => (isPolling ? applyDevices() : Promise.resolve()),
		/** What whoever saved this device should know: that its line will not keep up; `null`: nothing. @param isNamed whether devices may be named */
		notice({ id: device, name, connection }: Device, isNamed: boolean): string | null {
			if (connection?.driver !== 'modbus') return null;
			const template = templates.get(connection.template);
			if (template === undefined || template.serial !== undefined) return null;
			const { line, sentence } = modbus.budgetWith({ device, name, connection });
			return sentence === null || isNamed ? sentence : `the line ${line} needs more time than there is`;
		},
		/** Devices are read from now on. */
		async begin(): Promise<void> {
			devices.listen({
				changed: () => void applyDevices().catch(notApplied),
			});
			isPolling = true;
			await ports.look(portPathsOf(devices.all()));
			await applyDevices();
		},
		routes,
	};
}

export type DriverPart = ReturnType<typeof openDrivers>;
