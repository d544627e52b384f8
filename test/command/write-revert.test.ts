import test, { type ExecutionContext } from 'ava';

import type { Command, CommandPayload } from '../../core/command/command.ts';
import type { CommandService } from '../../core/command/command-service.ts';
import type { Device } from '../../core/device/device.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { createWriteRevert } from '../../gateway/command/write-revert.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { commandBox, draftOfCommand } from '../fake/command-box.ts';
import { startDeviceServer } from '../fake/device-server.ts';
import { deviceOf } from '../fake/device-box.ts';
import { mbap } from '../fake/framings.ts';
import { createPduDevice } from '../fake/pdu-device.ts';
import { point, template } from '../fake/plain-plan.ts';
import { writeBox } from '../fake/write-box.ts';
import { target } from '../fake/write-target.ts';
import { waitFor } from '../system/kit/wait-for.ts';

const MANAGER = actorOfRole('manager');
const SECONDS = 60;
const limit = target('limit', 10, { revert: { value: 0, seconds: SECONDS } });
const MODEL = template([point('watch', 900), limit, target('other', 11, {})]);

/** The queue of a device, whose writes end as the test says. */
async function queueBox(t: ExecutionContext) {
	const queue = await commandBox();
	const { timer } = queue;
	const device = deviceOf(1, 'battery', {
		connection: {
			driver: 'modbus',
			line: { transport: 'tcp', host: '127.0.0.1', port: 502 },
			unitId: 1,
			template: MODEL.key,
			periodMs: 1_000,
			timeoutMs: 100,
		},
	});
	let life = queue.commands;
	const watching = (commands: CommandService) => {
		const reverts = createWriteRevert({
			commands,
			devices: { find: (id: string): Device | null => (id === device.id ? device : null), all: () => [device] },
			template: (key) => (key === MODEL.key ? MODEL : null),
			clock: timer.clock,
			setTimer: timer.setTimer,
			log: silentLog,
		});
		life = commands;
		commands.listen(reverts);
		return reverts;
	};
	let reverts = watching(life);
	t.teardown(async () => {
		await reverts.stop();
		await queue.close();
	});
	const open = (): readonly Command[] => life.open(device.id);
	const end = async (id: string, change: Parameters<CommandService['advance']>[1] = { status: 'executed' }) => {
		await life.advance(id, { status: 'sent' });
		await life.advance(id, change);
	};
	const queued = (payload: CommandPayload) => life.create(device, draftOfCommand('write', { payload }), MANAGER);
	return {
		open,
		end,
		queued,
		write: async (value: number, key = 'limit') => end((await queued({ point: key, value })).id),
		/** Moves the clock and lets what came due reach the queue. */
		pass: async (seconds: number) => {
			timer.advance(seconds * 1000);
			await new Promise(setImmediate);
			// The queue works in turns: what came due is on its disk before this is answered.
			await life.advance('none', {});
			return open().map(({ payload, actor }) => ({ payload, email: actor.email }));
		},
		restart: async () => {
			await reverts.stop();
			reverts = watching(await queue.reopen());
			return reverts;
		},
	};
}

const SAFE = { payload: { points: [{ point: 'limit', value: 0 }] }, email: 'gateway' };

test('a setpoint that nobody writes again goes back to its safe value, once', async (t) => {
	const { write, pass, open, end } = await queueBox(t);
	await write(50);
	t.deepEqual(await pass(SECONDS - 1), []);
	t.deepEqual(await pass(1), [SAFE]);
	await end(open()[0]?.id ?? '');
	t.deepEqual(await pass(10 * SECONDS), []);
});

test('each write keeps it alive, that of another point does not, and a person who writes the safe value ends it', async (t) => {
	const { write, pass } = await queueBox(t);
	await write(50);
	t.deepEqual(await pass(40), []);
	await write(50);
	t.deepEqual(await pass(40), []);
	await write(7, 'other');
	t.deepEqual(await pass(20), [SAFE]);
	const again = await queueBox(t);
	await again.write(50);
	await again.write(0);
	t.deepEqual(await again.pass(10 * SECONDS), []);
});

test('a write that failed keeps nothing alive, and may have been taken', async (t) => {
	const { write, pass, queued, end, open } = await queueBox(t);
	await write(50);
	t.deepEqual(await pass(40), []);
	await end((await queued({ point: 'limit', value: 60 })).id, { status: 'failed', error: 'no answer' });
	t.deepEqual(await pass(20), [SAFE]);
	await end(open()[0]?.id ?? '');
	await end((await queued({ point: 'limit', value: 60 })).id, { status: 'failed', error: 'no answer' });
	t.deepEqual(await pass(SECONDS - 1), []);
	t.deepEqual(await pass(1), [SAFE]);
});

test('a newer value that waits in the queue is not overtaken', async (t) => {
	const { write, pass, queued, end } = await queueBox(t);
	await write(50);
	const newer = await queued({ point: 'limit', value: 60 });
	t.is((await pass(2 * SECONDS)).length, 1, 'only the one that waits');
	await end(newer.id);
	t.deepEqual(await pass(SECONDS - 1), []);
	t.deepEqual(await pass(1), [SAFE]);
});

test('a revert that failed is made again, after a while that grows', async (t) => {
	const { write, pass, open, end } = await queueBox(t);
	await write(50);
	t.deepEqual(await pass(SECONDS), [SAFE]);
	await end(open()[0]?.id ?? '', { status: 'failed', error: 'the device is locked out' });
	t.deepEqual(await pass(29), []);
	t.deepEqual(await pass(1), [SAFE]);
	await end(open()[0]?.id ?? '', { status: 'failed', error: 'the device is locked out' });
	t.deepEqual(await pass(59), []);
	t.deepEqual(await pass(1), [SAFE]);
});

test('what was to be reverted while the gateway was down is reverted when it is back', async (t) => {
	const { write, pass, restart, open } = await queueBox(t);
	await write(50);
	await pass(30);
	const reverts = await restart();
	reverts.resume();
	t.deepEqual(await pass(29), []);
	t.deepEqual(await pass(1), [SAFE]);
	const later = await restart();
	later.resume();
	t.is((await pass(SECONDS)).length, 1, 'the revert that is in the queue is not made twice');
	t.is(open().length, 1);
});

test('the device itself gets its safe value', async (t) => {
	const device = createPduDevice();
	const server = await startDeviceServer(device, mbap);
	t.teardown(() => server.stop());
	const box = await writeBox(t, server.port, { template: MODEL });
	const reverts = createWriteRevert({
		commands: box.commands,
		devices: { find: () => box.device, all: () => [box.device] },
		template: () => MODEL,
		clock: box.timer.clock,
		setTimer: box.timer.setTimer,
		log: silentLog,
	});
	t.teardown(() => reverts.stop());
	box.commands.listen(reverts);
	t.is((await box.write({ point: 'limit', value: 50 })).status, 'executed');
	box.timer.advance(SECONDS * 1000);
	const written = () => device.asked.map((pdu) => pdu.toString('hex')).filter((hex) => hex.startsWith('06000a'));
	await waitFor('the safe value', 5_000, async () => written().length === 2);
	t.deepEqual(written(), ['06000a0032', '06000a0000']);
});
