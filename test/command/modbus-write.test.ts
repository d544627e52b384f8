import test, { type ExecutionContext } from 'ava';

import type { DeviceTemplate, TemplatePoint } from '../../config/template/template.ts';
import type { CommandPayload } from '../../core/command/command.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { startDeviceServer } from '../fake/device-server.ts';
import { mbap } from '../fake/framings.ts';
import { createPduDevice, type PduDevice } from '../fake/pdu-device.ts';
import { point, template } from '../fake/plain-plan.ts';
import { writeBox, type WriteBoxOptions } from '../fake/write-box.ts';
import { BIT, COIL, LONG, target } from '../fake/write-target.ts';
import { hasPymodbus, needs, startPython } from '../driver/peer.ts';
import { reservePort } from '../fake/reserved-port.ts';
import { waitFor } from '../system/kit/wait-for.ts';

const plain = (points: readonly TemplatePoint[], more: Partial<DeviceTemplate> = {}): DeviceTemplate =>
	template([point('watch', 900), ...points], more);

/** All but the poll of `watch`, as hex. */
const asked = ({ asked: pdus }: PduDevice): readonly string[] =>
	pdus.map((pdu) => pdu.toString('hex')).filter((hex) => !hex.startsWith('030384'));

async function opened(
	t: ExecutionContext,
	points: readonly TemplatePoint[],
	{ device = createPduDevice(), ...more }: Partial<WriteBoxOptions> & { readonly device?: PduDevice } = {},
) {
	const server = await startDeviceServer(device, mbap);
	t.teardown(() => server.stop());
	return { memory: device, ...(await writeBox(t, server.port, { template: plain(points), ...more })) };
}

/** A device on which something happens after a request. */
function createMoodyDevice(after: (functionCode: number, device: PduDevice) => void): PduDevice {
	const device = createPduDevice();
	return {
		...device,
		answer(pdu) {
			const answer = device.answer(pdu);
			after(pdu.readUInt8(0), device);
			return answer;
		},
	};
}

