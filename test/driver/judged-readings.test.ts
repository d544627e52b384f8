import test from 'ava';

import type { ModbusConnection } from '../../config/connection/connection.ts';
import type { DeviceTemplate } from '../../config/template/template.ts';
import type { ReadingDraft } from '../../core/telemetry/reading.ts';
import { createDeviceReader } from '../../gateway/driver/modbus/codec/device-reader.ts';
import { point, template } from '../fake/plain-plan.ts';
import { createSimulatedDriver, simulatedDevice } from '../fake/simulated-driver.ts';
import type { SimulatedReply } from '../fake/simulated-line.ts';

const LINE = { transport: 'tcp', host: '10.0.0.1', port: 502 } as const;

/** One device whose registers a test decides, read each second. */
async function reading(known: DeviceTemplate, more: Partial<ModbusConnection>, replyTo: () => SimulatedReply) {
	const simulated = createSimulatedDriver({
		templates: [known],
		slave: () => replyTo,
		createReader: createDeviceReader,
	});
	await simulated.driver.apply([simulatedDevice(1, LINE, more)]);
	return simulated;
}

/** The last value of a point, with its quality when that is not good. */
function lastOf(readings: readonly ReadingDraft[], key: string): readonly unknown[] {
	const draft = readings.findLast(({ points }) => points.includes(key));
	const index = draft?.points.indexOf(key) ?? -1;
	const quality = draft?.qualities?.[index] ?? 'good';
	const value = draft?.values[index] ?? null;
	return quality === 'good' ? [value] : [value, quality];
}

test('a device is read with what it says above its template', async (t) => {
	const phases = { name: 'phases', label: 'Phases', type: 'number', default: 3 } as const;
	const known = template(
		[
			point('l1', 230),
			point('l2', 231, { when: [{ option: 'phases', is: [3] }] }),
			point('spare', 232),
			point('limit', 233, { max: 1_000 }),
		],
		{ options: [phases] },
	);
	const { driver, time, readings } = await reading(
		known,
		{
			options: [{ name: 'phases', value: 1 }],
			overrides: [
				{ point: 'l1', scale: 0.1, offset: 1 },
				{ point: 'spare', read: false },
				{ point: 'limit', max: 100 },
			],
		},
		() => ({ afterMs: 5 }),
	);
	await time.run(10_000);
	t.deepEqual(lastOf(readings, 'l1'), [24]);
	t.deepEqual(lastOf(readings, 'limit'), [233, 'out_of_range']);
	t.deepEqual([...new Set(readings.flatMap(({ points }) => points))].toSorted(), ['l1', 'limit']);
	await driver.stop();
});

test('a reading that cannot follow the ones before it reaches the journal as it was read, and marked', async (t) => {
	let volts = 230;
	const { driver, time, readings } = await reading(template([point('voltage', 1, { maxStep: 20 })]), {}, () => ({
		afterMs: 5,
		register: () => volts,
	}));
	await time.run(5_000);
	volts = 9_113;
	await time.run(1_000);
	t.deepEqual(lastOf(readings, 'voltage'), [9_113, 'out_of_range']);
	volts = 231;
	await time.run(1_000);
	t.deepEqual(lastOf(readings, 'voltage'), [231]);
	await driver.stop();
});

test('after a device was lost its scale factor counts only once it was read again', async (t) => {
	let isSilent = false;
	let exponent = 1;
	const known = template([point('power', 0, { scaleFactor: 'sf' }), point('sf', 500, { type: 'int16', poll: 'slow' })]);
	const { driver, time, readings } = await reading(known, {}, () =>
		isSilent ? 'silence' : { afterMs: 5, register: (address) => (address === 500 ? exponent : 7) },
	);
	await time.run(10_000);
	t.deepEqual(lastOf(readings, 'power'), [70]);
	isSilent = true;
	await time.run(120_000);
	t.deepEqual(lastOf(readings, 'power'), [null, 'comm_error']);
	exponent = 2;
	isSilent = false;
	const before = readings.length;
	await time.run(120_000);
	t.deepEqual(lastOf(readings, 'power'), [700]);
	const seen = readings.slice(before).flatMap((draft) => (draft.points.includes('power') ? draft.values : []));
	t.false(seen.includes(70), 'nothing is read with the factor of before');
	await driver.stop();
});
