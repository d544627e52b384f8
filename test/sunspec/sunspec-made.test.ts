import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { inspect } from 'node:util';

import test from 'ava';
import fc from 'fast-check';

import type { SunspecModel } from '../../gateway/sunspec/sunspec-model.ts';
import { type MadeValue, madeModel } from '../fake/made-sunspec-model.ts';
import {
	chainOf,
	folderOf,
	isSameValue,
	MARKER,
	modelStore,
	registersFrom,
	templateOf,
	valuesOf,
} from '../fake/sunspec-device.ts';

const allModels: readonly SunspecModel[] = await (async () => {
	const files = await readdir(folderOf('config/sunspec/'));
	const ids = files.flatMap((name) => /^model_(\d+)\.json$/.exec(name)?.[1] ?? []).map(Number);
	return [...(await modelStore.of(ids.toSorted((left, right) => left - right))).values()];
})();

test('the definitions are those that were published, byte by byte', async (t) => {
	const hash = createHash('sha256');
	const names = (await readdir(folderOf('config/sunspec/'))).filter((name) => name.endsWith('.json'));
	for (const name of names.toSorted()) hash.update(await readFile(folderOf(`config/sunspec/${name}`)));
	t.is(hash.digest('hex'), 'af8b3e7a693b8faf345e84e2551378d7f97155b4c1e978ae90b02bd64d565165');
});

test('a device made from any models is read as it was made, wherever its chain begins', async (t) => {
	t.is(allModels.length, 59);
	await fc.assert(
		fc.asyncProperty(
			fc.constantFrom(40_000, 0, 50_000),
			fc.shuffledSubarray([...allModels.keys()], { minLength: 1, maxLength: 4 }),
			fc.array(fc.nat(0xffff_ffff), { minLength: 50, maxLength: 50 }),
			fc.boolean(),
			async (base, chosen, seeds, hasStranger) => {
				let state = seeds.reduce((sum, seed) => (sum * 31 + seed) >>> 0, 1);
				const draw = (limit: number): number => {
					state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
					return Math.floor((state / 2 ** 32) * limit);
				};
				const words: number[] = [...MARKER];
				const expected: { readonly address: number; readonly value: MadeValue['expected']; readonly key: string }[] =
					[];
				const made = chosen.flatMap((index) => allModels[index] ?? []).map((model) => madeModel(model, draw));
				for (const { id, words: body, values } of made) {
					if (hasStranger) words.push(64_001, 3, 1, 2, 3);
					words.push(id, body.length);
					const start = base + words.length;
					for (const { name, offset, expected: value } of values)
						expected.push({ address: start + offset, value, key: `m${id}_${name}` });
					words.push(...body);
				}
				words.push(0xffff, 0);
				const registers = registersFrom(base, words);
				const chain = await chainOf(registers, 60 + draw(66));
				const template = await templateOf(chain);
				const values = valuesOf(template, registers);
				const known = new Map(template.points.map((point) => [point.key, point]));
				for (const { address, value, key } of expected) {
					const point = known.get(key);
					if (point === undefined || point.address !== address) throw new Error(`${key}: not at ${address}`);
					const found = values.get(key);
					if (!isSameValue(value, typeof found === 'bigint' ? Number(found) : found))
						throw new Error(`${key}: made ${String(value)}, read ${inspect(found)}`);
				}
			},
		),
		{ numRuns: 60 },
	);
	t.pass();
});
