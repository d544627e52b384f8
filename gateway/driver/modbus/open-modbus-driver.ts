import type { DeviceTemplate } from '../../../config/template/template.ts';
import type { Line } from '../../../config/connection/connection.ts';
import type { Clock } from '../../../core/kernel/clock.ts';
import type { Logger } from '../../../core/kernel/log.ts';
import type { DriverSink } from '../driver.ts';
import type { SerialPorts } from '../port/serial-ports.ts';
import type { LineMeter } from '../line-meter.ts';
import { createModbusLine } from './wire/line-factory.ts';
import type { ModbusLine } from './wire/modbus-line.ts';
import { bitsPerChar } from './line-name.ts';
import { measuredLine } from './measured-line.ts';
import { type LineCost, rtuCost, tcpCost } from './plan/line-cost.ts';
import { createModbusDriver, type ModbusDriver } from './modbus-driver.ts';
import { createDeviceReader } from './codec/device-reader.ts';
import { planReads } from './plan/request-plan.ts';

/** Time a device on a serial line takes before it answers, until it was measured. */
const TURNAROUND_MS = 15;
/** Time of a request and its answer on a network, until it was measured. */
const ROUND_TRIP_MS = 5;

const costOf = (line: Line): LineCost =>
	'path' in line ? rtuCost(line.baudRate, bitsPerChar(line), TURNAROUND_MS) : tcpCost(ROUND_TRIP_MS);

/** The driver, and the lines it is made with for who needs one of his own. */
export interface OpenedModbusDriver extends ModbusDriver {
	/** A fresh connection that nobody else knows of; a port that is in use does not open. */
	createLine(line: Line, meter: LineMeter): ModbusLine;
}

/** The Modbus driver with its real parts: lines of this machine, the planner, the decoder. */
export const openModbusDriver = (deps: {
	readonly templates: ReadonlyMap<string, DeviceTemplate>;
	readonly ports: SerialPorts;
	readonly sink: DriverSink;
	readonly clock: Clock;
	readonly log: Logger;
}): OpenedModbusDriver => {
	const connect = createModbusLine(deps.clock, deps.ports);
	const createLine = (line: Line, meter: LineMeter): ModbusLine =>
		measuredLine(connect(line, meter), meter, deps.clock);
	const driver = createModbusDriver({
		plan: (points, line, limits) => planReads(points, costOf(line), limits),
		createReader: createDeviceReader,
		createLine,
		template: (key) => deps.templates.get(key) ?? null,
		sink: deps.sink,
		clock: deps.clock,
		log: deps.log,
	});
	return { ...driver, createLine };
};
