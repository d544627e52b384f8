import test from 'ava';

import { Fault } from '../../core/kernel/fault.ts';
import { newDeviceId } from '../../core/kernel/id.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import { deferred } from '../fake/deferred.ts';
import { GATEWAY } from '../fake/device-box.ts';
import { draftOf, memoryTelemetry } from '../fake/memory-telemetry.ts';
import { readingOf } from '../fake/sample-readings.ts';

test('what is accepted counts on both lanes; only the live lane is news, and only late history is late', async (t) => {
	const news: Reading[] = [];
	const history: Reading[] = [];
	const { telemetry, readings } = memoryTelemetry(
		[(reading) => void news.push(reading)],
		[(reading) => void history.push(reading)],
	);
	const [live, late] = [readingOf(9), readingOf(1)];
	await telemetry.acceptStamped([live], 'live', 'group');
	await telemetry.acceptStamped([late], 'backfill', 'prompt');
	const { firstSeq: _firstSeq, origin: _origin, epoch: _epoch, ...draft } = readingOf(17);
	const own = await telemetry.accept(draft, 'group');
	t.deepEqual(news, [live, own]);
	t.deepEqual(history, [late]);
	t.deepEqual(readings, [live, late, own]);
	t.is(telemetry.acceptedSamples(), 24);
});

test('numbers follow each other without holes, and everybody hears of a value before it is on disk', async (t) => {
	const news: Reading[] = [];
	const memory = memoryTelemetry([(reading) => void news.push(reading)]);
	const disk = deferred<undefined>();
	memory.barrier = disk.promise;
	const device = newDeviceId();
	const first = memory.telemetry.accept(draftOf(device, 1, { a: 1, b: 2 }), 'group');
	const second = memory.telemetry.accept(draftOf(device, 2, { a: 3, b: 4, c: 5 }), 'group');
	t.deepEqual(
		news.map(({ origin, epoch, firstSeq, values }) => [origin, epoch, firstSeq, values.length]),
		[
			[GATEWAY, 1, 1, 2],
			[GATEWAY, 1, 3, 3],
		],
	);
	t.deepEqual(memory.readings, []);
	disk.resolve(undefined);
	t.deepEqual(await Promise.all([first, second]), news);
	t.is(memory.telemetry.lastSeq(), 5);
});

for (const [why, thrown, reason] of [
	['the disk takes nothing', new Fault('unavailable', 'the journal cannot write'), 'disk-full'],
	['the reading is too large', new Fault('rule-violation', 'fits no segment'), 'too-large'],
] as const) {
	test(`a value that is not kept because ${why} is declared lost under its own numbers, and its live value stands`, async (t) => {
		const memory = memoryTelemetry();
		const device = newDeviceId();
		await memory.telemetry.accept(draftOf(device, 1, { a: 1 }), 'group');
		memory.barrier = Promise.reject(thrown);
		await t.throwsAsync(memory.telemetry.accept(draftOf(device, 2, { a: 2, b: 3 }), 'group'), { is: thrown });
		memory.barrier = Promise.resolve();
		const after = await memory.telemetry.accept(draftOf(device, 3, { b: 4 }), 'group');
		t.deepEqual(memory.losses, [{ origin: GATEWAY, epoch: 1, first: 2, last: 3, reason }]);
		t.is(after.firstSeq, 4);
		t.is(memory.telemetry.latest(device)?.get('a')?.value, 2);
	});
}

test('a reading without values is refused and takes no number', async (t) => {
	const memory = memoryTelemetry();
	const device = newDeviceId();
	await t.throwsAsync(memory.telemetry.accept(draftOf(device, 1, {}), 'prompt'), { message: /has no values/ });
	const { firstSeq } = await memory.telemetry.accept(draftOf(device, 2, { a: 1 }), 'prompt');
	t.is(firstSeq, 1);
	t.deepEqual(memory.losses, []);
});
