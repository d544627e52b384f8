import type { StreamLine } from '../../../config/connection/connection.ts';
import type { DeviceTemplate } from '../../../config/template/template.ts';
import { systemTimer } from '../../../core/journal/set-timer.ts';
import type { Clock } from '../../../core/kernel/clock.ts';
import type { Logger } from '../../../core/kernel/log.ts';
import type { DriverSink } from '../driver.ts';
import type { ByteLink } from '../modbus/wire/byte-link.ts';
import { createSerialLink } from '../modbus/wire/serial-link.ts';
import { createSocketLink } from '../modbus/wire/socket-link.ts';
import type { SerialPorts } from '../port/serial-ports.ts';
import { createSerialDriver, type SerialDriver } from './serial-driver.ts';

/** The serial driver with its real parts: ports of this machine, and sockets. */
export const openSerialDriver = (deps: {
	readonly templates: ReadonlyMap<string, DeviceTemplate>;
	readonly ports: SerialPorts;
	readonly sink: DriverSink;
	readonly clock: Clock;
	readonly log: Logger;
}): SerialDriver =>
	createSerialDriver({
		template: (key) => deps.templates.get(key) ?? null,
		createLink: (line: StreamLine): ByteLink =>
			line.transport === 'serial' ? createSerialLink(line, deps.ports) : createSocketLink(line),
		portName: (path) => deps.ports.nameOf(path),
		sink: deps.sink,
		clock: deps.clock,
		log: deps.log,
		setTimer: systemTimer,
	});