const written: readonly (readonly [
	what: string,
	points: readonly TemplatePoint[],
	payload: CommandPayload,
	requests: readonly string[],
])[] = [
	['a coil by 5', [target('a', 3, {}, COIL)], { point: 'a', value: false }, ['0500030000']],
	['a coil by 15', [target('a', 4, { function: 15 }, COIL)], { point: 'a', value: true }, ['0f000400010101']],
	['a register by 6', [target('a', 10, {})], { point: 'a', value: 300 }, ['06000a012c']],
	['a register by 16', [target('a', 10, { function: 16 })], { point: 'a', value: 300 }, ['10000a000102012c']],
	['a register by 23', [target('a', 10, { function: 23 })], { point: 'a', value: 300 }, ['17000a0001000a000102012c']],
	['a whole register by 22', [target('a', 10, { function: 22 })], { point: 'a', value: 300 }, ['16000a0000012c']],
	[
		'a float by 16, in the order of its bytes',
		[target('a', 20, {}, { type: 'float32', count: 2, byteOrder: 'CDAB' })],
		{ point: 'a', value: 1 },
		['10001400020400003f80'],
	],
	[
		'a number of 64 bits as text',
		[target('a', 20, {}, { type: 'uint64', count: 4, byteOrder: 'ABCDEFGH' })],
		{ point: 'a', value: '18446744073709551615' },
		['100014000408ffffffffffffffff'],
	],
	[
		'a text',
		[target('a', 20, {}, { type: 'string', count: 2 })],
		{ point: 'a', value: 'abc' },
		['10001400020461626300'],
	],
	['a value elsewhere than it is read', [target('a', 20, { address: 30 })], { point: 'a', value: 1 }, ['06001e0001']],
	[
		'an input register by the holding register that sets it',
		[target('a', 20, { address: 30 }, { functionCode: 4 })],
		{ point: 'a', value: 1 },
		['06001e0001'],
	],
	['a bit by 22', [target('a', 10, { function: 22 }, BIT)], { point: 'a', value: true }, ['16000afff70008']],
	[
		'a half of a register by 22',
		[target('a', 10, { function: 22 }, { type: 'uint8h' })],
		{ point: 'a', value: 18 },
		['16000a00ff1200'],
	],
	[
		'a field of bits by 22',
		[target('a', 10, { function: 22 }, { slice: { first: 4, count: 4 } })],
		{ point: 'a', value: 9 },
		['16000aff0f0090'],
	],
	[
		'a bit of a register that is read, written as a whole, and read back',
		[target('a', 10, { function: 6 }, BIT)],
		{ point: 'a', value: true },
		['03000a0001', '06000a004e', '03000a0001'],
	],
	[
		'a field of bits over two registers that are read before',
		[target('a', 10, { function: 16 }, { ...LONG, slice: { first: 12, count: 8 } })],
		{ point: 'a', value: 255 },
		['03000a0002', '10000a000204004ff04d', '03000a0002'],
	],
	[
		'several points, one after the other',
		[target('a', 10, {}), target('b', 12, {})],
		{
			points: [
				{ point: 'b', value: 1 },
				{ point: 'a', value: 2 },
			],
		},
		['06000c0001', '06000a0002'],
	],
	[
		'a block that is given whole in one request',
		[target('a', 10, { block: 'x' }), target('b', 11, { block: 'x' }, LONG)],
		{
			points: [
				{ point: 'b', value: 65_537 },
				{ point: 'a', value: 2 },
			],
		},
		['10000a000306000200010001'],
	],
	[
		'a part of a block with the rest as it is',
		[target('a', 10, { block: 'x' }), target('b', 11, { block: 'x' }, LONG)],
		{ point: 'a', value: 2 },
		['03000a0003', '10000a0003060002004d0054', '03000a0001'],
	],
	[
		'a bit of a block with its neighbours as they are',
		[target('a', 10, { block: 'x' }, BIT), target('b', 11, { block: 'x' })],
		{
			points: [
				{ point: 'a', value: true },
				{ point: 'b', value: 5 },
			],
		},
		['03000a0002', '10000a000204004e0005', '03000a0001', '03000b0001'],
	],
	[
		'a block of coils by 15, the missing one as it is',
		[target('a', 3, { block: 'x' }, COIL), target('b', 4, { block: 'x' }, COIL), target('c', 5, { block: 'x' }, COIL)],
		{
			points: [
				{ point: 'b', value: true },
				{ point: 'c', value: false },
			],
		},
		['0100030003', '0f000300030103', '0100040001', '0100050001'],
	],
	[
		'a block by 23, which brings what is then held',
		[target('a', 10, { block: 'x', function: 23, verify: true }), target('b', 11, { block: 'x', verify: true })],
		{
			points: [
				{ point: 'a', value: 1 },
				{ point: 'b', value: 2 },
			],
		},
		['17000a0002000a00020400010002'],
	],
	[
		'a value that is verified',
		[target('a', 10, { verify: true })],
		{ point: 'a', value: 1 },
		['06000a0001', '03000a0001'],
	],
];
for (const [what, points, payload, requests] of written)
	test(`writes ${what}`, async (t) => {
		const { write, memory } = await opened(t, points);
		t.like(await write(payload), { status: 'executed', error: null });
		t.deepEqual(asked(memory), requests);
	});

test('a scaled value is written by the scale factor that the device has now, and not without one', async (t) => {
	const points = [
		target('a', 10, { verify: true }, { scaleFactor: 'sf' }),
		point('sf', 5, { type: 'int16', poll: 'on-demand' }),
	];
	const { write, memory } = await opened(t, points);
	memory.registers[5] = 0xffff;
	const done = await write({ point: 'a', value: 12.5 });
	t.like(done, { status: 'executed', error: null });
	t.deepEqual(done.result, { points: [{ point: 'a', value: 12.5, read: 12.5 }] });
	t.is(memory.registers[10], 125);
	memory.registers[5] = 0;
	const between = await write({ point: 'a', value: 12.5 });
	t.is(between.status, 'failed');
	t.regex(between.error ?? '', /^payload.value: must be .*found 12.5; nothing was written$/);
	memory.registers[5] = 0x8000;
	t.is((await write({ point: 'a', value: 12.5 })).error, 'scale factor sf holds no exponent; nothing was written');
	t.is(memory.registers[10], 125);
});

test('a mask write changes no bit of its neighbours', async (t) => {
	const { write, memory } = await opened(t, [
		target('low', 10, { function: 22 }, { slice: { first: 0, count: 4 } }),
		target('flag', 10, { function: 22 }, { type: 'bit', bit: 15 }),
	]);
	memory.registers[10] = 0x7a5f;
	await write({
		points: [
			{ point: 'low', value: 3 },
			{ point: 'flag', value: true },
		],
	});
	t.is(memory.registers[10], 0xfa53);
	await write({ point: 'flag', value: false });
	t.is(memory.registers[10], 0x7a53);
});

