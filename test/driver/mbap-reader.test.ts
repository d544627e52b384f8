import test from 'ava';
import fc from 'fast-check';
import { createMbapReader } from '../../gateway/driver/modbus/wire/mbap-reader.ts';
import { mbap } from '../fake/framings.ts';

function readAll(chunks: readonly Buffer[]) {
	const frames: string[] = [];
	let garbage = 0;
	const reader = createMbapReader({
		frame: (id, bytes, start, end) => void frames.push(`${id}:${bytes.toString('hex', start, end)}`),
		garbage: () => {
			garbage += 1;
		},
	});
	for (const chunk of chunks) {
		// The link uses its memory again.
		const lent = Buffer.from(chunk);
		reader.read(lent);
		lent.fill(0xa5);
	}
	return { frames, garbage };
}

function cutInto(bytes: Buffer, sizes: readonly number[]): readonly Buffer[] {
	const chunks: Buffer[] = [];
	let start = 0;
	for (const size of [...sizes, bytes.length]) {
		chunks.push(bytes.subarray(start, start + size));
		start += size;
	}
	return chunks;
}

const frame = fc.record({
	id: fc.integer({ min: 0, max: 0xffff }),
	unitId: fc.integer({ min: 0, max: 255 }),
	pdu: fc.uint8Array({ minLength: 2, maxLength: 253 }),
});

const bytesOf = ({ id, unitId, pdu }: { id: number; unitId: number; pdu: Uint8Array }): Buffer =>
	mbap.wrap(unitId, Buffer.from(pdu), Buffer.from([id >> 8, id & 0xff]));

test('frames come out whole, in whatever pieces they arrive', (t) => {
	const sizes = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 40 });
	fc.assert(
		fc.property(fc.array(frame, { maxLength: 8 }), sizes, (sent, pieces) => {
			const expected = sent.map(({ id, unitId, pdu }) => `${id}:${Buffer.from([unitId, ...pdu]).toString('hex')}`);
			const { frames, garbage } = readAll(cutInto(Buffer.concat(sent.map(bytesOf)), pieces));
			t.deepEqual(frames, expected);
			t.is(garbage, 0);
		}),
	);
});

test('a header that is none ends the reading once, and what came before it counts', (t) => {
	const wrong = fc.constantFrom('000100010006', '000100000002', '0001000000ff', '485454502f31');
	fc.assert(
		fc.property(frame, wrong, fc.integer({ min: 1, max: 9 }), (good, bad, size) => {
			const bytes = Buffer.concat([bytesOf(good), Buffer.from(bad, 'hex'), bytesOf(good)]);
			const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, () => size);
			const { frames, garbage } = readAll(cutInto(bytes, pieces));
			t.is(frames.length, 1);
			t.is(garbage, 1);
		}),
	);
});
