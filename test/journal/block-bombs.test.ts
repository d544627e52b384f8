import { deflateRawSync } from 'node:zlib';

import test from 'ava';

import { decodeBlock, encodeBlock } from '../../core/journal/block-codec.ts';
import { byteView } from '../../core/journal/byte-view.ts';
import { type ByteWriter, createByteWriter } from '../../core/journal/byte-writer.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { deviceId, gatewayId } from '../../core/kernel/id.ts';

const ORIGIN = '00000000-0000-4000-8000-00000000000a';
const DEVICE = '00000000-0000-4000-8000-000000000001';

/** A block of whatever a liar writes, deflated as far as it goes. */
function blockOf(write: (writer: ByteWriter) => void): Buffer {
	const plain = createByteWriter();
	write(plain);
	const bytes = plain.bytes();
	const deflated = deflateRawSync(byteView(bytes));
	const block = createByteWriter();
	block.u8(2);
	block.u8(1);
	block.varint(bytes.length);
	block.varint(deflated.length);
	block.raw(byteView(deflated));
	return Buffer.from(block.bytes());
}

function shapeOf(writer: ByteWriter, points: number): void {
	writer.varint(0);
	writer.varint(1);
	for (const text of [ORIGIN, DEVICE, 'default']) writer.text(text);
	writer.varint(points);
	for (let point = 0; point < points; point += 1) writer.text('');
}

test('readings without values do not come in millions', (t) => {
	const block = blockOf((writer) => {
		shapeOf(writer, 0);
		writer.varint(1_100_000);
		writer.raw(new Uint8Array(5_000_000));
	});
	t.true(block.length < 10_000, `${block.length} bytes`);
	t.throws(() => decodeBlock(block), { instanceOf: Fault, message: /more than 1000000 samples/ });
});

test('a reading is judged once, however small a block says it again', (t) => {
	const points = 50_000;
	const block = blockOf((writer) => {
		shapeOf(writer, points);
		writer.varint(1);
		writer.varint(0);
		// Boot, number and instant.
		writer.raw(new Uint8Array(5));
		writer.varint(1_000_000);
		writer.raw(new Uint8Array(4_000_000));
	});
	t.throws(() => decodeBlock(block), { instanceOf: Fault, message: /judges a reading/ });
});

const integerBlock = (value: bigint) =>
	encodeBlock([
		{
			device: deviceId(DEVICE),
			readAt: epochMs(1_790_000_000_000),
			telemetryType: 'default',
			points: ['a'],
			values: [value],
			qualities: null,
			origin: gatewayId(ORIGIN),
			epoch: 1,
			firstSeq: 1,
		},
	]);

test('an integer has an end', (t) => {
	t.deepEqual(decodeBlock(integerBlock(-(2n ** 64n)))[0]?.values, [-(2n ** 64n)]);
	t.throws(() => integerBlock(2n ** 9_000n), { instanceOf: Fault, message: /1024 bytes/ });
});
