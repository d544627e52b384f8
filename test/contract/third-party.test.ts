import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { lacks, run } from '../fake/peer-program.ts';
import { member } from '../system/kit/rest.ts';
import { connectMqtt } from './kit/mqtt-client.ts';
import { connectRealtime } from './kit/realtime-client.ts';
import { openStage } from './kit/open-stage.ts';
import type { Stage } from './kit/stage.ts';
import { type FieldDevice, openScene, type Scene } from './kit/scene.ts';

let scene: Scene;
let hub: Stage;
let folder: string;

test.before('a gateway and a hub', async () => {
	folder = mkdtempSync(join(tmpdir(), 'drawbridge-third-party-'));
	scene = await openScene('gateway');
	hub = await openStage('hub', { clockShiftMs: 0 });
});
test.after.always('both end', async () => {
	await scene.stop();
	await hub.box.stop();
	rmSync(folder, { recursive: true, force: true });
});

const MARK = '\nstatus=';

/** One call of curl: status and JSON. */
async function curl(...args: readonly string[]): Promise<{ readonly status: number; readonly body: unknown }> {
	const { code, out, err } = await run('curl', [
		'--silent',
		'--show-error',
		'--max-time',
		'10',
		'--write-out',
		`${MARK}%{http_code}`,
		...args,
	]);
	if (code !== 0) throw new Error(`curl ended with ${code}: ${err}`);
	const [text = '', status = ''] = out.split(MARK);
	return { status: Number(status), body: text === '' ? null : JSON.parse(text) };
}

const jsonBody = (payload: object): readonly string[] => [
	'--header',
	'Content-Type: application/json',
	'--data',
	JSON.stringify(payload),
];

const STAGES = { gateway: () => scene.stage, hub: () => hub };

/** Login, list, create, create once more, with curl. */
async function useRest(t: ExecutionContext, { people }: Stage, base: string, trust: readonly string[]): Promise<void> {
	const { email, password } = await people.another('manager');
	const login = await curl(...trust, ...jsonBody({ email, password }), `${base}/auth/login`);
	t.is(login.status, 200);
	const bearer = [...trust, '--header', `Authorization: Bearer ${String(member(login.body, 'access_token'))}`];
	const listed = await curl(...bearer, `${base}/devices?page=1&size=5`);
	t.is(listed.status, 200);
	t.is(member(listed.body, 'size'), 5);
	const uid = trust.length === 0 ? 'by-curl' : 'by-curl-over-tls';
	const device = { device_uid: uid, name: '1층 온도센서', device_type: 'temperature' };
	const created = await curl(...bearer, ...jsonBody(device), `${base}/devices`);
	t.is(created.status, 201);
	t.like(created.body, device);
	const again = await curl(...bearer, ...jsonBody(device), `${base}/devices`);
	t.is(again.status, 409);
	t.like(again.body, { error_code: 'DUPLICATE_ENTRY' });
	const refused = await curl(...trust, `${base}/devices`);
	t.is(refused.status, 401);
}

/** The root of the box, downloaded as a person does. */
async function downloadRoot({ box }: Stage): Promise<string> {
	const file = join(folder, `${box.role}-root.pem`);
	const url = `http://127.0.0.1:${box.httpPort}/api/v1/certificate-authority`;
	const { code, err } = await run('curl', ['--silent', '--show-error', '--fail', '--output', file, url]);
	if (code !== 0) throw new Error(err);
	return file;
}

for (const [role, stageOf] of Object.entries(STAGES)) {
	test.serial(`curl logs in at a ${role}, lists and creates devices, and is told of a duplicate`, async (t) => {
		if (lacks(t, 'curl')) return;
		await useRest(t, stageOf(), `http://127.0.0.1:${stageOf().box.httpPort}/api/v1`, []);
	});

	test.serial(`curl does the same at a ${role} over TLS, trusting the downloaded root only`, async (t) => {
		if (lacks(t, 'curl')) return;
		const base = `https://127.0.0.1:${stageOf().box.httpsPort}/api/v1`;
		await useRest(t, stageOf(), base, ['--cacert', await downloadRoot(stageOf())]);
		const stranger = await run('curl', ['--silent', `${base}/system/health`]);
		t.is(stranger.code, 60, 'a certificate that nobody vouches for');
	});
}

type Wire = readonly string[];

const plainWire = (): Wire => ['-h', '127.0.0.1', '-p', String(scene.field.box.mqttPort)];
const tlsWire = (root: string): Wire => [
	'-h',
	'127.0.0.1',
	'-p',
	String(scene.field.box.mqttTlsPort),
	'--cafile',
	root,
];
const asDevice = ({ login }: FieldDevice): Wire => ['-u', login.username, '-P', login.password];

