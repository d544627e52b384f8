import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import test from 'ava';

import { systemClock } from '../../core/kernel/clock.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { ReadingDraft } from '../../core/telemetry/reading.ts';
import { openSerialDriver } from '../../gateway/driver/serial/open-serial-driver.ts';
import { portsOf } from '../fake/machine-ports.ts';
import { dsmrTelegram, LIBRARY, streamDevice } from '../fake/stream-bench.ts';

test('a P1 port behind a serial server is read over its socket', async (t) => {
	const server = createServer((socket) => {
		socket.on('error', () => {});
		socket.write(dsmrTelegram(['1-0:1.7.0(01.193*kW)']));
	});
	await new Promise<void>((resolve) => {
		server.listen(0, '127.0.0.1', resolve);
	});
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server that listens on TCP has such an address
	const { port } = server.address() as AddressInfo;
	const reading = await new Promise<ReadingDraft>((resolve) => {
		const driver = openSerialDriver({
			templates: LIBRARY,
			ports: portsOf(),
			sink: { reading: resolve, health() {} },
			clock: systemClock,
			log: silentLog,
		});
		t.teardown(async () => {
			await driver.stop();
			server.close();
		});
		const line = { transport: 'socket', host: '127.0.0.1', port } as const;
		void driver.apply([streamDevice('p1', { template: 'dsmr-p1', line, timeoutMs: 30_000 })]);
	});
	t.is(reading.values[reading.points.indexOf('import_power')], 1.193);
});
