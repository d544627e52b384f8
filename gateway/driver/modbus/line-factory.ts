import type { Line } from '../../../core/device/device.ts';
import type { Clock } from '../../../core/kernel/clock.ts';
import type { LineMeter } from '../line-meter.ts';
import { bitsPerChar } from './line-name.ts';
import type { ModbusLine } from './modbus-line.ts';
import { createRtuLine } from './rtu-line.ts';
import { createSerialLink } from './serial-link.ts';
import { createTcpLine } from './tcp-line.ts';

/** A fresh, unopened connection to a line over the network or a serial port of this machine. */
export const createModbusLine =
	(clock: Clock) =>
	(line: Line, meter: LineMeter): ModbusLine => {
		if (line.transport === 'tcp') return createTcpLine(line.host, line.port, clock, meter);
		const timing = { baudRate: line.baudRate, bitsPerChar: bitsPerChar(line) };
		return createRtuLine({ link: createSerialLink(line), timing, clock, meter });
	};
