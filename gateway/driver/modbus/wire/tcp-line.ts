import type { Clock } from '../../../../core/kernel/clock.ts';
import type { LineMeter } from '../../line-meter.ts';
import { createModbusClient } from './modbus-client.ts';
import type { ModbusLine } from './modbus-line.ts';
import { TcpPort } from './tcp-port.ts';

/** One connection to a Modbus TCP server. Transaction ids keep late replies apart, so it needs no quarantine. */
export function createTcpLine(host: string, port: number, clock: Clock, meter: LineMeter): ModbusLine {
	const client = createModbusClient({
		port: new TcpPort({ host, port, clock, meter }),
		clock,
		meter,
		wireMs: () => 0,
	});
	return {
		depth: 1,
		open: (signal, lost) => client.open(signal, lost),
		transact: (request) => client.exchange(request),
		close: () => client.close(),
	};
}
