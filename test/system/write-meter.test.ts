import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';

import { silentLog } from '../../core/kernel/log.ts';
import { documentBytesBelow, openDatabase } from '../../core/storage/pouch.ts';
import { deviceBytesOf, deviceName } from '../../core/system/device-bytes.ts';
import { blockBytes, meteredFiles } from '../../core/system/metered-files.ts';
import { projectedLifeYears } from '../../core/system/storage-report.ts';
import { openWriteMeter } from '../../core/system/write-meter.ts';
import { createManualTimer } from '../fake/manual-timer.ts';
import { createPowerCutFiles } from '../fake/power-cut-files.ts';

const HOUR_MS = 3_600_000;

function meterBox(t: ExecutionContext) {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-meter-'));
	t.teardown(() => rmSync(folder, { recursive: true }));
	const path = join(folder, 'write-meter.json');
	const timer = createManualTimer();
	const kernel: { bytes: number | null } = { bytes: 0 };
	const open = () => openWriteMeter({ path, deviceBytes: () => kernel.bytes, ...timer, log: silentLog });
	return { timer, path, kernel, open };
}

test('the pace of a day is that of the time that was measured', async (t) => {
	const { open, timer } = meterBox(t);
	const meter = await open();
	const journal = meter.counter('journal');
	journal(1_000);
	t.is(meter.written().bytesPerDay, null, 'a start says nothing of a day');
	timer.advance(HOUR_MS / 2);
	journal(1_000);
	t.deepEqual(meter.written().bytesPerDay, { journal: 96_000, other: 0 });
	await meter.stop();
});

test('what no stream has counted is the rest of what reached the device', async (t) => {
	const { open, kernel, timer } = meterBox(t);
	kernel.bytes = 5_000;
	const meter = await open();
	const journal = meter.counter('journal');
	journal(4_096);
	kernel.bytes += 10_000;
	t.deepEqual(meter.written().bytes, { journal: 4_096, other: 5_904 });
	journal(8_192);
	t.deepEqual(meter.written().bytes, { journal: 12_288, other: 5_904 }, 'a counter never falls');
	timer.advance(HOUR_MS);
	t.deepEqual(meter.written().bytesPerDay, { journal: 24 * 12_288, other: 24 * 5_904 });
	await meter.stop();
});

test('where the device is not known, the streams are all there is', async (t) => {
	const { open, kernel } = meterBox(t);
	kernel.bytes = null;
	const meter = await open();
	meter.counter('journal')(4_096);
	t.deepEqual(meter.written().bytes, { journal: 4_096, other: 0 });
	await meter.stop();
});

test('the pace survives a restart, the time between does not count, and a day is the longest memory', async (t) => {
	const { open, timer } = meterBox(t);
	const first = await open();
	first.counter('journal')(24_000);
	timer.advance(HOUR_MS * 2);
	await first.stop();
	timer.advance(HOUR_MS * 100);
	const second = await open();
	t.deepEqual(second.written(), {
		bytes: { other: 0 },
		bytesPerDay: { journal: 24_000 * 12, other: 0 },
		measuredMs: HOUR_MS * 2,
	});
	for (let hour = 0; hour < 30; hour += 1) timer.advance(HOUR_MS);
	const { bytesPerDay, measuredMs } = second.written();
	t.is(bytesPerDay?.['journal'] ?? 0, 0);
	t.true(measuredMs >= 24 * HOUR_MS && measuredMs <= 25 * HOUR_MS);
	await second.stop();
});

test('a meter file that is damaged or was edited costs its hours, not the start', async (t) => {
	const { open, path } = meterBox(t);
	for (const text of [
		'{"stretches":[{"ms":-1,"bytes":{"journal":1}},null,{"ms":5,"bytes":null},7]}',
		'{"stretches":7}',
		'x',
	]) {
		writeFileSync(path, text);
		const meter = await open();
		t.deepEqual(meter.written(), { bytes: { other: 0 }, bytesPerDay: null, measuredMs: 0 }, text);
		await meter.stop();
	}
});

test('a write counts the blocks that it touches', (t) => {
	t.is(blockBytes(0, 0), 0);
	t.is(blockBytes(0, 1), 4_096);
	t.is(blockBytes(4_095, 2), 8_192);
	t.is(blockBytes(4_096, 4_096), 4_096);
	fc.assert(
		fc.property(fc.nat(1e6), fc.integer({ min: 1, max: 1e6 }), (position, length) => {
			const bytes = blockBytes(position, length);
			t.true(bytes >= length && bytes < length + 2 * 4_096 && bytes % 4_096 === 0);
		}),
	);
});

test('metered files are the same files, and each change counts', async (t) => {
	let counted = 0;
	const files = meteredFiles(createPowerCutFiles(), (bytes) => (counted += bytes));
	const grown = (): number => {
		const bytes = counted;
		counted = 0;
		return bytes;
	};
	const file = await files.create('/f/one');
	t.true(grown() > 0);
	await file.write(10, Buffer.from('text'));
	t.is(grown(), 4_096);
	await file.datasync();
	t.is((await file.read(10, 4)).toString(), 'text');
	t.is(grown(), 0);
	await file.truncate(0);
	t.true(grown() > 0);
	for (const reopened of [await files.open('/f/one'), await files.openDurable('/f/one')]) {
		t.is(grown(), 0);
		await reopened.write(4_000, Buffer.alloc(200));
		t.is(grown(), 8_192);
	}
	await files.rename('/f/one', '/f/two');
	t.true(grown() > 0);
	await files.writeText('/f/text', 'text');
	t.true(grown() >= 4_096);
	t.is(await files.readText('/f/text'), 'text');
	await files.remove('/f/two');
	t.true(grown() > 0);
});

test('the life of a card is its capacity times its cycles over what it is made to write', (t) => {
	const card = { enduranceCycles: 1_000, writeAmplification: 4 };
	t.is(Math.round(projectedLifeYears(32e9, card, 1e9) * 100) / 100, 21.9);
	t.is(projectedLifeYears(32e9, card, 0), 100);
	t.is(projectedLifeYears(32e9, card, 1), 100);
});

test('a stream that is counted elsewhere is a stream', async (t) => {
	const { open, kernel } = meterBox(t);
	const meter = await open();
	let documents = 100;
	meter.watch('documents', () => documents);
	documents = 300;
	kernel.bytes = 1_000;
	t.deepEqual(meter.written().bytes, { documents: 300, other: 700 });
	await meter.stop();
});

test('the device of a folder is named as the kernel names it', (t) => {
	t.is(deviceName(0x0801), '8:1');
	t.is(deviceName(0x10_0b_02), '11:258');
	const bytes = deviceBytesOf(tmpdir())();
	t.true(bytes === null || bytes >= 0);
	t.is(deviceBytesOf('/nowhere')(), null);
});

test('documents count with their blocks, those of other folders do not', async (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-documents-'));
	t.teardown(() => rmSync(folder, { recursive: true }));
	const database = openDatabase<{ text: string }>(join(folder, 'inside', 'documents'));
	const before = documentBytesBelow(folder);
	await database.put({ _id: 'a', text: 'x'.repeat(100_000) });
	await database.close();
	const grown = documentBytesBelow(folder) - before;
	t.true(grown >= 100_000 && grown <= 1_000_000 && grown % 4_096 === 0, String(grown));
	t.is(documentBytesBelow(join(folder, 'in')), 0);
});
