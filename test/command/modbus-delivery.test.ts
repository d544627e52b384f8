import test from 'ava';

import type { Command } from '../../core/command/command.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { createSdm630Image } from '../../gateway/simulator/sdm630-image.ts';
import { createModbusSlave } from '../../gateway/simulator/modbus-slave.ts';
import { startTcpSlave } from '../../gateway/simulator/modbus-tcp-slave.ts';
import { readTemplates } from '../../config/template/template-schema.ts';
import { createFakeSlave, type SlaveRequest } from '../fake/modbus-slave.ts';
import { point, template } from '../fake/plain-plan.ts';
import { writeBox } from '../fake/write-box.ts';
import { waitFor } from '../system/kit/wait-for.ts';

const PLAIN = template(
	[
		point('setpoint', 10, { access: 'rw', min: 5, max: 30, scale: 0.5, type: 'int16' }),
		point('target', 20, { access: 'rw', type: 'float32', count: 2, byteOrder: 'CDAB' }),
		point('relay', 3, { access: 'rw', type: 'bool', functionCode: 1 }),
		point('serial', 40),
	],
	{ guardMs: 2 },
);

const isWrite = ({ functionCode }: SlaveRequest): boolean => [5, 6, 16].includes(functionCode);

test('a write reaches its register, scaled, in the order of the bytes, and is executed when the device says so', async (t) => {
	const slave = await createFakeSlave();
	t.teardown(() => slave.stop());
	const { write } = await writeBox(t, slave.port, { template: PLAIN });
	const done = await write({ point: 'setpoint', value: 21.5 });
	t.like(done, { status: 'executed', error: null });
	t.truthy(done.sentAt);
	t.is((await write({ point: 'target', value: 1 })).status, 'executed');
	t.is((await write({ point: 'relay', value: true })).status, 'executed');
	t.deepEqual(slave.requests.filter(isWrite), [
		{ unitId: 1, functionCode: 6, address: 10, count: 43 },
		{ unitId: 1, functionCode: 16, address: 20, count: 2, words: [0, 0x3f80] },
		{ unitId: 1, functionCode: 5, address: 3, count: 0xff00 },
	]);
});

test('writes go over the bus one after the other, in the order they were made', async (t) => {
	const slave = await createFakeSlave(() => ({ kind: 'data', delayMs: 5 }));
	t.teardown(() => slave.stop());
	const { create, commands } = await writeBox(t, slave.port, { template: PLAIN });
	for (let value = 5; value < 15; value += 1) await create({ point: 'setpoint', value });
	await waitFor('all are written', 30_000, async () => commands.open().length === 0);
	t.deepEqual(
		slave.requests.filter(isWrite).map(({ count }) => count / 2),
		Array.from({ length: 10 }, (_, index) => index + 5),
	);
});

test('an exception of the device is the reason of the failure, in words', async (t) => {
	const slave = await createFakeSlave((request) =>
		isWrite(request) ? { kind: 'exception', code: 3 } : { kind: 'data' },
	);
	t.teardown(() => slave.stop());
	const { write } = await writeBox(t, slave.port, { template: PLAIN });
	const { status, error } = await write({ point: 'setpoint', value: 20 });
	t.is(status, 'failed');
	t.is(
		error,
		'unit 1 refused function 6 at address 10, count 1: illegal data value: the device does not allow this count or value',
	);
});

for (const kind of ['silence', 'wrong-echo', 'wrong-function', 'wrong-transaction', 'drop-midway'] as const)
	test(`a write answered with ${kind} has failed, is not known to be without effect, and is not sent again`, async (t) => {
		const slave = await createFakeSlave((request) => (isWrite(request) ? { kind } : { kind: 'data' }));
		t.teardown(() => slave.stop());
		const { write } = await writeBox(t, slave.port, { template: PLAIN, timeoutMs: 300 });
		const { status, error } = await write({ point: 'target', value: 20 });
		t.is(status, 'failed');
		t.regex(error ?? '', /whether the device has taken the value is not known$/);
		slave.behave(() => ({ kind: 'data' }));
		t.is((await write({ point: 'setpoint', value: 20 })).status, 'executed');
		t.is(slave.requests.filter(isWrite).length, 2);
	});

test('a write waits for a line that is not open, and is not lost', async (t) => {
	const slave = await createFakeSlave();
	t.teardown(() => slave.stop());
	const { create, commands, driver, device } = await writeBox(t, slave.port, { template: PLAIN, isPolled: false });
	const { id } = await create({ point: 'setpoint', value: 20 });
	await new Promise((resolve) => setTimeout(resolve, 20));
	t.is(commands.find(id)?.status, 'pending');
	await driver.apply([device]);
	await waitFor('it is written', 30_000, async () => commands.find(id)?.status === 'executed');
});

test('a write that was under way when the gateway stopped is not done again, and one that waited is', async (t) => {
	const slave = await createFakeSlave();
	t.teardown(() => slave.stop());
	const { create, commands, delivery, driver, device } = await writeBox(t, slave.port, {
		template: PLAIN,
		isPolled: false,
	});
	const begun = await create({ point: 'setpoint', value: 20 });
	const waiting = await create({ point: 'setpoint', value: 21 });
	await commands.advance(begun.id, { status: 'sent' });
	await delivery.recover();
	t.is(commands.find(begun.id)?.status, 'failed');
	t.regex(commands.find(begun.id)?.error ?? '', /stopped during the write/);
	await driver.apply([device]);
	await waitFor('it is written', 30_000, async () => commands.find(waiting.id)?.status === 'executed');
	t.is(slave.requests.filter(isWrite).length, 1);
});

const refused: readonly (readonly [
	what: string,
	name: string,
	payload: Command['payload'],
	field: string,
	words: RegExp,
])[] = [
	[
		'another command',
		'restart',
		{},
		'command_name',
		/takes write with payload \{point, value\} or .*; found "restart"/,
	],
	['an unknown point', 'write', { point: 'none', value: 1 }, 'payload.point', /found "none"/],
	['a point that can only be read', 'write', { point: 'serial', value: 1 }, 'payload.point', /only be read/],
	['no value', 'write', { point: 'setpoint' }, 'payload.value', /be a number/],
	[
		'a value out of range',
		'write',
		{ point: 'setpoint', value: 31 },
		'payload.value',
		/at most 30 for point setpoint; found 31/,
	],
	['a value between two steps', 'write', { point: 'setpoint', value: 20.3 }, 'payload.value', /steps of 0.5/],
];
for (const [what, name, payload, field, words] of refused)
	test(`${what} is refused when the command is made`, async (t) => {
		const slave = await createFakeSlave();
		t.teardown(() => slave.stop());
		const { create } = await writeBox(t, slave.port, { template: PLAIN });
		const fault = await t.throwsAsync(create(payload, name), { instanceOf: Fault });
		t.is(fault.reason, 'rule-violation');
		t.is(fault.field, field);
		t.regex(fault.message, words);
	});

test('a setting of the simulated meter is written, and read back', async (t) => {
	const { templates } = await readTemplates('config/template');
	const sdm630 = templates.get('eastron-sdm630');
	if (sdm630 === undefined) throw new Error('the template of the meter is not there');
	const image = createSdm630Image(1);
	const slave = await startTcpSlave(createModbusSlave({ clock: systemClock, images: new Map([[1, image]]) }), 0);
	t.teardown(() => slave.stop());
	const { write } = await writeBox(t, slave.port, { template: sdm630 });
	t.is((await write({ point: 'demand_period', value: 30 })).status, 'executed');
	t.deepEqual(image.read(3, 2, 2, 0), Uint16Array.from([0x41f0, 0]));
});
