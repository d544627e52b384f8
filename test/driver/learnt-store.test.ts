import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';
import type { TemplateDocument } from '../../config/template/template.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { type Learnt, NOTHING_LEARNT, withLearnt } from '../../gateway/driver/modbus/plan/learnt.ts';
import { createLearntStore } from '../../gateway/driver/modbus/plan/learnt-store.ts';
import { createSimulatedDriver, simulatedDevice, simulatedId } from '../fake/simulated-driver.ts';
import { point, template } from '../fake/plain-plan.ts';

const plain = template([point('a', 0), point('b', 1)]);
const taught: Learnt = {
	maxRegisters: 80,
	maxBits: null,
	holes: [{ functionCode: 3, first: 10, last: 12 }],
	refused: ['b'],
};

async function folderOf(t: ExecutionContext): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'learnt-'));
	t.teardown(() => rm(folder, { recursive: true, force: true }));
	return join(folder, 'learnt');
}

const open = (folder: string) => createLearntStore({ folder, log: silentLog });

test('what a device has taught is there after a restart, and for no other device', async (t) => {
	const folder = await folderOf(t);
	const first = open(folder);
	t.deepEqual(await first.load(simulatedId(1), plain), NOTHING_LEARNT);
	first.save(simulatedId(1), plain, { ...taught, maxRegisters: 100 });
	first.save(simulatedId(1), plain, taught);
	await first.stop();
	const second = open(folder);
	t.deepEqual(await second.load(simulatedId(1), plain), taught);
	t.deepEqual(await second.load(simulatedId(2), plain), NOTHING_LEARNT);
});

test('under another template nothing is known, and another name of it is no other template', async (t) => {
	const folder = await folderOf(t);
	const store = open(folder);
	store.save(simulatedId(1), plain, taught);
	await store.stop();
	const renamed = template([point('a', 0, { name: 'Other words' }), point('b', 1)]);
	t.deepEqual(await open(folder).load(simulatedId(1), renamed), taught);
	for (const other of [template([point('a', 0), point('b', 2)]), template(plain.points, { maxRegistersPerRead: 50 })]) {
		t.deepEqual(await open(folder).load(simulatedId(1), other), NOTHING_LEARNT);
	}
});

test('a damaged file is as good as none, and is written over', async (t) => {
	const folder = await folderOf(t);
	const store = open(folder);
	store.save(simulatedId(1), plain, taught);
	await store.stop();
	for (const text of ['', '{"checksum":', '{"holes":[{}]}', '{"checksum":"x","maxRegisters":9999}', 'null']) {
		await writeFile(join(folder, `${simulatedId(1)}.json`), text);
		const damaged = open(folder);
		t.deepEqual(await damaged.load(simulatedId(1), plain), NOTHING_LEARNT);
		damaged.save(simulatedId(1), plain, taught);
		await damaged.stop();
		t.deepEqual(await open(folder).load(simulatedId(1), plain), taught);
	}
});

test('what is forgotten, and what belongs to no device, leaves no file', async (t) => {
	const folder = await folderOf(t);
	const store = open(folder);
	for (const index of [1, 2, 3]) store.save(simulatedId(index), plain, taught);
	await store.stop();
	const next = open(folder);
	await next.load(simulatedId(1), plain);
	await next.forget(simulatedId(1));
	await next.keepOnly(new Set([simulatedId(1), simulatedId(3)]));
	t.deepEqual(await readdir(folder), [`${simulatedId(3)}.json`]);
	await next.load(simulatedId(3), plain);
	next.save(simulatedId(3), plain, NOTHING_LEARNT);
	await next.stop();
	t.deepEqual(await readdir(folder), []);
});

test('a device that was found out is asked rightly from the first request after a restart, until it is to be forgotten', async (t) => {
	const folder = await folderOf(t);
	const line = { transport: 'tcp', host: 'x', port: 502 } as const;
	const wide = template(Array.from({ length: 120 }, (_, i) => point(`p${i}`, i)));
	const start = () =>
		createSimulatedDriver({
			templates: [wide],
			slave:
				() =>
				({ address, count }) =>
					count > 50 || (address <= 70 && address + count > 70) ? { afterMs: 5, exception: 2 } : { afterMs: 5 },
			memory: open(folder),
		});
	const refusals = ({ driver }: ReturnType<typeof start>): number =>
		[...(driver.bus('tcp x:502')?.meter.units.of(1).exceptions.values() ?? [])].reduce((sum, count) => sum + count, 0);

	const first = start();
	await first.driver.apply([simulatedDevice(1, line)]);
	await first.time.run(60_000);
	t.true(refusals(first) > 0);
	const learnt = first.driver.learnt(simulatedId(1));
	t.deepEqual(learnt?.refused, ['p70']);
	await first.driver.stop();

	const second = start();
	await second.driver.apply([simulatedDevice(1, line)]);
	await second.time.run(60_000);
	t.is(refusals(second), 0);
	t.deepEqual(second.driver.learnt(simulatedId(1)), learnt);
	await second.driver.forget(simulatedId(1));
	t.deepEqual(second.driver.learnt(simulatedId(1)), NOTHING_LEARNT);
	await second.time.run(60_000);
	t.true(refusals(second) > 0);
	await second.driver.stop();
});

test('a template takes over what was learnt, once', (t) => {
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the members that matter here
	const document = {
		...plain,
		quirks: ['It is slow.'],
		holes: [{ functionCode: 3, first: 13, last: 14 }],
	} as unknown as TemplateDocument;
	const first = withLearnt(document, taught);
	t.is(first.maxRegistersPerRead, 80);
	t.is(first.maxBitsPerRead, undefined);
	t.deepEqual(first.holes, [{ functionCode: 3, first: 10, last: 14 }]);
	t.deepEqual(first.quirks, ['It is slow.', 'One device of this model does not have b.']);
	t.deepEqual(first.points, document.points);
	t.deepEqual(withLearnt(first, taught), first);
});

test('what cannot be removed keeps no device from being read', async (t) => {
	const folder = await folderOf(t);
	await mkdir(join(folder, 'lost+found'), { recursive: true });
	await t.notThrowsAsync(open(folder).keepOnly(new Set()));
});

test('what is being written is not taken for a leftover', async (t) => {
	const folder = await folderOf(t);
	await mkdir(folder);
	const id = simulatedId(1);
	for (let maxRegisters = 20; maxRegisters < 60; maxRegisters += 1) {
		const store = open(folder);
		store.save(id, plain, { ...taught, maxRegisters });
		for (let k = 0; k < 5; k += 1) await store.keepOnly(new Set([id]));
		await store.stop();
		t.is((await open(folder).load(id, plain)).maxRegisters, maxRegisters);
	}
});
