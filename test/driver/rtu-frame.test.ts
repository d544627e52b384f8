import test from 'ava';
import fc from 'fast-check';
import { crc16, hasValidCrc } from '../../gateway/driver/modbus/wire/crc16.ts';
import { scanRtu } from '../../gateway/driver/modbus/wire/rtu-frame.ts';
import { withCrc } from '../fake/crc.ts';
import { rtuException, rtuReply } from '../fake/rtu-wire.ts';

const request = { unitId: 7, functionCode: 3, address: 100, count: 10, timeoutMs: 100 } as const;

test('the CRC of the specification is found', (t) => {
	// Modbus over Serial Line V1.02, 6.2.2: unit 2, function 7 has the CRC 0x1241, sent as 41 12.
	t.is(crc16(Buffer.from([0x02, 0x07])), 0x1241);
	t.true(hasValidCrc(Buffer.from([0x02, 0x07, 0x41, 0x12]), 0, 4));
});

test('a reply is found at the same place however it is split', (t) => {
	const noise = fc.uint8Array({ maxLength: 12 }).filter((bytes) => !bytes.includes(request.unitId));
	fc.assert(
		fc.property(noise, fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 20 }), (before, sizes) => {
			const wire = Buffer.concat([before, rtuReply(request)]);
			let end = 0;
			for (const size of [...sizes, wire.length]) {
				end = Math.min(wire.length, end + size);
				const scan = scanRtu(wire, end, request);
				if (end === wire.length) {
					t.deepEqual(scan, { kind: 'reply', start: before.length, end: wire.length });
					break;
				}
				t.is(scan.kind, 'wait');
			}
		}),
	);
});

test('a reply with any flipped bit is never taken', (t) => {
	const reply = rtuReply(request);
	for (let bit = 0; bit < reply.length * 8; bit += 1) {
		const damaged = Buffer.from(reply);
		damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
		t.not(scanRtu(damaged, damaged.length, request).kind, 'reply');
	}
});

const scans: readonly (readonly [name: string, bytes: Buffer, kind: 'wait' | 'reply' | 'corrupt'])[] = [
	['an exception to the function', rtuException(request, 2), 'reply'],
	[
		'an echo of the request before the reply',
		Buffer.concat([withCrc(Buffer.from('070300640000', 'hex')), rtuReply(request)]),
		'reply',
	],
	['a reply of another unit', rtuReply({ ...request, unitId: 8 }), 'wait'],
	['a reply to another function', rtuReply({ ...request, functionCode: 4 }), 'wait'],
	['an exception to another function', rtuException({ ...request, functionCode: 4 }, 2), 'wait'],
	['a reply of another length', rtuReply({ ...request, count: 9 }), 'wait'],
	['a damaged reply', Buffer.concat([rtuReply(request).subarray(0, -1), Buffer.from([0])]), 'corrupt'],
	[
		'a late reply of another length before the right one',
		Buffer.concat([rtuReply({ ...request, count: 4 }), rtuReply(request)]),
		'reply',
	],
];
for (const [name, bytes, kind] of scans) {
	test(`${name} is ${kind === 'wait' ? 'passed over' : `called ${kind}`}`, (t) => {
		t.is(scanRtu(bytes, bytes.length, request).kind, kind);
	});
}
