import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Line } from '../../config/connection/connection.ts';
import { portsOf } from '../fake/machine-ports.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { createLineMeter } from '../../gateway/driver/line-meter.ts';
import { createAsciiLine } from '../../gateway/driver/modbus/wire/ascii-line.ts';
import { createLateReplyGuard } from '../../gateway/driver/modbus/wire/late-reply-guard.ts';
import { createModbusLine } from '../../gateway/driver/modbus/wire/line-factory.ts';
import { createRtuLine } from '../../gateway/driver/modbus/wire/rtu-line.ts';
import { startDeviceServer } from '../fake/device-server.ts';
import { makeFieldAuthority } from '../fake/field-certificates.ts';
import { ascii, type Framing, mbap, rtu } from '../fake/framings.ts';
import { createMemoryLink } from '../fake/memory-link.ts';
import type { PduDevice } from '../fake/pdu-device.ts';
import { type LineBox, type MakeLine, testLine } from './line-suite.ts';

const overNetwork =
	(framing: Framing, lineTo: (port: number) => Line): MakeLine =>
	async (t, device): Promise<LineBox> => {
		const server = await startDeviceServer(device, framing);
		t.teardown(() => server.stop());
		const meter = createLineMeter(systemClock);
		return {
			line: createModbusLine(systemClock, portsOf())(lineTo(server.port), meter),
			meter,
			cut: () => server.hangUp(),
		};
	};

const host = '127.0.0.1';

testLine(
	'tcp',
	overNetwork(mbap, (port) => ({ transport: 'tcp', host, port })),
);
testLine(
	'tcp with depth 8',
	overNetwork(mbap, (port) => ({ transport: 'tcp', host, port, depth: 8 })),
);
testLine(
	'rtu over tcp',
	overNetwork(rtu, (port) => ({ transport: 'rtu-over-tcp', host, port, baudRate: 115_200 })),
);
testLine(
	'ascii over tcp',
	overNetwork(ascii, (port) => ({ transport: 'ascii-over-tcp', host, port, baudRate: 115_200 })),
);

const certificates = makeFieldAuthority('Plant');

async function overTls(t: ExecutionContext, device: PduDevice): Promise<LineBox> {
	const authority = await certificates;
	const folder = await mkdtemp(join(tmpdir(), 'field-tls-'));
	t.teardown(() => rm(folder, { recursive: true, force: true }));
	await writeFile(join(folder, 'plant.crt'), authority.cert);
	const server = await startDeviceServer(device, mbap, await authority.issue([host]));
	t.teardown(() => server.stop());
	const meter = createLineMeter(systemClock);
	const line = createModbusLine(
		systemClock,
		portsOf(),
		folder,
	)({ transport: 'tcp', host, port: server.port, tls: { authority: 'plant' } }, meter);
	return { line, meter, cut: () => server.hangUp() };
}
testLine('tls', overTls);

const timing = { baudRate: 115_200, bitsPerChar: 10 };

const onWire =
	(framing: Framing, create: typeof createRtuLine): MakeLine =>
	(_, device): Promise<LineBox> => {
		const meter = createLineMeter(systemClock);
		const link = createMemoryLink(device, framing);
		const guard = createLateReplyGuard(() => systemClock.monotonicMs());
		const line = create({ link, timing, clock: systemClock, meter, guard });
		return Promise.resolve({ line, meter, cut: () => link.cut() });
	};
testLine('rtu on a wire', onWire(rtu, createRtuLine));
testLine('ascii on a wire', onWire(ascii, createAsciiLine));
