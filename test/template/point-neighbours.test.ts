import test from 'ava';
import fc from 'fast-check';

import { overlaps, repeatedKeys } from '../../config/template/point-neighbours.ts';
import type { PointCondition } from '../../config/template/template.ts';
import { modbusPoint } from '../fake/modbus-point.ts';

const OPTIONS = ['a', 'b'] as const;
const VALUES = [0, 1, 2, 3] as const;

const conditions = fc.array(
	fc.record({
		option: fc.constantFrom(...OPTIONS),
		is: fc.array(fc.constantFrom(...VALUES), { minLength: 1, maxLength: 6 }),
	}),
	{ maxLength: 3 },
);

type Device = Readonly<Record<(typeof OPTIONS)[number], number>>;

/** All devices there can be. */
const devices: readonly Device[] = VALUES.flatMap((a) => VALUES.map((b) => ({ a, b })));

const has = (device: Device, when: readonly PointCondition[]): boolean =>
	when.every(({ option, is }) => is.includes(option === 'a' ? device.a : device.b));

const exists = (when: readonly PointCondition[]): boolean => devices.some((device) => has(device, when));

test('two points are in the way of each other exactly when some device has both', (t) => {
	fc.assert(
		fc.property(conditions, conditions, (left, right) => {
			fc.pre(exists(left) && exists(right));
			const placed = [left, right].map((when, index) => ({ index, point: modbusPoint({ key: 'power', when }) }));
			const isShared = devices.some((device) => has(device, left) && has(device, right));
			return overlaps(placed).length === Number(isShared) && repeatedKeys(placed).length === Number(isShared);
		}),
		{ numRuns: 500 },
	);
	t.pass();
});