test('a value that the device changed is a failure with the value that it holds', async (t) => {
	const device = createMoodyDevice((functionCode, { registers }) => {
		if (functionCode === 6) registers[10] = 40;
	});
	const { write } = await opened(t, [target('a', 10, { verify: true }, { scale: 0.5 })], { device });
	const { status, error, result } = await write({ point: 'a', value: 25 });
	t.is(status, 'failed');
	t.is(error, 'the device took 25 for a, and holds 20');
	t.deepEqual(result, { points: [{ point: 'a', value: 25, read: 20 }] });
});

test('a value that cannot be read back was taken, and is not known to be held', async (t) => {
	const device = createMoodyDevice((functionCode, moody) => {
		if (functionCode === 6) moody.fail(2);
	});
	const { write } = await opened(t, [target('a', 10, { verify: true })], { device });
	const { status, error } = await write({ point: 'a', value: 25 });
	t.is(status, 'failed');
	t.regex(error ?? '', /^the device took a, which could not be read back: unit 1 refused function 3/);
});

test('the first write that fails ends the command, which tells what was written before', async (t) => {
	const points = [target('a', 10, {}), target('b', 2000, {}), target('c', 12, {})];
	const { write, memory } = await opened(t, points);
	const values = ['a', 'b', 'c'].map((key) => ({ point: key, value: 1 }));
	const { status, error, result } = await write({ points: values });
	t.is(status, 'failed');
	t.regex(error ?? '', /^a written; then unit 1 refused function 6 at address 2000/);
	t.deepEqual(result, { points: [{ point: 'a', value: 1 }] });
	t.deepEqual(asked(memory), ['06000a0001', '0607d00001']);
});

for (const [code, isKnown] of [
	[2, true],
	[6, true],
	[4, false],
	[5, false],
	[11, false],
] as const)
	test(`after exception ${code} it is ${isKnown ? '' : 'not '}known that the value was not taken, and it is not sent again`, async (t) => {
		const { write, memory } = await opened(t, [target('a', 10, {})]);
		await waitFor('the poll', 30_000, async () => memory.asked.length > 0);
		memory.fail(code);
		const { status, error } = await write({ point: 'a', value: 1 });
		t.is(status, 'failed');
		t.is(error?.endsWith('whether the device has taken the value is not known'), !isKnown);
		t.is(asked(memory).length, 1);
	});

test('nothing is written to a device that is locked out, and the command says why', async (t) => {
	const lockOut = { lockOf: () => ({ reason: 'Ada works on the pump until 14:00' }) };
	const { write, memory } = await opened(t, [target('a', 10, {})], { lockOut });
	const { status, error } = await write({ point: 'a', value: 1 });
	t.is(status, 'failed');
	t.is(error, 'the device is locked out: Ada works on the pump until 14:00');
	t.deepEqual(asked(memory), []);
});

test('a lock that is set while the registers are read stops the write', async (t) => {
	let isLocked = false;
	const device = createMoodyDevice((_functionCode, { asked: pdus }) => {
		isLocked ||= pdus.some((pdu) => pdu.toString('hex') === '03000a0001');
	});
	const lockOut = { lockOf: () => (isLocked ? { reason: 'somebody works on it' } : null) };
	const { write, memory } = await opened(t, [target('a', 10, { function: 6 }, BIT)], { device, lockOut });
	t.is((await write({ point: 'a', value: true })).error, 'the device is locked out: somebody works on it');
	t.deepEqual(asked(memory), ['03000a0001']);
});