/** The first JSON message that `mosquitto_sub` hears; `say` makes it happen, again and again, until it does. */
async function firstHeard(args: readonly string[], say: () => Promise<unknown>): Promise<unknown> {
	const child = spawn('mosquitto_sub', ['-C', '1', '-W', '20', ...args]);
	let out = '';
	child.stdout.on('data', (piece: Buffer) => (out += piece.toString()));
	const ended = once(child, 'exit');
	try {
		// Nobody tells when the subscription stands.
		while (child.exitCode === null) await say();
	} finally {
		child.kill();
	}
	await ended;
	return JSON.parse(out);
}

/** Telemetry with mosquitto_pub, heard by a reader with mosquitto_sub, and a command heard by the device. */
async function useMqtt(t: ExecutionContext, wire: Wire, reader: string): Promise<void> {
	const device = await scene.newDevice();
	const topic = `devices/${device.uid}/telemetry`;
	const { body: login } = await scene.field.callAs('manager', 'POST', '/mqtt/readers', { name: reader });
	const asReader = ['-u', String(member(login, 'username')), '-P', String(member(login, 'password'))];
	const heard = await firstHeard([...wire, ...asReader, '-t', topic], async () => {
		const { code, err } = await run('mosquitto_pub', [
			...wire,
			...asDevice(device),
			'-q',
			'1',
			'-t',
			topic,
			'-m',
			'{"temperature":23.5}',
		]);
		t.is(code, 0, err);
	});
	t.like(heard, { temperature: 23.5 });
	const { body: records } = await scene.stage.callAs('viewer', 'GET', `/devices/${device.uid}/telemetry?limit=1`);
	t.like(member(records, '0'), { payload: { temperature: 23.5 } });

	const id = await scene.stage.newCommand(device.uid);
	const command = await run(
		'mosquitto_sub',
		[...wire, ...asDevice(device), '-C', '1', '-W', '10', '-t', `devices/${device.uid}/command`],
		15_000,
	);
	t.like(JSON.parse(command.out), { action: 'restart', command_id: id });
}

test.serial('mosquitto_pub publishes as the device, mosquitto_sub reads and takes a command', async (t) => {
	if (lacks(t, 'mosquitto_pub')) return;
	await useMqtt(t, plainWire(), 'panel');
});

test.serial('both do the same over TLS, trusting the downloaded root only', async (t) => {
	if (lacks(t, 'mosquitto_pub') || lacks(t, 'curl')) return;
	await useMqtt(t, tlsWire(await downloadRoot(scene.stage)), 'panel-tls');
});

for (const { name, options } of [
	{ name: 'MQTT 3.1.1', options: { protocolVersion: 4, protocolId: 'MQTT' } },
	{ name: 'MQTT 3.1', options: { protocolVersion: 3, protocolId: 'MQIsdp' } },
] as const) {
	test.serial(`the mqtt library speaks ${name}: telemetry up, a command down, its answer up`, async (t) => {
		const device = await scene.newDevice();
		const peer = await connectMqtt(scene.field.box.mqttPort, { ...options, ...device.login });
		t.teardown(() => peer.close());
		await peer.subscribe(`devices/${device.uid}/command`);
		await peer.publish(`devices/${device.uid}/telemetry`, { temperature: 23.5 });
		const id = await scene.stage.newCommand(device.uid);
		const { payload } = await peer.heard.next('the command', (one) => member(one.payload, 'command_id') === id);
		t.like(payload, { action: 'restart' });
		await peer.publish(`devices/${device.uid}/response`, { command_id: id, status: 'executed' });
		await scene.until(
			'executed',
			`/devices/${device.uid}/commands`,
			(body) => member(member(body, '0'), 'status') === 'executed',
		);
		const { body } = await scene.stage.callAs('viewer', 'GET', `/devices/${device.uid}/telemetry?limit=200`);
		t.true(JSON.stringify(body).includes('"temperature":23.5'));
	});
}

for (const transport of ['websocket', 'polling']) {
	test.serial(`socket.io-client over ${transport} subscribes, hears telemetry and sends a command`, async (t) => {
		const device = await scene.newDevice();
		const { accessToken } = await scene.stage.people.of('manager');
		const open = (namespace: string) =>
			connectRealtime({
				port: scene.stage.box.httpPort,
				namespace,
				options: { auth: { token: accessToken }, transports: [transport] },
			});
		const monitoring = await open('/monitoring');
		const commands = await open('/device');
		t.teardown(() => {
			monitoring.close();
			commands.close();
		});
		t.like(await monitoring.ask('subscribe_device', { device_uid: device.uid }), { success: true });
		const peer = await scene.mqtt(device);
		await peer.publish(`devices/${device.uid}/telemetry`, { temperature: 23.5 });
		const { payload } = await monitoring.heard.next('telemetry', ({ event }) => event === 'telemetry');
		t.is(member(member(payload, 'data'), 'temperature'), 23.5);
		t.like(await commands.ask('send_command', { device_uid: device.uid, command: 'restart' }), { status: 'pending' });
	});
}
