import test from 'ava';

import { connectMqtt } from './kit/mqtt-client.ts';
import { openScene, type Scene } from './kit/scene.ts';

let scene: Scene;

test.before('a gateway', async () => {
	scene = await openScene('gateway');
});
test.after.always('the gateway ends', () => scene.stop());

test.serial('nobody is let in without a login, with a wrong password, or with a login of the REST API', async (t) => {
	const { login } = await scene.newDevice();
	const { email, password } = await scene.stage.people.of('admin');
	for (const options of [
		{},
		{ username: login.username },
		{ ...login, password: 'wrong' },
		{ ...login, username: 'no-such-device' },
		{ username: email, password },
	])
		await t.throwsAsync(connectMqtt(scene.field.box.mqttPort, options), { message: /Not authorized|Bad username/ });
});

const FOREIGN = ['telemetry', 'status', 'log', 'response', 'command', 'config', 'ota'];

test.serial('a device speaks below its own address only, and not on the topics of the server', async (t) => {
	const victim = await scene.newDevice();
	const hearing = await scene.mqtt(victim);
	await hearing.subscribe(`devices/${victim.uid}/#`);
	for (const topic of FOREIGN) {
		const intruder = await scene.newDevice();
		const peer = await scene.mqtt(intruder);
		const message = { temperature: 99, status: 'offline' };
		await t.throwsAsync(peer.publish(`devices/${victim.uid}/${topic}`, message), { message: /closed/ }, topic);
	}
	for (const topic of ['command', 'config', 'ota']) {
		const device = await scene.newDevice();
		const peer = await scene.mqtt(device);
		await t.throwsAsync(
			peer.publish(`devices/${device.uid}/${topic}`, { action: 'restart' }),
			{ message: /closed/ },
			topic,
		);
	}
	const honest = await scene.mqtt(victim);
	await honest.publish(`devices/${victim.uid}/telemetry`, { marker: 1 });
	const body = await scene.until('the marker', `/devices/${victim.uid}/telemetry`, (records) =>
		Array.isArray(records) ? records.length > 0 : false,
	);
	t.is(Array.isArray(body) ? body.length : null, 1);
	t.deepEqual(
		hearing.heard.all().filter(({ payload }) => JSON.stringify(payload).includes('99')),
		[],
	);
});

test.serial('a device hears below its own address only', async (t) => {
	const { uid } = await scene.newDevice();
	for (const filter of [`devices/${uid}/telemetry`, 'devices/#', 'devices/+/command', '#', '+/+/+', '$SYS/#']) {
		const peer = await scene.mqtt(await scene.newDevice());
		await t.throwsAsync(peer.subscribe(filter), undefined, filter);
	}
});

test.serial('a login that is renewed ends the connection of the one before', async (t) => {
	const device = await scene.newDevice();
	await scene.mqtt(device);
	const { status } = await scene.field.callAs('manager', 'POST', `/devices/${device.uid}/mqtt-credentials`);
	t.is(status, 201);
	await t.throwsAsync(connectMqtt(scene.field.box.mqttPort, device.login), { message: /Not authorized|Bad username/ });
});
