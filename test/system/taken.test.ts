import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:net';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { listenOnLoopback } from '../../gateway/simulator/listen.ts';
import { startPtyPair } from '../../gateway/simulator/pty-pair.ts';
import { reservePort } from '../fake/reserved-port.ts';
import type { HullProcess } from './kit/hull-process.ts';
import { findPeer } from './kit/peer.ts';
import { readCounterDevices, templateWith, writeReadCounterTemplate } from './kit/read-counter.ts';
import { type Rest, claim, createRest, member } from './kit/rest.ts';
import { createStage } from './kit/stage.ts';
import { json, latestOf } from './kit/telemetry.ts';
import { waitFor } from './kit/wait-for.ts';

const SOON_MS = 45_000;
const DEVICE = 'counter-0-1';

const close = (server: Server): Promise<void> =>
	new Promise((resolve) => {
		server.close(() => resolve());
	});

/** Takes a port before the product does, which nobody else takes in between. */
async function squat(t: ExecutionContext) {
	const server = createServer();
	const port = await listenOnLoopback(server, await reservePort());
	const leave = () => close(server);
	t.teardown(leave);
	return { port, leave };
}

const hasFailedToListen = (hull: HullProcess, why: string): boolean =>
	hull
		.child()
		.lastLines()
		.some((line) => line.includes('listen-failed') && line.includes(why));

const hasValues = async (rest: Rest): Promise<boolean> =>
	typeof member(await latestOf(rest, DEVICE, 'reads'), 'value') === 'number';

const reasonOf = async (rest: Rest, component: string): Promise<unknown> =>
	member(member(await json(rest, '/health'), 'reasons'), component);

test.serial('an MQTT port that is taken is said in log and health, and is used as soon as it is free', async (t) => {
	t.timeout(300_000);
	const stage = createStage(t);
	const simulator = await stage.spawnSimulator('--mode', 'reads', '--tcp', '0:1');
	const { port, leave } = await squat(t);
	const gateway = await stage.spawnGateway({
		devices: readCounterDevices(simulator, 200),
		settings: { ...writeReadCounterTemplate(stage.folder), mqtt: { host: '127.0.0.1', port } },
	});
	const rest = await claim(gateway.url(), await gateway.claimCode());
	t.regex(String(await reasonOf(rest, 'mqtt')), new RegExp(`127\\.0\\.0\\.1:${port} is in use`));
	t.is(member(await json(rest, '/health'), 'mqtt'), 'disconnected');
	t.true(hasFailedToListen(gateway, String(port)));
	await waitFor('reading goes on', SOON_MS, () => hasValues(rest));
	t.is((await rest.get('/readiness')).status, 200);
	await leave();
	await waitFor('the port is used', SOON_MS, async () => member(await json(rest, '/health'), 'mqtt') === 'connected');
});

test.serial(
	'an HTTP port that is taken stops neither reading nor MQTT, and is used as soon as it is free',
	async (t) => {
		t.timeout(300_000);
		const stage = createStage(t);
		const simulator = await stage.spawnSimulator('--mode', 'reads', '--tcp', '0:1');
		const { port, leave } = await squat(t);
		const gateway = await stage.spawnGateway({
			devices: readCounterDevices(simulator, 200),
			settings: { ...writeReadCounterTemplate(stage.folder), http: { host: '127.0.0.1', port } },
		});
		t.true(hasFailedToListen(gateway, `127.0.0.1:${port} is in use`));
		await waitFor('the meter is read', SOON_MS, async () => {
			const counts = await simulator.control('counts');
			return Number(member(counts, 'answered')) >= 3;
		});
		await leave();
		const url = `http://127.0.0.1:${port}`;
		await waitFor('the port is used', SOON_MS, async () => (await createRest(url, null).get('/health')).status === 200);
		const rest = await claim(url, await gateway.claimCode());
		t.true(await hasValues(rest));
	},
);

