import type { ExecutionContext } from 'ava';

import type { Line } from '../../config/connection/connection.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { createLineMeter, type LineMeter } from '../../gateway/driver/line-meter.ts';
import { createModbusLine } from '../../gateway/driver/modbus/wire/line-factory.ts';
import type { ModbusLine } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { createModbusSlave } from '../../gateway/simulator/modbus-slave.ts';
import { startTcpResponder } from '../../gateway/simulator/modbus-tcp-slave.ts';
import type { RegisterImage } from '../../gateway/simulator/register-image.ts';
import type { FramingName } from '../../gateway/simulator/slave-framing.ts';
import { createResponder, type Responder } from '../../gateway/simulator/slave-line.ts';
import { portsOf } from '../fake/machine-ports.ts';

/** A register says where it is: `address` mixed with its unit, so that a value under a wrong name is seen at once. */
export const wordAt = (unitId: number, address: number): number => (address ^ (unitId << 8)) & 0xffff;

/** A device whose registers tell their place. */
export const placeImage = (unitId: number): RegisterImage => ({
	read: (_functionCode, address, count) =>
		Uint16Array.from({ length: count }, (_, offset) => wordAt(unitId, address + offset)),
	write: () => null,
});

/** Answers what a recording does not know: units 1 to 8 with registers that tell their place. */
export function placeResponder(): Responder {
	const unitIds = [1, 2, 3, 4, 5, 6, 7, 8];
	const images = new Map(unitIds.map((unitId) => [unitId, placeImage(unitId)]));
	const slave = createModbusSlave({ clock: systemClock, images });
	return createResponder({ slave, clock: systemClock, scenario: null, pacedBaud: null });
}

const host = '127.0.0.1';

const lineTo: Readonly<Record<FramingName, (port: number) => Line>> = {
	tcp: (port) => ({ transport: 'tcp', host, port }),
	rtu: (port) => ({ transport: 'rtu-over-tcp', host, port, baudRate: 115_200 }),
	ascii: (port) => ({ transport: 'ascii-over-tcp', host, port, baudRate: 115_200 }),
};

export interface ScenarioLine {
	readonly line: ModbusLine;
	readonly meter: LineMeter;
	readonly port: number;
}

/** An open line of the product to a responder on this machine; the end of the test closes both. */
export async function openLineTo(
	t: ExecutionContext,
	framing: FramingName,
	responder: Responder,
): Promise<ScenarioLine> {
	const server = await startTcpResponder(responder, { port: 0, framing, clock: systemClock });
	t.teardown(() => server.stop());
	const meter = createLineMeter(systemClock);
	const line = createModbusLine(systemClock, portsOf())(lineTo[framing](server.port), meter);
	t.teardown(() => line.close());
	await line.open(new AbortController().signal, () => undefined);
	return { line, meter, port: server.port };
}
