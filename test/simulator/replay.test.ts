import test from 'ava';

import { SettingsFault } from '../../config/settings-fault.ts';
import { captureText, parseCapture } from '../../gateway/diagnose/capture.ts';
import { createReplay } from '../../gateway/simulator/replay.ts';
import { type FramingName, framingOf } from '../../gateway/simulator/slave-framing.ts';

const capture = (framing: FramingName, ...frames: readonly (readonly [number, 'sent' | 'received', string])[]) =>
	parseCapture(
		[
			{ format: 'drawbridge-capture', version: 1, line: 'x', framing, started_at: '2026-01-01T00:00:00.000Z' },
			...frames.map(([us, dir, hex]) => ({ us, dir, hex: hex.replaceAll(' ', '') })),
		]
			.map((row) => JSON.stringify(row))
			.join('\n'),
	);

const rtu = capture(
	'rtu',
	[1000, 'sent', '01 03 0000 0001 840a'],
	[31_000, 'received', '01 03 02'],
	[46_500, 'received', '0007 f986'],
	[60_000, 'sent', '01 03 0005 0001 940b'],
	[160_000, 'sent', '01 03 0000 0001 840a'],
	[165_000, 'received', '01 03 02 0008 b982'],
);

const request = (address: number) => ({
	unitId: 1,
	pdu: Buffer.from([3, 0, address, 0, 1]),
	transaction: 0,
});

test('a recording answers with its own bytes, pieces and times, in its order, and begins again', (t) => {
	const replay = createReplay(rtu, null);
	const ask = (address: number) =>
		replay.respond(request(address), framingOf('rtu')).map(({ afterMs, bytes }) => [afterMs, bytes?.toString('hex')]);
	const first = [
		[30, '010302'],
		[45.5, '0007f986'],
	];
	t.deepEqual(ask(0), first);
	t.deepEqual(ask(5), []);
	t.deepEqual(ask(0), [[5, '0103020008b982']]);
	t.deepEqual(ask(0), first);
	t.is(replay.unknown, 0);
});

test('what was never recorded is answered by the fallback, or by nobody', (t) => {
	const deed = { afterMs: 1, bytes: Buffer.from('00', 'hex') };
	const replay = createReplay(rtu, { respond: () => [deed] });
	t.deepEqual(replay.respond(request(99), framingOf('rtu')), [deed]);
	t.deepEqual(createReplay(rtu, null).respond(request(99), framingOf('rtu')), []);
	t.is(replay.unknown, 1);
});

test('Modbus TCP is answered with the transaction ids of today, late answers too', (t) => {
	const replay = createReplay(
		capture(
			'tcp',
			[0, 'sent', '0001 0000 0006 01 03 0000 0001'],
			[100_000, 'sent', '0002 0000 0006 01 03 0005 0001'],
			[110_000, 'received', '0001 0000 0005 01 03 02 0007 00'],
			[120_000, 'received', '02 0000 0005 01 03 02 0009'],
		),
		null,
	);
	const tcp = framingOf('tcp');
	t.deepEqual(replay.respond({ ...request(0), transaction: 0x1234 }, tcp), []);
	const deeds = replay.respond({ ...request(5), transaction: 0x1235 }, tcp);
	t.is(
		Buffer.concat(deeds.map(({ bytes }) => bytes ?? Buffer.alloc(0))).toString('hex'),
		'12340000000501030200071235000000050103020009',
	);
});

test('a recording that is not Modbus, or has no request, is no slave', (t) => {
	t.throws(() => createReplay({ ...rtu, framing: 'raw' }, null), { instanceOf: RangeError, message: /not Modbus/ });
	t.throws(() => createReplay({ ...rtu, frames: [] }, null), { instanceOf: RangeError, message: /no request/ });
});

test('a recording is written as it is read', (t) => {
	t.deepEqual(parseCapture(captureText(rtu)), rtu);
});

for (const [text, path] of [
	['', 'line 1'],
	['{}', 'line 1'],
	[`${captureText(rtu)}{"us":1,"dir":"sent","hex":"00"}`, 'line 8'],
	[`${captureText(rtu)}{"us":999999,"dir":"up","hex":"00"}`, 'line 8'],
	[`${captureText(rtu)}{"us":999999,"dir":"sent","hex":"0"}`, 'line 8'],
	[`${captureText(rtu)}nothing`, 'line 8'],
] as const) {
	test(`a recording that ends with ${JSON.stringify(text.slice(-30))} is refused at ${path}`, (t) => {
		t.is(t.throws(() => parseCapture(text), { instanceOf: SettingsFault })?.mistakes[0]?.path, path);
	});
}
