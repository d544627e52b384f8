import test from 'ava';
import fc from 'fast-check';

import type { TemplatePoint } from '../../config/template/template.ts';
import { rtuCost, tcpCost } from '../../gateway/driver/modbus/plan/line-cost.ts';
import { type PlanLimits, planReads, type ReadRequest } from '../../gateway/driver/modbus/plan/request-plan.ts';
import { modbusPoint } from '../fake/modbus-point.ts';

const noLimits: PlanLimits = { maxRegisters: 125, maxBits: 2000, holes: [] };
const slow = rtuCost(9_600, 10, 15);

const factor = (key: string, address: number): TemplatePoint => modbusPoint({ key, type: 'int16', address });
const value = (address: number, scaleFactor: string): TemplatePoint =>
	modbusPoint({ key: `v${address}`, address, scaleFactor });

const shape = (requests: readonly ReadRequest[]): readonly string[] =>
	requests.map(({ address, count, keys }) => `${address}+${count} ${keys.join(' ')}`);

test('values and their factor come in one read, also where two would be cheaper', (t) => {
	t.deepEqual(shape(planReads([value(0, 'sf'), factor('sf', 60)], slow, noLimits)), ['0+61 v0 sf']);
	const apart = [modbusPoint({ key: 'a', address: 0 }), factor('b', 60)];
	t.deepEqual(shape(planReads(apart, slow, noLimits)), ['0+1 a', '60+1 b']);
});

test('where full reads would part them, the reads end elsewhere', (t) => {
	const fill = Array.from({ length: 240 }, (_, address) => modbusPoint({ key: `r${address}`, address }));
	const parted = planReads(fill, tcpCost(5), noLimits);
	t.deepEqual(
		parted.map(({ keys }) => keys.includes('r110') && keys.includes('r120')),
		[false, false],
	);
	const points = fill.map((point) =>
		point.address === 110 ? value(110, 'r120') : point.address === 120 ? factor('r120', 120) : point,
	);
	const reads = planReads(points, tcpCost(5), noLimits);
	t.is(reads.length, 2);
	t.true(reads.some(({ keys }) => keys.includes('v110') && keys.includes('r120')));
});

test('factors whose values lie among each other come together', (t) => {
	const points = [value(0, 'one'), value(30, 'two'), factor('one', 60), factor('two', 90)];
	t.deepEqual(shape(planReads(points, slow, noLimits)), ['0+91 v0 v30 one two']);
});

test('a factor that no read can bring with its values is read by itself', (t) => {
	t.deepEqual(shape(planReads([value(0, 'sf'), factor('sf', 200)], slow, noLimits)), ['0+1 v0', '200+1 sf']);
	const holes = [{ functionCode: 3 as const, first: 5, last: 5 }];
	t.deepEqual(shape(planReads([value(0, 'sf'), factor('sf', 9)], slow, { ...noLimits, holes })), ['0+1 v0', '9+1 sf']);
	t.deepEqual(shape(planReads([value(0, 'sf'), value(190, 'sf'), factor('sf', 200)], slow, noLimits)), [
		'0+1 v0',
		'190+11 v190 sf',
	]);
	t.deepEqual(shape(planReads([value(0, 'none')], slow, noLimits)), ['0+1 v0']);
});

test('with factors anywhere every point is read once, within the caps and around the holes', (t) => {
	const place = fc.integer({ min: 0, max: 300 });
	const cluster = fc.record({ factor: place, values: fc.array(place, { maxLength: 5 }) });
	fc.assert(
		fc.property(
			fc.array(cluster, { maxLength: 8 }),
			fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 3 }),
			fc.integer({ min: 4, max: 125 }),
			(clusters, bad, maxRegisters) => {
				const points = clusters.flatMap((each, index) => [
					factor(`sf${index}`, each.factor),
					...each.values.map((address, at) => ({ ...value(address, `sf${index}`), key: `v${index}_${at}` })),
				]);
				const holes = bad.map((address) => ({ functionCode: 3 as const, first: address, last: address }));
				const reads = planReads(points, slow, { maxRegisters, maxBits: 2000, holes });
				const readable = points.filter(({ address }) => !bad.includes(address));
				t.deepEqual(reads.flatMap(({ keys }) => keys).toSorted(), readable.map(({ key }) => key).toSorted());
				for (const { address, count, points: own } of reads) {
					t.true(own.length > 0 && count <= maxRegisters);
					t.false(bad.some((hole) => hole >= address && hole < address + count));
					t.true(own.every((point) => point.address >= address && point.address + point.count <= address + count));
				}
			},
		),
	);
});