/** Holds a serial port the way other programs do: with the exclusive lock of the terminal. */
function holdPort(path: string): ChildProcess {
	const script = `import fcntl, sys, termios, time\nport = open(sys.argv[1], 'r+b', buffering=0)\nfcntl.ioctl(port, termios.TIOCEXCL)\nfcntl.flock(port, fcntl.LOCK_EX)\nprint('held', flush=True)\ntime.sleep(600)`;
	return spawn('python3', ['-c', script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** A device on a serial line. */
const serial = (uid: string, path: string) => ({
	uid,
	name: uid,
	device_type: 'test',
	connection: {
		driver: 'modbus',
		line: { transport: 'rtu', path },
		unit_id: 1,
		template: 'read-counter',
		period_ms: 500,
	},
});

test.serial(
	'serial ports that are missing, taken or none are each said with their reason, and other lines work',
	async (t) => {
		if (findPeer(t, 'socat') === null || findPeer(t, 'python3') === null) return;
		t.timeout(300_000);
		const stage = createStage(t);
		const simulator = await stage.spawnSimulator('--mode', 'reads', '--tcp', '0:1');
		const pair = await startPtyPair(stage.folder, 'busy');
		if (pair === null) return t.fail('no pseudo-terminal');
		t.teardown(() => pair.stop());
		const holder = holdPort(pair.masterPath);
		t.teardown(() => {
			holder.kill('SIGKILL');
		});
		await new Promise((resolve) => {
			holder.stdout?.once('data', resolve);
		});
		const plainFile = join(stage.folder, 'no-port');
		writeFileSync(plainFile, '');
		const gateway = await stage.spawnGateway({
			devices: [
				...readCounterDevices(simulator, 200),
				serial('missing', join(stage.folder, 'gone')),
				serial('busy', pair.masterPath),
				serial('file', plainFile),
			],
			settings: writeReadCounterTemplate(stage.folder),
		});
		const rest = await claim(gateway.url(), await gateway.claimCode());
		const reasons = {
			missing: /does not exist.*ENOENT/,
			busy: new RegExp(`in use by python3.* \\(pid ${holder.pid}\\).*EBUSY`),
			file: /no-port/,
		};
		for (const [uid, reason] of Object.entries(reasons)) {
			const health = await waitFor(`the reason of ${uid}`, SOON_MS, async () => {
				const found = member(await json(rest, `/api/v1/devices/${uid}`), 'health');
				return member(found, 'state') === 'offline' && found;
			});
			t.regex(String(member(health, 'reason')), reason);
			t.log(`${uid}: ${String(member(health, 'reason'))}`);
		}
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the contract of this list
		const lines = (await json(rest, '/api/v1/lines')) as readonly object[];
		t.is(lines.length, 4);
		t.is(
			lines.filter((line) => member(line, 'state') === 'failed' && String(member(line, 'reason')) !== '').length,
			3,
			JSON.stringify(lines),
		);
		t.regex(String(await reasonOf(rest, 'lines')), /ENOENT/);
		await waitFor('the other line is read', SOON_MS, () => hasValues(rest));
		t.is((await rest.get('/readiness')).status, 200);

		holder.kill('SIGKILL');
		await waitFor('the port that is free again is open', SOON_MS * 2, async () => {
			const reason = member(member(await json(rest, '/api/v1/devices/busy'), 'health'), 'reason');
			return !String(reason).includes('EBUSY');
		});
	},
);

/** A point of two registers. */
const point = (key: string, address: number) => ({
	key,
	name: key,
	function: 4,
	address,
	count: 2,
	type: 'uint32',
	byte_order: 'ABCD',
});

test.serial('templates that contradict themselves are told with their places, and the sound ones load', async (t) => {
	t.timeout(300_000);
	const stage = createStage(t);
	const simulator = await stage.spawnSimulator('--mode', 'reads', '--tcp', '0:1');
	const settings = writeReadCounterTemplate(stage.folder);
	mkdirSync(settings.templates.folder, { recursive: true });
	writeFileSync(
		join(settings.templates.folder, 'overlapping.json'),
		templateWith([point('one', 10), point('two', 11)]),
	);
	writeFileSync(join(settings.templates.folder, 'beyond.json'), templateWith([point('far', 65_535)]));
	writeFileSync(join(settings.templates.folder, 'torn.json'), '{"manufacturer": "Te');
	const [good] = readCounterDevices(simulator, 200);
	const broken = {
		uid: 'broken',
		name: 'broken',
		device_type: 'test',
		connection: { ...good?.connection, template: 'overlapping' },
	};
	const gateway = await stage.spawnGateway({ devices: [...readCounterDevices(simulator, 200), broken], settings });
	const rest = await claim(gateway.url(), await gateway.claimCode());
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the contract of this list
	const templates = (await json(rest, '/api/v1/templates')) as readonly object[];
	const mistakesOf = (key: string): string =>
		JSON.stringify(
			member(
				templates.find((template) => member(template, 'key') === key),
				'mistakes',
			),
		);
	t.regex(mistakesOf('overlapping'), /points\[1\]\.address.*overlaps one/);
	t.regex(mistakesOf('beyond'), /points\[0\]\.address.*65535/);
	t.regex(mistakesOf('torn'), /JSON|Unterminated/);
	t.is(mistakesOf('read-counter'), '[]');
	t.is(mistakesOf('eastron-sdm630'), '[]');
	t.regex(String(await reasonOf(rest, 'templates')), /mistakes/);
	t.true(
		gateway
			.child()
			.lastLines()
			.some((line) => line.includes('template-refused') && line.includes('overlapping')),
	);
	const health = member(await json(rest, '/api/v1/devices/broken'), 'health');
	t.regex(String(member(health, 'reason')), /template overlapping/);
	await waitFor('the sound device is read', SOON_MS, () => hasValues(rest));
});
