import test from 'ava';
import fc from 'fast-check';

import { discoverSunspec, identifySunspec } from '../../gateway/sunspec/sunspec-discovery.ts';
import { sunspecTemplate } from '../../gateway/sunspec/sunspec-template.ts';
import { dataOf } from '../fake/device-image.ts';
import {
	chainOf,
	goldenInverter,
	MARKER,
	modelStore,
	readerOf,
	registersFrom,
	templateOf,
} from '../fake/sunspec-device.ts';

interface BrokenChain {
	readonly words: readonly number[];
	readonly cut: RegExp;
	readonly models: readonly number[];
}

const common = [1, 66, ...Array.from({ length: 66 }, () => 0)];

const brokenChains: readonly BrokenChain[] = [
	{ words: common, cut: /does not answer at address 40070/, models: [1] },
	{ words: [...common, 103, 0, 7, 7], cut: /model 103 at address 40070 has a length of 0/, models: [1] },
	{ words: [...common, 0, 9, 7, 7], cut: /model 0 at address 40070/, models: [1] },
	{ words: [...common, 103, 30_000, 7, 7], cut: /beyond the last address/, models: [1] },
];

test('a chain that breaks off is given as far as it goes, with the reason', async (t) => {
	for (const { words, cut, models } of brokenChains) {
		const chain = await chainOf(registersFrom(40_000, [...MARKER, ...words]));
		t.regex(chain.cut ?? '', cut);
		t.deepEqual(
			chain.places.map(({ id }) => id),
			models,
		);
		const { leftOut } = sunspecTemplate(chain, await modelStore.of(models));
		t.true(leftOut.some((sentence) => sentence.includes('breaks off')));
	}
});

test('a device without the marker is none, after one read at each place', async (t) => {
	const { asked, read } = readerOf(registersFrom(40_000, [1, 2, 3]));
	t.is(await discoverSunspec(read), null);
	t.deepEqual(asked, ['40000+2', '0+2', '50000+2']);
});

test('a device that never ends is left after a bounded number of reads', async (t) => {
	let asked = 0;
	const chain = await discoverSunspec((address, count) => {
		asked += 1;
		const words = address === 0 ? MARKER : Array.from({ length: count }, () => 1);
		return Promise.resolve(address === 40_000 ? null : dataOf(3, words));
	});
	t.is(chain?.base, 0);
	t.regex(chain?.cut ?? '', /more than 200 models/);
	t.true(asked < 500, String(asked));
});

test('whatever a device answers, the walk ends and its template can be stored', async (t) => {
	await fc.assert(
		fc.asyncProperty(fc.array(fc.nat(0xffff), { maxLength: 400 }), fc.nat(130), async (words, most) => {
			const registers = registersFrom(0, [...MARKER, ...words]);
			const chain = await discoverSunspec(readerOf(registers, Math.max(2, most)).read);
			if (chain === null) throw new Error('the marker is there');
			const template = await templateOf(chain);
			if (template.points.length === 0) throw new Error('the marker is a point');
		}),
		{ numRuns: 200 },
	);
	t.pass();
});

test('a device that gives few registers at once is read in small parts, and its template says so', async (t) => {
	const chain = await chainOf(registersFrom(40_000, [...MARKER, ...common, 0xffff, 0]), 40);
	t.is(chain.cut, null);
	t.is(chain.maxRegisters, 36);
	t.is(chain.places[0]?.words?.length, 66);
});

test('models without a definition are passed by their length and named', async (t) => {
	const chain = await chainOf(
		registersFrom(40_000, [
			...MARKER,
			...common,
			64_999,
			2,
			5,
			5,
			307,
			11,
			...Array.from({ length: 11 }, () => 3),
			0xffff,
			0,
		]),
	);
	const { leftOut, document } = sunspecTemplate(chain, await modelStore.of([1, 64_999, 307]));
	t.deepEqual(leftOut, ['Models without a definition here: 64999 (2 registers from 40072).']);
	t.true(document.points.some(({ key, address }) => key === 'm307_tmpamb' && address === 40_076));
});

test('a model that is shorter than its definition has the points that fit', async (t) => {
	const chain = await chainOf(
		registersFrom(40_000, [...MARKER, 1, 65, ...Array.from({ length: 65 }, () => 0x4141), 0xffff, 0]),
	);
	const { points } = await templateOf(chain);
	t.true(points.some(({ key }) => key === 'm1_da'));
	t.false(points.some(({ key }) => key === 'm1_pad'));
	t.true(points.every(({ address, count }) => address + count <= 40_069));
});

test('a second model of the same number has keys of its own', async (t) => {
	const weather = [307, 11, ...Array.from({ length: 11 }, () => 3)];
	const chain = await chainOf(registersFrom(40_000, [...MARKER, ...common, ...weather, ...weather, 0xffff, 0]));
	const { points } = await templateOf(chain);
	t.deepEqual(
		points.filter(({ key }) => key.endsWith('tmpamb')).map(({ key, address }) => [key, address]),
		[
			['m307_tmpamb', 40_072],
			['m307_2_tmpamb', 40_085],
		],
	);
});

test('who only asks what a device is reads no more than the common model', async (t) => {
	const { words } = (await goldenInverter()).vectors[0] ?? { words: [] };
	const registers = registersFrom(
		40_000,
		words.map((word) => Number.parseInt(word, 16)),
	);
	const { asked, read } = readerOf(registers);
	const identity = await identifySunspec(read);
	t.is(identity?.manufacturer, 'SMA');
	t.is(identity?.model, 'SB3.6-1AV-41');
	t.is(identity?.models.length, 17);
	t.is(asked.filter((each) => !each.endsWith('+2')).length, 1);
});

const keyOf = async (...more: readonly number[]): Promise<string> =>
	(await templateOf(await chainOf(registersFrom(40_000, [...MARKER, ...common, ...more, 0xffff, 0])))).key;

test('the key of the template is the same for devices of one kind and another for other models', async (t) => {
	const weather = [307, 11, ...Array.from({ length: 11 }, () => 3)];
	t.is(await keyOf(), await keyOf());
	t.not(await keyOf(), await keyOf(...weather));
});