test('a command whose time runs out while its registers are read is not written', async (t) => {
	const atRead: (() => void)[] = [];
	const device = createMoodyDevice((_functionCode, { asked: pdus }) => {
		if (pdus.at(-1)?.toString('hex') === '03000a0001') atRead.pop()?.();
	});
	const { write, memory, timer } = await opened(t, [target('a', 10, { function: 6 }, BIT)], { device });
	atRead.push(() => timer.clock.advance(3_600_000));
	const { status, error } = await write({ point: 'a', value: true });
	t.is(status, 'failed');
	t.regex(error ?? '', /^its time ran out \(until /);
	t.deepEqual(asked(memory), ['03000a0001']);
});

test('what ran out while the line was down is never written, what did not is', async (t) => {
	const box = await opened(t, [target('a', 10, {})], { isPolled: false });
	const { create, commands, timer, driver, device, memory } = box;
	const short = await create({ point: 'a', value: 1 }, 'write', 10_000);
	const long = await create({ point: 'a', value: 2 }, 'write', 60_000);
	timer.advance(11_000);
	await driver.apply([device]);
	await waitFor('the later one is written', 30_000, async () => commands.find(long.id)?.status === 'executed');
	await waitFor('the first one is expired', 30_000, async () => commands.find(short.id)?.status === 'expired');
	t.regex(commands.find(short.id)?.error ?? '', /could not be reached in time/);
	t.deepEqual(asked(memory), ['06000a0002']);
});

test('what ran out while the gateway was down is never written', async (t) => {
	const box = await opened(t, [target('a', 10, {})], { isPolled: false });
	const { create, reopen, timer, driver, device, memory, deliver, delivery } = box;
	const short = await create({ point: 'a', value: 1 }, 'write', 10_000);
	const long = await create({ point: 'a', value: 2 }, 'write', 60_000);
	await delivery.stop();
	const again = await reopen();
	timer.advance(11_000);
	const second = deliver(again);
	t.teardown(() => second.stop());
	await second.recover();
	await driver.apply([device]);
	second.wake(device.id);
	await waitFor('the later one is written', 30_000, async () => again.find(long.id)?.status === 'executed');
	t.not(again.find(short.id)?.status, 'executed');
	t.deepEqual(asked(memory), ['06000a0002']);
});

const when = (is: number) => ({ when: [{ option: 'model', is: [is] }] });

test('the points are those of the device, with its options and overrides', async (t) => {
	const points = [target('a', 10, {}, when(1)), target('a', 20, {}, when(2))];
	const options = [{ name: 'model', type: 'number', label: 'Model', default: 1 }] as const;
	const layer = { options: [{ name: 'model', value: 2 }], overrides: [{ point: 'a', max: 5 }] };
	const { write, create, memory } = await opened(t, [], { template: plain(points, { options }), layer });
	t.is((await write({ point: 'a', value: 5 })).status, 'executed');
	t.deepEqual(asked(memory), ['0600140005']);
	const fault = await t.throwsAsync(create({ point: 'a', value: 6 }), { instanceOf: Fault });
	t.regex(fault.message, /at most 5/);
});

const tenOfBlock = Array.from({ length: 10 }, (_, index) => target(`p${index}`, 100 + index, { block: 'x' }));

test('a block that the device cannot read at once is not put together from several reads', async (t) => {
	const { write, memory } = await opened(t, [], { template: plain(tenOfBlock, { maxRegistersPerRead: 5 }) });
	const { error } = await write({ point: 'p0', value: 1 });
	t.is(error, 'one read of the device carries 5, and 10 have to be kept; nothing was written');
	t.deepEqual(asked(memory), []);
});

const PYMODBUS = `
import asyncio, sys
from pymodbus.datastore import ModbusSequentialDataBlock as Block, ModbusSlaveContext as Slave, ModbusServerContext as Server
from pymodbus.server import StartAsyncTcpServer
slave = Slave(co=Block(0, [False] * 100), hr=Block(0, [0x00f0] * 100), zero_mode=True)
async def main():
    asyncio.get_running_loop().call_later(0.3, print, 'ready')
    await StartAsyncTcpServer(address=('127.0.0.1', int(sys.argv[1])), context=Server(slaves={1: slave}, single=False))
asyncio.run(main())
`;

test('pymodbus holds what was written by each function', async (t) => {
	if (!needs(t, 'pymodbus', hasPymodbus())) return;
	const port = await reservePort();
	await startPython(t, PYMODBUS, String(port));
	const verify = true;
	const points = [
		target('coil', 1, { verify }, COIL),
		target('coils', 2, { verify, function: 15 }, COIL),
		target('six', 10, { verify }),
		target('sixteen', 11, { verify }, LONG),
		target('exchange', 13, { verify, function: 23 }),
		target('bit', 14, { verify, function: 22 }, BIT),
		target('whole', 14, { verify }),
		target('kept', 15, { function: 6 }, BIT),
	];
	const { write } = await writeBox(t, port, { template: template([point('watch', 90), ...points]) });
	const values = { coil: true, coils: true, six: 7, sixteen: 70_000, exchange: 9, bit: true, kept: true };
	const all = Object.entries(values).map(([key, value]) => ({ point: key, value }));
	const { status, error, result } = await write({ points: all });
	t.is(error, null);
	t.is(status, 'executed');
	t.deepEqual(result, { points: all.map(({ point: key, value }) => ({ point: key, value, read: value })) });
	t.is((await write({ point: 'whole', value: 0x00f8 })).status, 'executed');
});
