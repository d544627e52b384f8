import type { DeviceTemplate } from '../../../config/template/template.ts';
import type { Line } from '../../../config/connection/connection.ts';
import type { Clock } from '../../../core/kernel/clock.ts';
import type { Logger } from '../../../core/kernel/log.ts';
import type { DriverSink } from '../driver.ts';
import type { SerialPorts } from '../port/serial-ports.ts';
import { createModbusLine } from './wire/line-factory.ts';
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

/** The Modbus driver with its real parts: lines of this machine, the planner, the decoder. */
export const openModbusDriver = (deps: {
	readonly templates: ReadonlyMap<string, DeviceTemplate>;
	readonly ports: SerialPorts;
	/** Folder of the certificates of Modbus/TCP Security; `null`: there is none. */
	readonly fieldTlsFolder: string | null;
	readonly sink: DriverSink;
	readonly clock: Clock;
	readonly log: Logger;
}): ModbusDriver => {
	const createLine = createModbusLine(deps.clock, deps.ports, deps.fieldTlsFolder);
	return createModbusDriver({
		plan: (points, line, limits) => planReads(points, costOf(line), limits),
		createReader: createDeviceReader,
		createLine: (line, meter) => measuredLine(createLine(line, meter), meter, deps.clock),
		template: (key) => deps.templates.get(key) ?? null,
		sink: deps.sink,
		clock: deps.clock,
		log: deps.log,
	});
};
