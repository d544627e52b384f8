import { fileURLToPath } from 'node:url';

import test from 'ava';

import { readTemplates } from '../../config/template/template-schema.ts';
import type { TemplateDocument } from '../../config/template/template.ts';
import type { Device } from '../../core/device/device.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { deviceId, deviceUid } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { SampleValue } from '../../core/telemetry/reading.ts';
import { openModbusDriver } from '../../gateway/driver/modbus/open-modbus-driver.ts';
import { createImageSlave, readDeviceImage } from '../fake/device-image.ts';
import { portsOf } from '../fake/machine-ports.ts';
import { plainDevice } from '../fake/plain-device.ts';

const library = await readTemplates(fileURLToPath(new URL('../../../config/template/', import.meta.url)));
/** Those that are read from registers. */
const templates = new Map([...library.templates].filter(([, { serial }]) => serial === undefined));

/** A device of this model at a unit id, with all that its template offers. */
const deviceOf = ({ key, options = [] }: TemplateDocument, unitId: number, port: number): Device =>
	plainDevice({
		id: deviceId(`00000000-0000-4000-8000-${String(unitId).padStart(12, '0')}`),
		uid: deviceUid(key),
		connection: {
			driver: 'modbus',
			line: { transport: 'tcp', host: '127.0.0.1', port },
			unitId,
			template: key,
			periodMs: 100,
			timeoutMs: 2000,
			options: options.map(({ name }) => ({ name, value: true })),
		},
	});

/** Keys that a device gives by itself. */
const polledKeys = ({ points }: TemplateDocument): readonly string[] =>
	points.filter(({ access, poll }) => access !== 'w' && poll !== 'on-demand').map(({ key }) => key);

test('a gateway with every model of the library on one line reads each of them whole', async (t) => {
	t.timeout(300_000);
	const models = [...templates.values()];
	const images = new Map(
		await Promise.all(models.map(async ({ key }, index) => [index + 1, await readDeviceImage(key)] as const)),
	);
	const slave = await createImageSlave(images);
	t.teardown(() => slave.stop());
	const devices = models.map((model, index) => deviceOf(model, index + 1, slave.port));
	const found = new Map(devices.map(({ id }) => [id, new Map<string, SampleValue>()]));
	const missing = new Set(
		devices.flatMap(({ id }, index) => polledKeys(models[index] ?? t.fail()).map((key) => `${id} ${key}`)),
	);
	await new Promise<void>((resolve) => {
		const driver = openModbusDriver({
			templates,
			ports: portsOf(),
			fieldTlsFolder: null,
			sink: {
				reading({ device, points, values }) {
					points.forEach((key, index) => {
						found.get(device)?.set(key, values[index] ?? null);
						missing.delete(`${device} ${key}`);
					});
					if (missing.size === 0) resolve();
				},
				health() {},
			},
			clock: systemClock,
			log: silentLog,
		});
		t.teardown(() => driver.stop());
		void driver.apply(devices);
	});
	for (const [index, { id }] of devices.entries()) {
		const model = models[index];
		const image = images.get(index + 1);
		if (model === undefined || image === undefined) continue;
		for (const key of polledKeys(model)) {
			const value = found.get(id)?.get(key) ?? null;
			const expected = image.expect[key] ?? null;
			const isSame =
				typeof value === 'number' && typeof expected === 'number'
					? Math.abs(value - expected) <= 1e-9 * Math.max(1, Math.abs(expected))
					: value === expected;
			t.true(isSame, `${model.key} ${key}: expected ${String(expected)}`);
		}
	}
});
