import type { DeviceTemplate } from '../../../config/template/template.ts';
import type { Clock } from '../../../core/kernel/clock.ts';
import type { Logger } from '../../../core/kernel/log.ts';
import type { DriverSink } from '../driver.ts';
import { createModbusLine } from './wire/line-factory.ts';
import { createModbusDriver, type ModbusDriver } from './modbus-driver.ts';
import { decodeRead } from './codec/register-decoder.ts';
import type { LearntStore } from './plan/learnt-store.ts';
import { planReads } from './plan/request-plan.ts';

/** The Modbus driver with its real parts: lines of this machine, the planner, the decoder. */
export const openModbusDriver = (deps: {
	readonly templates: ReadonlyMap<string, DeviceTemplate>;
	/** Where what devices have taught is kept; absent: nowhere. */
	readonly memory?: LearntStore;
	readonly sink: DriverSink;
	readonly clock: Clock;
	readonly log: Logger;
}): ModbusDriver =>
	createModbusDriver({
		plan: planReads,
		decode: decodeRead,
		createLine: createModbusLine(deps.clock),
		template: (key) => deps.templates.get(key) ?? null,
		...(deps.memory === undefined ? {} : { memory: deps.memory }),
		sink: deps.sink,
		clock: deps.clock,
		log: deps.log,
	});
