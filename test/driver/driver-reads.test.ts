import test from 'ava';

import { systemClock } from '../../core/kernel/clock.ts';
import { createFakeSlave, registerOf } from '../fake/modbus-slave.ts';
import { point, template } from '../fake/plain-plan.ts';
import { createBench, device, tcp, three } from './driver-bench.ts';

test('adjacent registers come in one request and each period brings one reading', async (t) => {
	const slave = await createFakeSlave();
	const { driver, of, until, healthOf } = createBench([three]);
	const before = systemClock.now();
	await driver.apply([device(1, tcp(slave.port)), device(2, tcp(slave.port))]);
	await until(() => of(1).length >= 3 && of(2).length >= 3);
	await driver.stop();
	t.true(slave.requests.every(({ address, count }) => address === 0 && count === 3));
	t.is(slave.connections, 1, 'devices of one host share a connection');
	for (const unitId of [1, 2]) {
		const [first, second] = of(unitId);
		t.deepEqual(first?.points, ['a', 'b', 'c']);
		t.deepEqual(
			first?.values,
			[0, 1, 2].map((address) => registerOf(unitId, address)),
		);
		t.is(first?.qualities, null);
		t.is(first?.points, second?.points, 'keys are one shared array');
		const instants = of(unitId).map(({ readAt }) => Number(readAt));
		t.deepEqual(
			instants,
			instants.toSorted((a, b) => a - b),
		);
		t.true(Math.min(...instants) >= before);
		t.is(healthOf(unitId)?.state, 'ok');
		t.is(healthOf(unitId)?.reason, null);
	}
	await slave.stop();
});

/** Register 50 does not exist. */
const isBad = (address: number, count: number): boolean => address <= 50 && address + count > 50;

test('a bad register in a merged block costs only its own point, which is asked no more', async (t) => {
	const points = Array.from({ length: 10 }, (_, i) => point(`p${i}`, 10 * i));
	const slave = await createFakeSlave(({ address, count }) =>
		isBad(address, count) ? { kind: 'exception', code: 2 } : { kind: 'data' },
	);
	const { driver, of, until, healthOf } = createBench([template(points)]);
	await driver.apply([device(1, tcp(slave.port))]);
	const good = points.filter(({ address }) => address !== 50);
	await until(() =>
		good.every(
			({ key }) => of(1).filter((draft) => draft.qualities === null && draft.points.includes(key)).length >= 3,
		),
	);
	const asked = slave.requests.length;
	await until(() => slave.requests.length >= asked + 6);
	await driver.stop();
	const later = slave.requests.slice(asked);
	t.false(later.some(({ address, count }) => isBad(address, count)));
	t.true(new Set(later.map(({ address }) => address)).size <= 2, 'what is left is planned together again');
	for (const draft of of(1)) {
		for (const [i, key] of draft.points.entries()) {
			if (key === 'p5') t.is(draft.values[i], null);
			else t.is(draft.values[i], registerOf(1, 10 * Number(key.slice(1))));
		}
	}
	const marked = of(1).filter((draft) => draft.points.includes('p5'));
	t.is(marked.length, 1, 'one reading says that the point is missing');
	t.deepEqual(marked[0]?.qualities, ['comm_error']);
	t.is(healthOf(1)?.state, 'degraded');
	t.regex(healthOf(1)?.reason ?? '', /does not have p5; check that the template/);
	await slave.stop();
});

test('a hole between two points is found once and read around', async (t) => {
	const points = [point('a', 0), point('b', 20)];
	const slave = await createFakeSlave(({ address, count }) =>
		address < 15 && address + count > 10 ? { kind: 'exception', code: 2 } : { kind: 'data' },
	);
	const { driver, of, until, healthOf } = createBench([template(points)]);
	await driver.apply([device(1, tcp(slave.port))]);
	await until(() => of(1).length >= 8);
	await driver.stop();
	t.is(slave.requests.filter(({ count }) => count > 1).length, 1);
	t.is(healthOf(1)?.state, 'ok');
	t.true(of(1).every(({ qualities }) => qualities === null));
	await slave.stop();
});

test('a device that allows shorter reads than its template says is read in shorter reads', async (t) => {
	const points = Array.from({ length: 40 }, (_, i) => point(`p${i}`, i));
	const slave = await createFakeSlave(({ count }) => (count > 12 ? { kind: 'exception', code: 3 } : { kind: 'data' }));
	const { driver, of, until, healthOf } = createBench([template(points)]);
	await driver.apply([device(1, tcp(slave.port))]);
	await until(() => points.every(({ key }) => of(1).filter((draft) => draft.points.includes(key)).length >= 3));
	await driver.stop();
	t.true(slave.requests.filter(({ count }) => count > 12).length <= 10);
	t.is(healthOf(1)?.state, 'ok');
	await slave.stop();
});

test('settings are read at the start and not again in each period', async (t) => {
	const slave = await createFakeSlave();
	const { driver, of, until } = createBench([
		template([point('power', 0), point('ct-ratio', 500, { kind: 'setting' })]),
	]);
	await driver.apply([device(1, tcp(slave.port))]);
	await until(() => of(1).filter((draft) => draft.points.includes('power')).length >= 6);
	await driver.stop();
	t.is(slave.requests.filter(({ address }) => address === 500 || address + 0 > 400).length, 1);
	await slave.stop();
});
