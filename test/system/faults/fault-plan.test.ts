import test from 'ava';

import { createRandom } from '../kit/random.ts';
import { parseFaultArguments } from './arguments.ts';
import { LIVE_FAULTS } from './fault.ts';
import { planFaults } from './fault-plan.ts';
import { createPacketCutter, isPublish } from './mqtt-packets.ts';

const NOW_MS = Date.UTC(2026, 10, 22);

const plan = (seed: number) => planFaults(createRandom(seed), 200, LIVE_FAULTS, NOW_MS);

test('a seed brings its faults back, and another seed brings others', (t) => {
	t.deepEqual(plan(5), plan(5));
	t.notDeepEqual(plan(5), plan(6));
	t.deepEqual([...new Set(plan(5).map(({ kind }) => kind))].toSorted(), LIVE_FAULTS.toSorted());
	t.true(
		plan(5).some(({ forMs }) => forMs > 15_000),
		'some last longer than a keep-alive',
	);
	const years = new Set(plan(5).map(({ jumpMs }) => new Date(NOW_MS + jumpMs).getUTCFullYear()));
	t.true(years.has(1970) && years.has(2106));
});

test('only the wanted kinds are planned', (t) => {
	const wanted = planFaults(createRandom(1), 50, ['kill', 'cut'], NOW_MS);
	t.deepEqual([...new Set(wanted.map(({ kind }) => kind))].toSorted(), ['cut', 'kill']);
});

test('the command line says how many, from which seed, and of which kinds', (t) => {
	t.deepEqual(parseFaultArguments(['--count', '1000', '--seed', '7', '--kinds', 'kill,clock', '--per-round', '100']), {
		count: 1_000,
		seed: 7,
		kinds: ['kill', 'clock'],
		perRound: 100,
		keep: false,
	});
	t.true(parseFaultArguments(['--keep']).keep);
	t.deepEqual(parseFaultArguments([]).kinds, LIVE_FAULTS);
	t.deepEqual(parseFaultArguments(['--kinds', 'power-cut']).kinds, []);
	for (const wrong of [
		['--count', '0'],
		['--kinds', 'flood'],
		['--seed', 'x'],
		['--kinds', 'kill,power-cut'],
	])
		t.throws(() => parseFaultArguments(wrong), { instanceOf: RangeError });
});

test('packets are cut out of a stream whatever its pieces', (t) => {
	const packets = [
		Buffer.from([0xc0, 0]),
		Buffer.concat([Buffer.from([0x32, 0x80, 0x01]), Buffer.alloc(128, 7)]),
		Buffer.from([0x40, 2, 0, 1]),
	];
	const stream = Buffer.concat(packets);
	for (let size = 1; size < 40; size += 1) {
		const cut = createPacketCutter();
		const found: Buffer[] = [];
		for (let from = 0; from < stream.length; from += size) found.push(...cut(stream.subarray(from, from + size)));
		t.deepEqual(found, packets);
	}
	t.deepEqual(packets.map(isPublish), [false, true, false]);
	t.throws(() => createPacketCutter()(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0xff])), { instanceOf: RangeError });
});
