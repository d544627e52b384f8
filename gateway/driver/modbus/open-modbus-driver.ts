import type { DeviceTemplate } from '../../../config/template/template.ts';
import type { Clock } from '../../../core/kernel/clock.ts';
import type { Logger } from '../../../core/kernel/log.ts';
import type { DriverSink } from '../driver.ts';
import type { SerialPorts } from '../port/serial-ports.ts';
import { createModbusLine } from './wire/line-factory.ts';
import { measuredLine } from './measured-line.ts';
import { createModbusDriver, type ModbusDriver } from './modbus-driver.ts';
import { createDeviceReader } from './codec/device-reader.ts';
import type { LearntStore } from './plan/learnt-store.ts';
import { planReads } from './plan/request-plan.ts';

/** The Modbus driver with its real parts: lines of this machine, the planner, the decoder. */
export const openModbusDriver = (deps: {
	readonly templates: ReadonlyMap<string, DeviceTemplate>;
	/** Where what devices have taught is kept; absent: nowhere. */
	readonly memory?: LearntStore;
	readonly ports: SerialPorts;
	readonly sink: DriverSink;
	readonly clock: Clock;
	readonly log: Logger;
}): ModbusDriver => {
	const createLine = createModbusLine(deps.clock, deps.ports);
	return createModbusDriver({
		plan: planReads,
		createReader: createDeviceReader,
		createLine: (line, meter) => measuredLine(createLine(line, meter), meter, deps.clock),
		template: (key) => deps.templates.get(key) ?? null,
		...(deps.memory === undefined ? {} : { memory: deps.memory }),
		sink: deps.sink,
		clock: deps.clock,
		log: deps.log,
	});
};
