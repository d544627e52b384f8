import type { DeviceTemplate } from '../../../config/template/template.ts';
import type { Clock } from '../../../core/kernel/clock.ts';
import type { Logger } from '../../../core/kernel/log.ts';
import type { DriverSink } from '../driver.ts';
import type { SerialPorts } from '../port/serial-ports.ts';
import type { LineMeter } from '../line-meter.ts';
import type { Line } from '../../../config/connection/connection.ts';
import { createModbusLine } from './wire/line-factory.ts';
import type { ModbusLine } from './wire/modbus-line.ts';
import { measuredLine } from './measured-line.ts';
import { createModbusDriver, type ModbusDriver } from './modbus-driver.ts';
import { createDeviceReader } from './codec/device-reader.ts';
import type { LearntStore } from './plan/learnt-store.ts';
import { planReads } from './plan/request-plan.ts';

/** The driver, and the lines it is made with for who needs one of his own. */
export interface OpenedModbusDriver extends ModbusDriver {
	/** A fresh connection that nobody else knows of; a port that is in use does not open. */
	createLine(line: Line, meter: LineMeter): ModbusLine;
}

/** The Modbus driver with its real parts: lines of this machine, the planner, the decoder. */
export const openModbusDriver = (deps: {
	readonly templates: ReadonlyMap<string, DeviceTemplate>;
	/** Where what devices have taught is kept; absent: nowhere. */
	readonly memory?: LearntStore;
	readonly ports: SerialPorts;
	/** Folder of the certificates of Modbus/TCP Security; `null`: there is none. */
	readonly fieldTlsFolder: string | null;
	readonly sink: DriverSink;
	readonly clock: Clock;
	readonly log: Logger;
}): OpenedModbusDriver => {
	const connect = createModbusLine(deps.clock, deps.ports, deps.fieldTlsFolder);
	const createLine = (line: Line, meter: LineMeter): ModbusLine =>
		measuredLine(connect(line, meter), meter, deps.clock);
	const driver = createModbusDriver({
		plan: planReads,
		createReader: createDeviceReader,
		createLine,
		portName: (path) => deps.ports.nameOf(path),
		template: (key) => deps.templates.get(key) ?? null,
		...(deps.memory === undefined ? {} : { memory: deps.memory }),
		sink: deps.sink,
		clock: deps.clock,
		log: deps.log,
	});
	return { ...driver, createLine };
};
