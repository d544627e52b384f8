import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { Line } from '../../config/connection/connection.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { deviceId, deviceUid } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { openModbusDriver } from '../../gateway/driver/modbus/open-modbus-driver.ts';
import { startDeviceServer } from '../fake/device-server.ts';
import { makeFieldAuthority } from '../fake/field-certificates.ts';
import { ascii, type Framing, mbap, rtu } from '../fake/framings.ts';
import { portsOf } from '../fake/machine-ports.ts';
import { createPduDevice } from '../fake/pdu-device.ts';
import { plainDevice } from '../fake/plain-device.ts';
import { point, template } from '../fake/plain-plan.ts';

const host = '127.0.0.1';

interface Case {
	readonly name: string;
	readonly framing: Framing;
	readonly isSecure?: boolean;
	readonly lineTo: (port: number) => Line;
	/** Whether the connection ends between two rounds. */
	readonly isClosed?: boolean;
}

const cases: readonly Case[] = [
	{
		name: 'Modbus TCP with four requests under way',
		framing: mbap,
		lineTo: (port) => ({ transport: 'tcp', host, port, depth: 4 }),
	},
	{
		name: 'Modbus TCP that is closed after each round',
		framing: mbap,
		lineTo: (port) => ({ transport: 'tcp', host, port, closeAfterPoll: true }),
		isClosed: true,
	},
	{
		name: 'Modbus/TCP Security',
		framing: mbap,
		isSecure: true,
		lineTo: (port) => ({ transport: 'tcp', host, port, tls: { authority: 'plant' } }),
	},
	{
		name: 'a transparent converter with RTU',
		framing: rtu,
		lineTo: (port) => ({ transport: 'rtu-over-tcp', host, port, baudRate: 115_200 }),
	},
	{
		name: 'a transparent converter with ASCII',
		framing: ascii,
		lineTo: (port) => ({ transport: 'ascii-over-tcp', host, port, baudRate: 115_200 }),
	},
];

for (const { name, framing, isSecure = false, lineTo, isClosed = false } of cases) {
	test(`devices are polled over ${name}`, async (t) => {
		const folder = await mkdtemp(join(tmpdir(), 'field-tls-'));
		t.teardown(() => rm(folder, { recursive: true, force: true }));
		const authority = await makeFieldAuthority('Plant');
		await writeFile(join(folder, 'plant.crt'), authority.cert);
		const server = await startDeviceServer(createPduDevice(), framing, isSecure ? await authority.issue([host]) : null);
		t.teardown(() => server.stop());
		const values = new Map<string, (readonly unknown[])[]>();
		let wake: (() => void) | null = null;
		const driver = openModbusDriver({
			templates: new Map([['plain', template([point('a', 10), point('b', 11)])]]),
			ports: portsOf(),
			fieldTlsFolder: folder,
			sink: {
				reading(draft) {
					values.set(draft.device, [...(values.get(draft.device) ?? []), draft.values]);
					wake?.();
				},
				health: () => undefined,
			},
			clock: systemClock,
			log: silentLog,
		});
		t.teardown(() => driver.stop());
		const devices = [1, 2].map((unitId) =>
			plainDevice({
				id: deviceId(`00000000-0000-4000-8000-00000000000${unitId}`),
				uid: deviceUid(`meter-${unitId}`),
				name: `Meter ${unitId}`,
				connection: {
					driver: 'modbus',
					line: lineTo(server.port),
					unitId,
					template: 'plain',
					// A round that follows at once is not worth a connection of its own.
					periodMs: isClosed ? 1200 : 100,
					timeoutMs: 10_000,
				},
			}),
		);
		await driver.apply(devices);
		// On a loaded machine a round may follow at once, now and then, over the connection of the one before it.
		const isWaiting = (): boolean =>
			devices.some(({ id }) => (values.get(id)?.length ?? 0) < 2) || (isClosed && server.connections < 2);
		while (isWaiting()) {
			await new Promise<void>((resolve) => {
				wake = resolve;
			});
		}
		for (const { id } of devices) t.deepEqual(values.get(id)?.at(-1), [70, 77]);
		t.is(server.connections > 1, isClosed);
	});
}
