import type { Line } from '../../../../config/connection/connection.ts';
import { Fault } from '../../../../core/kernel/fault.ts';
import type { Clock } from '../../../../core/kernel/clock.ts';
import type { LineMeter } from '../../line-meter.ts';
import type { SerialPorts } from '../../port/serial-ports.ts';
import { createLateReplyGuard, type LateReplyGuard } from './late-reply-guard.ts';
import { bitsPerChar } from '../line-name.ts';
import type { ModbusLine } from './modbus-line.ts';
import { createRtuLine } from './rtu-line.ts';
import { createSerialLink } from './serial-link.ts';
import { createTcpLine } from './tcp-line.ts';

/** Makes fresh, unopened connections to lines over the network or a serial port of this machine. */
export function createModbusLine(clock: Clock, ports: SerialPorts): (line: Line, meter: LineMeter) => ModbusLine {
	/** One for each line, as long as its meter. */
	const guards = new WeakMap<LineMeter, LateReplyGuard>();

	function guardOf(meter: LineMeter): LateReplyGuard {
		let guard = guards.get(meter);
		if (guard === undefined) guards.set(meter, (guard = createLateReplyGuard(() => clock.monotonicMs())));
		return guard;
	}

	return (line, meter) => {
		if (line.transport === 'tcp') return createTcpLine(line.host, line.port, clock, meter);
		if (line.transport !== 'rtu') throw new Fault('unavailable', `${line.transport} is not supported`);
		const timing = { baudRate: line.baudRate, bitsPerChar: bitsPerChar(line) };
		return createRtuLine({ link: createSerialLink(line, ports), timing, clock, meter, guard: guardOf(meter) });
	};
}
