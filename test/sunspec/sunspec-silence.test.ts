import test from 'ava';

import { epochMs } from '../../core/kernel/clock.ts';
import { timeoutFault } from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { ModbusExchange } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { createSunspecService } from '../../gateway/sunspec/sunspec-service.ts';
import { modelStore } from '../fake/sunspec-device.ts';

const line = { transport: 'tcp', host: 'box', port: 502 } as const;

test('a unit that shows one model after the other and answers no read of them is given up', async (t) => {
	let asked = 0;
	let released = 0;
	const request = (exchange: ModbusExchange) => {
		asked += 1;
		if (!('address' in exchange) || exchange.functionCode !== 3 || exchange.count !== 2)
			return Promise.reject(timeoutFault(exchange));
		const data = exchange.address === 40_000 ? Buffer.from('SunS') : Buffer.from([0x4e, 0x20, 0, 90]);
		return Promise.resolve({ data, readAt: epochMs(0), latencyMs: 1 });
	};
	const lines = {
		share: () =>
			Promise.resolve({
				request,
				release() {
					released += 1;
					return Promise.resolve();
				},
			}),
	};
	const sunspec = createSunspecService({ lines, models: modelStore });
	await t.throwsAsync(sunspec.describe({ line, unitId: 1, timeoutMs: 1000 }), { message: /^no answer from unit 1/ });
	t.true(asked < 60, `${asked} requests`);
	t.is(released, 1);
});
