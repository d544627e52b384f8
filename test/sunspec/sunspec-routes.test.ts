import test, { type ExecutionContext } from 'ava';

import { parseTemplate } from '../../config/template/template-schema.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { deviceId, deviceUid } from '../../core/kernel/id.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { SampleValue } from '../../core/telemetry/reading.ts';
import { openModbusDriver } from '../../gateway/driver/modbus/open-modbus-driver.ts';
import { sunspecRoutes } from '../../gateway/sunspec/sunspec-routes.ts';
import { createSunspecService } from '../../gateway/sunspec/sunspec-service.ts';
import { bareServer, bearer } from '../fake/bare-server.ts';
import { createImageSlave, readDeviceImage } from '../fake/device-image.ts';
import { portsOf } from '../fake/machine-ports.ts';
import { plainDevice } from '../fake/plain-device.ts';
import { scanBox } from '../fake/scan-box.ts';
import { modelStore } from '../fake/sunspec-device.ts';

const INVERTER = 126;
const RELAY = 7;

/** A recorded inverter and a device that knows no SunSpec on one line, and the API before them. */
async function bench(t: ExecutionContext) {
	const slave = await createImageSlave(
		new Map([
			[INVERTER, await readDeviceImage('sma-sunspec-int')],
			[RELAY, await readDeviceImage('kmtronic-relay-8')],
		]),
	);
	t.teardown(() => slave.stop());
	const box = await scanBox();
	t.teardown(() => box.stop());
	const server = await bareServer(sunspecRoutes, {
		sunspec: createSunspecService({ lines: box.lines, models: modelStore }),
		named: (name) => box.lines.named(name),
	});
	const line = { transport: 'tcp', host: '127.0.0.1', port: slave.port };
	const describe = (payload: object, role: 'admin' | 'viewer' = 'admin') =>
		server.inject({ method: 'POST', url: '/lines/sunspec', headers: bearer(role), payload });
	return { slave, line, describe };
}

interface Answer {
	readonly manufacturer: string;
	readonly model: string;
	readonly base: number;
	readonly left_out: readonly string[];
	readonly template: { readonly key: string; readonly document: unknown };
}

test('an inverter without a template is described by itself, and read by what it said', async (t) => {
	const { slave, line, describe } = await bench(t);
	const { statusCode, payload } = await describe({ line, unit_id: INVERTER });
	t.is(statusCode, 200);
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the answer of the route under test
	const answer = JSON.parse(payload) as Answer;
	t.deepEqual([answer.manufacturer, answer.model, answer.base], ['SMA', 'SB3.6-1AV-41', 40_000]);
	t.deepEqual(answer.left_out, []);
	const template = parseTemplate(answer.template.key, answer.template.document);

	const values = new Map<string, SampleValue>();
	const wanted = ['m101_w', 'm101_hz', 'm101_phvpha', 'm101_wh', 'm160_module_1_dcv', 'm1_mn'];
	const ports = portsOf();
	t.teardown(() => ports.stop());
	await new Promise<void>((resolve) => {
		const driver = openModbusDriver({
			templates: new Map([[template.key, template]]),
			ports,
			fieldTlsFolder: null,
			sink: {
				reading({ points, values: read }) {
					points.forEach((key, index) => values.set(key, read[index] ?? null));
					if (wanted.every((key) => values.has(key) && values.get(key) !== null)) resolve();
				},
				health() {},
			},
			clock: systemClock,
			log: silentLog,
		});
		t.teardown(() => driver.stop());
		const device = plainDevice({
			id: deviceId('00000000-0000-4000-8000-000000000001'),
			uid: deviceUid('inverter'),
			connection: {
				driver: 'modbus',
				line: { transport: 'tcp', host: '127.0.0.1', port: slave.port },
				unitId: INVERTER,
				template: template.key,
				periodMs: 100,
				timeoutMs: 1000,
			},
		});
		void driver.apply([device]);
	});
	t.deepEqual(
		wanted.map((key) => values.get(key)),
		[1080, 49.98, 239.2, 21_707_970, 322, 'SMA'],
	);
});

test('a unit that is no SunSpec device, one that says nothing, and a line nobody uses are told apart', async (t) => {
	const { line, describe } = await bench(t);
	const none = await describe({ line, unit_id: RELAY });
	t.is(none.statusCode, 404);
	t.regex(none.payload, /unit 7 has no SunSpec models at 40000, 0 or 50000/);
	t.is((await describe({ line: 'tcp nowhere:502', unit_id: RELAY })).statusCode, 422);
	t.is((await describe({ line, unit_id: 300 })).statusCode, 422);
});

test('only who may set up devices asks them', async (t) => {
	const { line, describe } = await bench(t);
	t.is((await describe({ line, unit_id: INVERTER }, 'viewer')).statusCode, 403);
});

test('a unit that is silent is not taken for one without SunSpec', async (t) => {
	const { slave, line, describe } = await bench(t);
	await slave.stop();
	const { statusCode } = await describe({ line, unit_id: INVERTER, timeout_ms: 50 });
	t.true(statusCode >= 502 && statusCode <= 504, String(statusCode));
});

test('a description ends with its caller, and the line is given back', async (t) => {
	const control = new AbortController();
	let asked = 0;
	let isReleased = false;
	const service = createSunspecService({
		models: modelStore,
		lines: {
			share: () =>
				Promise.resolve({
					request(_exchange, signal) {
						asked += 1;
						control.abort();
						return Promise.reject(signal?.aborted === true ? new Fault('unavailable', 'it was given up') : new Error());
					},
					release() {
						isReleased = true;
						return Promise.resolve();
					},
				}),
		},
	});
	const line = { transport: 'tcp', host: '192.0.2.1', port: 502 } as const;
	await t.throwsAsync(service.describe({ line, unitId: 1, timeoutMs: 100 }, control.signal), {
		message: 'it was given up',
	});
	t.deepEqual([asked, isReleased], [1, true]);
});
