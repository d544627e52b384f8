import { inspect } from 'node:util';

import test from 'ava';

import { chainOf, goldenInverter, isSameValue, registersFrom, templateOf, valuesOf } from '../fake/sunspec-device.ts';

test('a recorded inverter is found, its chain walked, and every value of the recording decoded', async (t) => {
	const file = await goldenInverter();
	const [vector] = file.vectors;
	t.truthy(vector);
	if (vector === undefined) return;
	const registers = registersFrom(
		vector.first_address,
		vector.words.map((word) => Number.parseInt(word, 16)),
	);
	const chain = await chainOf(registers);
	t.is(chain.base, file.sunspec_base);
	t.is(chain.cut, null);
	t.deepEqual(
		chain.places.map(({ id, address, length }) => ({ id, header_address: address, length })),
		file.models.filter(({ id }) => id !== 0xffff),
	);
	const template = await templateOf(chain);
	t.is(template.manufacturer, 'SMA');
	t.is(template.model, 'SB3.6-1AV-41');
	t.regex(template.key, /^sunspec-sma-sb3-6-1av-41-[0-9a-f]{8}$/);
	const values = valuesOf(template, registers);
	const wrong: string[] = [];
	let compared = 0;
	for (const { key, address, count, value, label } of vector.expect) {
		const point = template.points.find((each) => each.address === address && each.count === count);
		const isPad = /[._]pad\d*$/i.test(key) || key.includes('EndOfChain');
		if (point === undefined) {
			if (!isPad) wrong.push(`${key}: no point`);
			continue;
		}
		compared += 1;
		const found = values.get(point.key);
		if (!isSameValue(value, found)) wrong.push(`${key}: expected ${String(value)}, found ${inspect(found)}`);
		if (typeof label === 'string' && point.enum?.[String(value)]?.toLowerCase() !== label.toLowerCase())
			wrong.push(`${key}: label ${label}, found ${String(point.enum?.[String(value)])}`);
	}
	t.deepEqual(wrong, []);
	t.true(compared > 580, String(compared));
});
