import test from 'ava';

import { framingOfLine } from '../../gateway/diagnose/capture.ts';
import { shownFrames } from '../../gateway/diagnose/frame-list.ts';
import { withCrc } from '../fake/crc.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const crc = (text: string): Buffer => withCrc(hex(text));

type Frame = readonly [us: number, direction: 'sent' | 'received', bytes: Buffer];

const framesOf = (...frames: readonly Frame[]) =>
	frames.map(([sinceStartUs, direction, bytes]) => ({ sinceStartUs, direction, bytes }));

test('an answer in pieces is one frame, with the silence before it', (t) => {
	const answer = crc('01 03 02 00e7');
	const shown = shownFrames(
		'rtu',
		framesOf(
			[1000, 'sent', crc('01 03 0034 0001')],
			[21_000, 'received', answer.subarray(0, 2)],
			[37_000, 'received', answer.subarray(2)],
			[90_000, 'sent', crc('02 06 000a 0005')],
		),
	);
	t.is(shown.length, 3);
	t.like(shown[0], {
		direction: 'sent',
		gapUs: null,
		unitId: 1,
		check: 'ok',
		text: 'read holding registers 52, count 1',
	});
	t.like(shown[1], { sinceStartUs: 21_000, gapUs: 20_000, text: 'read holding registers: 2 bytes 00e7' });
	t.like(shown[2], { gapUs: 53_000, unitId: 2, text: 'write register 10 = 5' });
});

test('noise, a request of another master and a damaged answer are told apart', (t) => {
	const shown = shownFrames(
		'rtu',
		framesOf(
			[0, 'received', Buffer.concat([hex('00 ff 7e'), crc('05 04 0000 0002')])],
			[200_000, 'received', hex('01 03 02 00e7 ffff')],
		),
	);
	t.deepEqual(
		shown.map(({ check, text }) => [check, text]),
		[
			['bad', 'no frame: 3 bytes'],
			['ok', 'a request on the line: read input registers 0, count 2'],
			['bad', 'no frame: 7 bytes'],
		],
	);
});

const replies = [
	['rtu', crc('01 83 02'), 'exception 2: illegal data address: the device has no such register'],
	['rtu', crc('01 10 000a 0002'), 'write registers 10, count 2'],
	['rtu', crc('01 05 0001 ff00'), 'write coil 1 = on'],
	['rtu', crc('01 16 0004 00f2 0025'), 'mask register 4, and 00f2, or 0025'],
	[
		'rtu',
		crc('01 2b 0e 01 01 00 00 01 00 02 4142'),
		'read device identification, 12 bytes 0e01010000010002 4142'.replace(' 4142', '4142').replace('12', '10'),
	],
	['tcp', hex('0007 0000 0005 01 03 02 00e7'), 'read holding registers: 2 bytes 00e7'],
	['ascii', Buffer.from(':01030200E713\r\n'), 'read holding registers: 2 bytes 00e7'],
	['raw', Buffer.from('/ISk5\r\n'), '/ISk5\\x0d\\x0a'],
] as const;

for (const [framing, bytes, text] of replies) {
	test(`${framing} ${bytes.toString('hex')} reads "${text}"`, (t) => {
		const [frame, ...more] = shownFrames(framing, framesOf([0, 'received', bytes]));
		t.is(frame?.text, text);
		t.is(frame?.check, framing === 'raw' ? null : 'ok');
		t.deepEqual(more, []);
	});
}

test('several answers in one packet are several frames, with their transaction', (t) => {
	const shown = shownFrames(
		'tcp',
		framesOf(
			[0, 'sent', hex('0001 0000 0006 01 01 0000 0009')],
			[5, 'received', hex('0001 0000 0005 01 01 02 ff01 0002 0000 0003 01 84')],
			[6, 'received', hex('0b')],
		),
	);
	t.deepEqual(
		shown.map(({ transaction, text }) => [transaction, text]),
		[
			[1, 'read coils 0, count 9'],
			[1, 'read coils: 2 bytes ff01'],
			[2, 'exception 11: gateway target failed to respond: the Modbus gateway gets no answer from the unit'],
		],
	);
});

test('the framing of a line is that of its transport', (t) => {
	t.is(framingOfLine('tcp 10.0.0.5:502'), 'tcp');
	t.is(framingOfLine('rtu-over-tcp 10.0.0.5:4001'), 'rtu');
	t.is(framingOfLine('rtu /dev/ttyUSB0 9600 8N1'), 'rtu');
	t.is(framingOfLine('ascii-over-tcp 10.0.0.5:4001'), 'ascii');
	t.is(framingOfLine('serial /dev/ttyUSB0 9600 8N1'), 'raw');
});

test('on a line with ASCII frames a megabyte of colons is noise, and the frame behind it is found', (t) => {
	const noise = Buffer.alloc(1024 * 1024, ':');
	const answer = Buffer.from(':01030200E713\r\n');
	const shown = shownFrames('ascii', framesOf([0, 'received', noise], [10, 'received', answer]));
	t.deepEqual(
		shown.map(({ bytes, unitId }) => [bytes.length, unitId]),
		[
			[1024 * 1024, null],
			[answer.length, 1],
		],
	);
});
