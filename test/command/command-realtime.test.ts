import test, { type ExecutionContext } from 'ava';
import type { Socket } from 'socket.io-client';

import type { AuditEvent } from '../../core/audit/audit.ts';
import { createCommandRealtime } from '../../core/command/command-realtime.ts';
import { systemTimer } from '../../core/journal/set-timer.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { deviceUid } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { userIdOf } from '../fake/bare-server.ts';
import { commandBox } from '../fake/command-box.ts';
import { deviceBox } from '../fake/device-box.ts';
import { passOf, realtimeBox } from '../fake/realtime-box.ts';
import { member } from '../system/kit/rest.ts';

async function opened(t: ExecutionContext, devicesPerClient = 1_000) {
	const box = await deviceBox();
	const queue = await commandBox();
	const server = await realtimeBox({ tokenCheckMs: 20 }, { clock: systemClock, setTimer: systemTimer });
	const { realtime, passes } = server;
	passes.set('manager', passOf('manager')).set('viewer', passOf('viewer')).set('owner', passOf('user'));
	const audited: AuditEvent[] = [];
	const part = createCommandRealtime({
		realtime,
		commands: queue.commands,
		devices: box.devices,
		audit: { record: async (event) => void audited.push(event), refused: (event) => void audited.push(event) },
		log: silentLog,
		devicesPerClient,
	});
	box.devices.listen(part.device);
	const pump = await box.devices.register({ uid: deviceUid('pump'), name: 'Pump', deviceType: 'pump' });
	const own = await box.devices.register({
		uid: deviceUid('own'),
		name: 'Own',
		deviceType: 'pump',
		ownerId: userIdOf('user'),
	});
	const client = (token: string): Socket => server.client(token, '/device');
	t.teardown(async () => {
		await server.close();
		await queue.close();
		await box.close();
	});
	return { ...queue, devices: box.devices, part, client, pump, own, passes, audited };
}

const ask = (socket: Socket, payload: unknown): Promise<unknown> =>
	socket.timeout(5_000).emitWithAck('send_command', payload);

const codeOf = (answer: unknown): unknown => member(answer, 'error_code');

test('a command is queued and acknowledged, as a text or as an object', async (t) => {
	const { client, commands, audited } = await opened(t);
	const manager = client('manager');
	const text = await ask(manager, { device_uid: 'pump', command: 'restart' });
	t.like(text, { success: true, status: 'pending' });
	const object = await ask(manager, { device_uid: 'pump', command: { action: 'open', payload: { by: 3 } } });
	t.like(commands.find(String(member(text, 'command_id'))), { name: 'restart', payload: {} });
	t.like(commands.find(String(member(object, 'command_id'))), { name: 'open', payload: { by: 3 } });
	t.like(audited[0], {
		action: 'send_command',
		outcome: 'done',
		actor: { userId: userIdOf('manager'), email: 'manager@example.com' },
		target: member(text, 'command_id'),
	});
});

test('who may not command a device is told so, and so is who does not see it', async (t) => {
	const { client, commands, audited } = await opened(t);
	t.is(codeOf(await ask(client('viewer'), { device_uid: 'pump', command: 'restart' })), 'PERMISSION_DENIED');
	t.is(codeOf(await ask(client('owner'), { device_uid: 'pump', command: 'restart' })), 'RESOURCE_NOT_FOUND');
	t.like(await ask(client('owner'), { device_uid: 'own', command: 'restart' }), { success: true });
	t.is(codeOf(await ask(client('manager'), { device_uid: 'none', command: 'restart' })), 'RESOURCE_NOT_FOUND');
	t.is(commands.open().length, 1);
	t.deepEqual(
		audited.map(({ outcome }) => outcome),
		['refused', 'refused', 'done', 'refused'],
	);
	t.regex(audited[0]?.reason ?? '', /^PERMISSION_DENIED: /);
});

test('what is no command is refused, whatever it is', async (t) => {
	const { client, commands } = await opened(t);
	const manager = client('manager');
	const payloads: readonly unknown[] = [
		null,
		1,
		'pump',
		[],
		{},
		{ device_uid: 'pump' },
		{ device_uid: 'pump', command: '' },
		{ device_uid: 'pump', command: { payload: {} } },
		{ device_uid: 'pump', command: { action: 'a', payload: [] } },
		{ device_uid: 'pump', command: { action: 'a', payload: { text: 'x'.repeat(5_000) } } },
		{ device_uid: '../pump', command: 'a' },
		JSON.parse('{"device_uid": "pump", "command": {"action": "a", "payload": {"a": {"__proto__": {"b": 1}}}}}'),
	];
	for (const payload of payloads)
		t.is(codeOf(await ask(manager, payload)), 'VALIDATION_ERROR', JSON.stringify(payload));
	manager.emit('send_command');
	t.is(codeOf(await ask(manager, undefined)), 'VALIDATION_ERROR');
	t.deepEqual(commands.open(), []);
});

test('the answer of a device reaches the connections that commanded it and nobody else', async (t) => {
	const { client, part, pump, own } = await opened(t);
	const [one, other, idle] = [client('manager'), client('manager'), client('manager')];
	const heard: string[] = [];
	const hears = (who: string, socket: Socket): void => void socket.on('device_response', () => heard.push(who));
	hears('one', one);
	hears('other', other);
	hears('idle', idle);
	await ask(one, { device_uid: 'pump', command: 'restart' });
	await ask(other, { device_uid: 'own', command: 'restart' });
	await ask(idle, { device_uid: 'none', command: 'restart' });
	const answered = new Promise((resolve) => one.once('device_response', resolve));
	part.response(pump, { command_id: 'c', status: 'executed' });
	t.like(await answered, { device_uid: 'pump', data: { command_id: 'c', status: 'executed' } });
	const otherAnswered = new Promise((resolve) => other.once('device_response', resolve));
	part.response(own, { command_id: 'd' });
	await otherAnswered;
	t.deepEqual(heard, ['one', 'other']);
});

test('who has lost the right meanwhile hears no answer', async (t) => {
	const { client, part, pump, passes } = await opened(t);
	const [manager, witness] = [client('manager'), client('second')];
	passes.set('second', passOf('admin'));
	witness.connect();
	await ask(manager, { device_uid: 'pump', command: 'restart' });
	await ask(witness, { device_uid: 'pump', command: 'restart' });
	const heard: unknown[] = [];
	manager.on('device_response', (event) => heard.push(event));
	passes.set('manager', passOf('viewer'));
	// A refusal says that the connection has the rights of a viewer by now.
	while (codeOf(await ask(manager, { device_uid: 'pump', command: 'restart' })) !== 'PERMISSION_DENIED');
	const seen = new Promise((resolve) => witness.once('device_response', resolve));
	part.response(pump, { command_id: 'c' });
	await seen;
	await ask(manager, {});
	t.deepEqual(heard, []);
});

test('a connection commands so many devices and no more', async (t) => {
	const { client } = await opened(t, 1);
	const manager = client('manager');
	t.like(await ask(manager, { device_uid: 'pump', command: 'a' }), { success: true });
	t.like(await ask(manager, { device_uid: 'pump', command: 'b' }), { success: true });
	t.is(codeOf(await ask(manager, { device_uid: 'own', command: 'a' })), 'BUSINESS_RULE_VIOLATION');
});
