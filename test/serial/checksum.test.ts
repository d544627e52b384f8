import test from 'ava';

import type { ChecksumRule, ChecksumType } from '../../config/template/serial-format.ts';
import { checksumOf, hasValidChecksum } from '../../gateway/driver/serial/checksum.ts';

/** Check values of the catalogue of parametrised CRC algorithms, over the digits 1 to 9. */
const checks: readonly (readonly [type: ChecksumType, sum: number])[] = [
	['xor', 0x31],
	['sum8', 0xdd],
	['sum16', 0x01dd],
	['lrc', 0x23],
	['crc16-modbus', 0x4b37],
	['crc16-arc', 0xbb3d],
	['crc16-ccitt', 0x29b1],
	['crc16-xmodem', 0x31c3],
	['crc16-x25', 0x906e],
	['crc32', 0xcbf43926],
];

for (const [type, sum] of checks) {
	test(`${type} of the digits 1 to 9 is ${sum.toString(16)}`, (t) => {
		t.is(checksumOf(type, Buffer.from('123456789')), sum);
	});
}

const rule = (change: Partial<ChecksumRule>): ChecksumRule => ({
	type: 'crc16-modbus',
	mark: new Uint8Array(),
	at: -2,
	notation: 'binary',
	order: 'little',
	covers: { from: 0, to: -2 },
	...change,
});

test('a checksum is found in either order of bytes and in hex', (t) => {
	t.true(hasValidChecksum(Buffer.from('123456789\x37\x4b', 'latin1'), rule({})));
	t.false(hasValidChecksum(Buffer.from('123456789\x4b\x37', 'latin1'), rule({})));
	t.true(hasValidChecksum(Buffer.from('123456789\x4b\x37', 'latin1'), rule({ order: 'big' })));
	const hex = rule({ at: -4, notation: 'hex', covers: { from: 0, to: -4 } });
	t.true(hasValidChecksum(Buffer.from('1234567894b37'), hex));
	t.true(hasValidChecksum(Buffer.from('1234567894B37'), hex));
	t.false(hasValidChecksum(Buffer.from('1234567894B3 '), hex));
});

test('a frame that is too short for its checksum has none', (t) => {
	t.false(hasValidChecksum(Buffer.from('1'), rule({})));
	t.false(hasValidChecksum(Buffer.from(''), rule({})));
	t.false(hasValidChecksum(Buffer.from([0xff, 0xff]), rule({})), 'a checksum over nothing');
});
