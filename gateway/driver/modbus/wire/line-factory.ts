import {
	type ConverterLine,
	type Line,
	portOf,
	type SerialLine,
	type TcpLine,
} from '../../../../config/connection/connection.ts';
import type { Clock } from '../../../../core/kernel/clock.ts';
import type { LineMeter } from '../../line-meter.ts';
import type { SerialPorts } from '../../port/serial-ports.ts';
import { bitsPerChar } from '../line-name.ts';
import { createAsciiLine } from './ascii-line.ts';
import { type Bystanders, createBystanders } from './bystanders.ts';
import { readFieldTls } from './field-tls.ts';
import { createLateReplyGuard, type LateReplyGuard } from './late-reply-guard.ts';
import type { ModbusLine } from './modbus-line.ts';
import { createRtuLine } from './rtu-line.ts';
import type { RtuTiming } from './rtu-timing.ts';
import { createSerialLink } from './serial-link.ts';
import { createSocketLink } from './socket-link.ts';
import { createTcpLine } from './tcp-line.ts';

/** The line behind a converter, unless it was told: the rate meters are shipped with, and the longest character. */
const CONVERTER_BAUD_RATE = 9600;
const CONVERTER_BITS_PER_CHAR = 11;

const framed = { rtu: createRtuLine, ascii: createAsciiLine } as const;

const timingOf = (line: SerialLine | ConverterLine): RtuTiming =>
	'path' in line
		? { baudRate: line.baudRate, bitsPerChar: bitsPerChar(line) }
		: { baudRate: line.baudRate ?? CONVERTER_BAUD_RATE, bitsPerChar: CONVERTER_BITS_PER_CHAR };

/** Ports whose owed answers are remembered, at most; the one that was opened longest ago goes first. */
const MOST_PORTS = 256;

/**
 * Makes fresh, unopened connections to lines over the network or a serial port of this machine.
 * @param fieldTlsFolder where the certificates of Modbus/TCP Security lie; `null`: such lines can use those of the system only
 */
export function createModbusLine(
	clock: Clock,
	ports: SerialPorts,
	fieldTlsFolder: string | null = null,
): (line: Line, meter: LineMeter) => ModbusLine {
	/** What outlives the connections of a line; one for each, as long as its meter. */
	const bystanders = new WeakMap<LineMeter, Bystanders>();
	/** One for each port: an answer that comes late finds whoever has the port then, a scan as well as the polls behind it. */
	const guards = new Map<string, LateReplyGuard>();

	function bystandersOf(meter: LineMeter): Bystanders {
		const known = bystanders.get(meter) ?? createBystanders(clock, meter.counters);
		bystanders.set(meter, known);
		return known;
	}

	function guardOf(line: Line): LateReplyGuard {
		const port = portOf('path' in line ? { path: ports.nameOf(line.path) } : line);
		const guard = guards.get(port) ?? createLateReplyGuard(() => clock.monotonicMs());
		guards.delete(port);
		guards.set(port, guard);
		const [oldest] = guards.keys();
		if (guards.size > MOST_PORTS && oldest !== undefined) guards.delete(oldest);
		return guard;
	}

	function tcpLine({ host, port, tls, depth = 1 }: TcpLine, meter: LineMeter): ModbusLine {
		const security = tls === undefined ? {} : { tls: () => readFieldTls(fieldTlsFolder, tls, host) };
		return createTcpLine({
			link: createSocketLink({ host, port, ...security }),
			place: `${host}:${port}`,
			depth,
			clock,
			meter,
		});
	}

	return (line, meter) => {
		if (line.transport === 'tcp') return tcpLine(line, meter);
		const link = 'path' in line ? createSerialLink(line, ports) : createSocketLink(line);
		const isRtu = line.transport === 'rtu' || line.transport === 'rtu-over-tcp';
		const create = framed[isRtu ? 'rtu' : 'ascii'];
		return create({
			link,
			timing: timingOf(line),
			clock,
			meter,
			guard: guardOf(line),
			bystanders: bystandersOf(meter),
		});
	};
}
