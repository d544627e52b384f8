import test from 'ava';

import { keepsProbe, probeBits, type ProbedValue, probeVerdict } from '../../config/template/probe.ts';
import type { Probe } from '../../config/template/template.ts';
import { modbusPoint } from '../fake/modbus-point.ts';

const kept: readonly (readonly [probe: Probe, value: ProbedValue, isKept: boolean])[] = [
	[{ key: 'a', min: 45, max: 65 }, 50.02, true],
	[{ key: 'a', min: 45, max: 65 }, 65, true],
	[{ key: 'a', min: 45, max: 65 }, 65.01, false],
	[{ key: 'a', min: 45, max: 65 }, Number.NaN, false],
	[{ key: 'a', min: 1, max: 2 ** 60 }, 2n ** 59n, true],
	[{ key: 'a', min: 45, max: 65 }, '50', false],
	[{ key: 'a', min: 0, max: 1 }, true, false],
	[{ key: 'a', min: 0, max: 1 }, null, false],
	[{ key: 'a', min: 0, max: 1 }, undefined, false],
	[{ key: 'a', is: [3, 768] }, 768, true],
	[{ key: 'a', is: [3, 768] }, 767, false],
	[{ key: 'a', is: [3] }, 3n, true],
	[{ key: 'a', is: ['SUN2000'] }, 'SUN2000-10KTL-M1', true],
	[{ key: 'a', is: ['solaredge'] }, 'SolarEdge ', true],
	[{ key: 'a', is: ['SUN2000'] }, 'SUN200', false],
	[{ key: 'a', is: ['SUN2000'] }, '', false],
];

test('a probe is kept by a value in its range or of its list, and by nothing else', (t) => {
	for (const [probe, value, isKept] of kept)
		t.is(keepsProbe(probe, value), isKept, `${JSON.stringify(probe)} ${String(value)}`);
});

const word = modbusPoint({ key: 'a' });
const float = modbusPoint({ key: 'a', type: 'float32', count: 2, byteOrder: 'ABCD' });
const text = modbusPoint({ key: 'a', type: 'string', count: 8 });

test('a probe says the more, the fewer registers would keep it', (t) => {
	t.is(probeBits(word, { key: 'a', is: [72] }), 16);
	t.is(probeBits(word, { key: 'a', min: 0, max: 65_535 }), 0);
	t.is(probeBits(word, { key: 'a', min: 0, max: 32_767 }), 1);
	t.is(probeBits({ ...word, scale: 0.01 }, { key: 'a', min: 0, max: 327.67 }), 1);
	t.is(probeBits({ ...word, scale: -0.1 }, { key: 'a', min: -3276.7, max: 0 }), 1);
	t.is(probeBits(text, { key: 'a', is: ['SunS'] }), 32);
	t.is(probeBits(text, { key: 'a', is: ['a maker with a long name'] }), 64);
	const frequency = probeBits(float, { key: 'a', min: 45, max: 65 });
	t.true(frequency > 9 && frequency < 10, String(frequency));
	const anyVoltage = probeBits(float, { key: 'a', min: 0, max: 500 });
	t.true(anyVoltage > 1.5 && anyVoltage < 2, String(anyVoltage));
	const double = modbusPoint({ key: 'a', type: 'float64', count: 4, byteOrder: 'ABCDEFGH' });
	t.true(Math.abs(probeBits(double, { key: 'a', min: 0, max: 500 }) - anyVoltage) < 0.01);
});

test('a verdict needs every probe, and a template without probes is never kept', (t) => {
	const points = [word, modbusPoint({ key: 'b', address: 1 })];
	const probe: readonly Probe[] = [
		{ key: 'a', is: [72] },
		{ key: 'b', min: 0, max: 32_767 },
	];
	const answers = new Map<string, ProbedValue>([
		['a', 72],
		['b', 5],
	]);
	t.deepEqual(
		probeVerdict({ points, probe }, ({ key }) => answers.get(key)),
		{ isKept: true, bits: 17 },
	);
	t.deepEqual(
		probeVerdict({ points, probe }, ({ key }) => (key === 'a' ? 72 : undefined)),
		{ isKept: false, bits: 16 },
	);
	t.deepEqual(
		probeVerdict({ points, probe: [] }, () => 1),
		{ isKept: false, bits: 0 },
	);
	t.deepEqual(
		probeVerdict({ points, probe: [{ key: 'gone', min: 0, max: 1 }] }, () => 1),
		{ isKept: false, bits: 0 },
	);
});
