import test from 'ava';

import { epochMs } from '../../core/kernel/clock.ts';
import type { ModbusExchange } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { deviceWords, readable, wordsOf } from '../../gateway/scan/device-words.ts';
import type { Witness } from '../../gateway/scan/witness.ts';

/** What a device sends to one question; `null`: it refuses. */
type Device = (exchange: ModbusExchange) => Buffer | null;

const nobody = () => Promise.resolve(null);

async function ask(device: Device, discover: Parameters<typeof deviceWords>[2] = nobody) {
	const asked: ModbusExchange[] = [];
	const witness: Witness = {
		async ask(exchange) {
			asked.push(exchange);
			const data = device(exchange);
			return data === null
				? { kind: 'exception', code: 1 }
				: { kind: 'answer', answer: { data, readAt: epochMs(0), latencyMs: 1 } };
		},
		evidenceOf: () => {
			throw new Error('nobody asks');
		},
		strayFrames: () => 0,
	};
	return { words: await deviceWords(witness, { unitId: 1, timeoutMs: 100 }, discover), asked };
}

/** The answer to function 43/14 from the conformity level on (Application Protocol V1.1b3, 6.21). */
function identification(level: number, next: number | null, objects: readonly (readonly [number, string])[]): Buffer {
	const parts = objects.map(([id, text]) =>
		Buffer.concat([Buffer.from([id, text.length]), Buffer.from(text, 'latin1')]),
	);
	return Buffer.concat([Buffer.from([level, next === null ? 0 : 0xff, next ?? 0, objects.length]), ...parts]);
}

test('basic objects come first, over as many answers as it takes, then the regular ones', async (t) => {
	const { words, asked } = await ask((exchange) => {
		if (exchange.functionCode !== 43) return null;
		if (exchange.readCode === 2) return identification(0x82, null, [[4, 'Meter three']]);
		return exchange.objectId === 0
			? identification(0x82, 2, [
					[0, 'Acme'],
					[1, 'AC-1'],
				])
			: identification(0x82, null, [[2, '3.07']]);
	});
	t.deepEqual(words.objects, [
		{ name: 'vendor_name', text: 'Acme' },
		{ name: 'product_code', text: 'AC-1' },
		{ name: 'major_minor_revision', text: '3.07' },
		{ name: 'product_name', text: 'Meter three' },
	]);
	t.deepEqual(
		asked.map((exchange) => ('readCode' in exchange ? [exchange.readCode, exchange.objectId] : exchange.functionCode)),
		[[1, 0], [1, 2], [2, 3], 17],
	);
	t.is(wordsOf(words).trim(), 'Acme AC-1 3.07 Meter three');
});

test('a device with basic objects only is not asked for others', async (t) => {
	const { asked } = await ask(({ functionCode }) =>
		functionCode === 43 ? identification(0x01, null, [[0, 'Acme']]) : null,
	);
	t.is(asked.length, 2);
});

test('a device that always has more is left after eight answers', async (t) => {
	const { asked } = await ask((exchange) =>
		'readCode' in exchange ? identification(0x83, (exchange.objectId + 1) & 0xff, [[200, 'x']]) : null,
	);
	t.true(asked.length <= 9);
	const circling = await ask((exchange) => ('readCode' in exchange ? identification(0x82, 0, [[0, 'x']]) : null));
	t.true(circling.asked.length <= 9);
});

const answer = (bytes: readonly number[]) =>
	ask(({ functionCode }) => (functionCode === 17 ? Buffer.from(bytes) : null));

test('function 17 gives the identifier, what can be read of it, and whether the device runs', async (t) => {
	t.deepEqual((await answer([0x2a, 0xff, 0x41, 0x43, 0x00])).words.serverId, {
		hex: '2aff414300',
		text: '* AC',
		isRunning: true,
	});
	t.is((await answer([0x2a, 0x00])).words.serverId?.isRunning, false);
	t.is((await answer([0x2a, 0x41])).words.serverId?.isRunning, null);
	t.deepEqual((await answer([])).words.serverId, { hex: '', text: '', isRunning: null });
});

test('SunSpec is looked for through the same line', async (t) => {
	const sunspec = { base: 40_000, manufacturer: 'Acme', model: 'Sun 5', serialNumber: '1', models: [1, 103] };
	const { words, asked } = await ask(
		({ functionCode }) => (functionCode === 3 ? Buffer.from('SunS') : null),
		async (read) => ((await read(40_000, 2))?.toString() === 'SunS' ? sunspec : null),
	);
	t.deepEqual(words.sunspec, sunspec);
	t.like(asked.at(-1), { functionCode: 3, address: 40_000, count: 2 });
	t.regex(wordsOf(words), /Acme Sun 5/);
});

test('what cannot be read is left out, and a text has an end', (t) => {
	t.is(readable(Buffer.from([0, 65, 0, 0, 66, 7, 255])), 'A B');
	t.is(readable(Buffer.alloc(500, 65)).length, 120);
});
