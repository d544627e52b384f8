import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';

import type { Line, SerialLine } from '../../config/connection/connection.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { deviceId, deviceUid } from '../../core/kernel/id.ts';
import type { RegisterScan, SerialMode, SerialSweep, TcpSweep } from '../../gateway/scan/scan.ts';
import { listenOnLoopback } from '../../gateway/simulator/listen.ts';
import { startSerialResponder } from '../../gateway/simulator/modbus-serial-slave.ts';
import { createModbusSlave, type ModbusSlave } from '../../gateway/simulator/modbus-slave.ts';
import { startTcpSlave } from '../../gateway/simulator/modbus-tcp-slave.ts';
import type { RegisterImage } from '../../gateway/simulator/register-image.ts';
import { createSdm630Image } from '../../gateway/simulator/sdm630-image.ts';
import { createResponder, type Responder } from '../../gateway/simulator/slave-line.ts';
import { createFakeSlave, type SlaveBehaviour } from '../fake/modbus-slave.ts';
import { plainDevice } from '../fake/plain-device.ts';
import { type ScanBox, scanBox } from '../fake/scan-box.ts';
import { hasSocat, needs, startPtyPair } from '../driver/peer.ts';

const SIMULATED = { vendor: 'Eastron', productCode: 'SDM630', revision: '2.00', productName: 'SDM630-Modbus V2' };

/** A meter that says its name. */
const namedMeter = (seed: number): RegisterImage => ({ ...createSdm630Image(seed), identity: SIMULATED });

const slaveOf = (images: Readonly<Record<number, RegisterImage>>): ModbusSlave =>
	createModbusSlave({
		clock: systemClock,
		images: new Map(Object.entries(images).map(([unitId, image]) => [Number(unitId), image])),
	});

async function box(t: ExecutionContext, ...given: Parameters<typeof scanBox>): Promise<ScanBox> {
	const made = await scanBox(...given);
	t.teardown(() => made.stop());
	return made;
}

async function fakeSlave(t: ExecutionContext, behaviour: SlaveBehaviour) {
	const slave = await createFakeSlave(behaviour);
	t.teardown(() => slave.stop());
	return slave;
}

/** Takes connections, and says nothing. */
async function muteServer(t: ExecutionContext): Promise<number> {
	const sockets = new Set<Socket>();
	const server = createServer((socket) => {
		sockets.add(socket);
		socket.on('error', () => socket.destroy());
		socket.resume();
	});
	const port = await listenOnLoopback(server, 0);
	t.teardown(async () => {
		for (const socket of sockets) socket.destroy();
		await new Promise((resolve) => {
			server.close(resolve);
		});
	});
	return port;
}

const tcp = (port: number): Line => ({ transport: 'tcp', host: '127.0.0.1', port });

const registersOf = (line: Line, changes: Partial<RegisterScan> = {}): RegisterScan => ({
	kind: 'registers',
	line,
	unitId: 1,
	functionCode: 3,
	first: 0,
	last: 65_535,
	timeoutMs: 1000,
	pauseMs: 0,
	isThorough: false,
	...changes,
});

const networkOf = (port: number, changes: Partial<TcpSweep> = {}): TcpSweep => ({
	kind: 'tcp',
	subnets: ['127.0.0.0/30'],
	ports: [port],
	unitIds: null,
	timeoutMs: 1000,
	...changes,
});

const mode = (baudRate: number, parity: SerialMode['parity'] = 'none'): SerialMode => ({
	baudRate,
	parity,
	stopBits: 1,
});

const portsOf = (path: string, changes: Partial<SerialSweep> = {}): SerialSweep => ({
	kind: 'serial',
	transport: 'rtu',
	paths: [path],
	modes: [mode(115_200)],
	unitIds: [1, 2, 3],
	timeoutMs: 500,
	isExhaustive: false,
	mayPausePolling: false,
	...changes,
});

test('a sweep of a network finds a meter, names its template and says why', async (t) => {
	const slave = await startTcpSlave(slaveOf({ 1: namedMeter(1) }), 0);
	t.teardown(() => slave.stop());
	const { run } = await box(t);
	const { state, found, hints, progress } = await run(networkOf(slave.port));
	t.is(state, 'done');
	t.is(found.length, 1, JSON.stringify(hints));
	const [meter] = found;
	if (meter === undefined) throw new Error('nothing was found');
	t.like(meter, { line: tcp(slave.port), unitId: 1 });
	t.true(meter.identification.objects.some(({ name, text }) => name === 'vendor_name' && text === 'Eastron'));
	const [likeliest] = meter.candidates;
	t.is(likeliest?.template, 'eastron-sdm630', JSON.stringify(meter.candidates));
	t.true((likeliest?.confidence ?? 0) > 0.9);
	t.regex(likeliest?.why.join('; ') ?? '', /calls itself Eastron.*Frequency reads (49|50)/);
	t.is(progress.done, progress.total);
});

test('a sweep of a network says which hosts take connections and answer nothing', async (t) => {
	const port = await muteServer(t);
	const { run } = await box(t);
	const { state, found, hints } = await run(networkOf(port, { timeoutMs: 40 }));
	t.is(state, 'done');
	t.deepEqual(found, []);
	t.true(hints.some(({ code, sentence }) => code === 'mute-host' && sentence.includes(`127.0.0.1:${port}`)));
});

test('a gateway of serial units is told from a device, and its units are found by their ids', async (t) => {
	const slave = await startTcpSlave(slaveOf({ 17: createSdm630Image(3) }), 0);
	t.teardown(() => slave.stop());
	const { run } = await box(t);
	const blind = await run(networkOf(slave.port));
	t.true(blind.hints.some(({ code }) => code === 'gateway'));
	const { found } = await run(networkOf(slave.port, { unitIds: [16, 17, 18] }));
	t.deepEqual(
		found.map(({ unitId }) => unitId),
		[17],
	);
});

test('networks that are not of this box are refused with the rule', async (t) => {
	const { scans } = await box(t);
	const fault = await t.throwsAsync(scans.start(networkOf(502, { subnets: ['192.168.77.0/24'] }), 'a'));
	t.regex(fault?.message ?? '', /^subnets: 192\.168\.77\.0\/24 must lie in a private network/);
});

const has = (address: number): boolean => address < 400 || (address >= 30_000 && address < 30_120) || address >= 65_534;

test('case 11: all 65 536 registers of a device are swept over TCP, to the last one', async (t) => {
	const slave = await fakeSlave(t, ({ address, count }) => {
		if (count > 125) return { kind: 'exception', code: 3 };
		for (let k = 0; k < count; k += 1) if (!has(address + k)) return { kind: 'exception', code: 2 };
		return { kind: 'data' };
	});
	const { run } = await box(t);
	const whole = await run(registersOf(tcp(slave.port)));
	t.is(whole.state, 'done', String(whole.reason));
	t.is(whole.progress.done, 65_536);
	t.deepEqual(
		whole.registers?.answered.map(({ first, last }) => [first, last]),
		[
			[0, 399],
			[30_000, 30_119],
		],
	);
	t.is(whole.registers?.mostPerRead, 125);
	// What lies alone in a desert is found by a thorough scan only.
	const { registers } = await run(registersOf(tcp(slave.port), { first: 65_000, isThorough: true }));
	t.deepEqual(registers?.answered, [{ first: 65_534, last: 65_535, data: 'fefefeff' }]);
	t.true(slave.requests.every(({ address, count }) => count <= 125 && address + count <= 65_536));
});

test('case 11: the limit of 80 registers of an SDM630 is found, and that it answers pairs only', async (t) => {
	const slave = await startTcpSlave(slaveOf({ 1: createSdm630Image(1) }), 0);
	t.teardown(() => slave.stop());
	const { run } = await box(t);
	const { registers } = await run(registersOf(tcp(slave.port), { functionCode: 4, last: 499 }));
	t.is(registers?.mostPerRead, 80);
	t.true(registers?.isCapKnown);
	t.true(registers?.answersPairsOnly);
	t.is(registers?.answered[0]?.first, 0);
});

test('a scan that is cancelled keeps what it has found', async (t) => {
	const slave = await fakeSlave(t, ({ address }) =>
		address < 200 ? { kind: 'data' } : { kind: 'exception', code: 2 },
	);
	const { scans } = await box(t);
	const { id } = await scans.start(registersOf(tcp(slave.port), { pauseMs: 5, isThorough: true }), 'a');
	while (scans.get(id).progress.done < 300) await sleep(10);
	const scan = await scans.cancel(id);
	t.is(scan.state, 'cancelled');
	t.deepEqual(scan.registers?.answered[0]?.first, 0);
	t.true(scan.progress.done < 65_536);
});

test('a unit that does not know the function ends the scan with a sentence', async (t) => {
	const slave = await fakeSlave(t, () => ({ kind: 'exception', code: 1 }));
	const { run } = await box(t);
	const { state, reason } = await run(registersOf(tcp(slave.port), { functionCode: 4 }));
	t.is(state, 'failed');
	t.is(reason, 'unit 1 does not know function 4');
});

interface Port {
	readonly near: string;
	readonly slave: ModbusSlave;
}

/** A serial line with simulated units that hear every rate: a pseudo-terminal has none. */
async function serialLine(
	t: ExecutionContext,
	images: Readonly<Record<number, RegisterImage>>,
	answers = 1,
): Promise<Port> {
	const { near, far } = await startPtyPair(t);
	const slave = slaveOf(images);
	const once = createResponder({ slave, clock: systemClock, scenario: null, pacedBaud: null });
	const responder: Responder = {
		respond: (...request) =>
			Array.from({ length: answers }, (_, k) =>
				once.respond(...request).map(({ afterMs, bytes }) => ({ afterMs: afterMs + 5 * k, bytes })),
			).flat(),
	};
	const settings = { path: far, baudRate: 115_200, parity: 'none', dataBits: 8, stopBits: 1 } as const;
	const running = await startSerialResponder(responder, { ...settings, framing: 'rtu', clock: systemClock });
	t.teardown(() => running.stop());
	return { near, slave };
}

test('a sweep of a serial port finds its units and their templates', async (t) => {
	if (!needs(t, 'socat', hasSocat())) return;
	const { near } = await serialLine(t, { 2: namedMeter(1), 3: createSdm630Image(2) });
	const { run } = await box(t);
	const { state, reason, found, hints } = await run(portsOf(near, { unitIds: [1, 2, 3, 4] }));
	t.is(state, 'done', String(reason));
	t.deepEqual(
		found.map(({ unitId }) => unitId),
		[2, 3],
	);
	t.true(found.every(({ candidates }) => candidates.some(({ template }) => template === 'eastron-sdm630')));
	t.deepEqual(hints, []);
});

test('a port on which nothing answers gets the hint where to look', async (t) => {
	if (!needs(t, 'socat', hasSocat())) return;
	const { near } = await startPtyPair(t);
	const { run } = await box(t);
	const { state, found, hints } = await run(portsOf(near));
	t.is(state, 'done');
	t.deepEqual(found, []);
	t.deepEqual(
		hints.map(({ code }) => code),
		['silence'],
	);
});

const polled = (line: SerialLine) =>
	plainDevice({
		id: deviceId('dd000000-0000-4000-8000-000000000001'),
		uid: deviceUid('meter-1'),
		connection: {
			driver: 'modbus',
			line,
			unitId: 2,
			template: 'eastron-sdm630',
			periodMs: 50,
			timeoutMs: 2000,
		},
	});

async function until(what: () => boolean): Promise<void> {
	const givenUpMs = systemClock.monotonicMs() + 20_000;
	while (!what()) {
		if (systemClock.monotonicMs() > givenUpMs) throw new Error('it does not come');
		await sleep(10);
	}
}

test('polling rests while its port is swept at other settings, and goes on afterwards, also after a cancellation', async (t) => {
	if (!needs(t, 'socat', hasSocat())) return;
	const { near } = await serialLine(t, { 2: createSdm630Image(1) });
	const line: SerialLine = {
		transport: 'rtu',
		path: near,
		baudRate: 115_200,
		parity: 'none',
		dataBits: 8,
		stopBits: 1,
	};
	const { run, scans, readings, tryRegister } = await box(t, [polled(line)]);
	await until(() => readings.length > 3);
	const sweep = portsOf(near, { modes: [mode(9_600), mode(115_200)], unitIds: [2], timeoutMs: 3000 });

	const refused = await t.throwsAsync(scans.start(sweep, 'a'));
	t.regex(refused?.message ?? '', /^pause_polling: must be true: .* is polled as rtu .* 115200 8N1/);

	const { state, reason, found, hints } = await run({ ...sweep, mayPausePolling: true });
	t.is(state, 'done', String(reason));
	t.deepEqual(
		found.map(({ unitId, line: where }) => [unitId, 'path' in where && where.baudRate]),
		[[2, 9_600]],
	);
	t.true(hints.some(({ code, sentence }) => code === 'other-settings' && sentence.includes('9600 8N1')));
	const before = readings.length;
	await until(() => readings.length > before + 3);

	const slow = await scans.start(
		{ ...sweep, mayPausePolling: true, unitIds: [100, 101, 102, 103, 104], timeoutMs: 400 },
		'a',
	);
	await until(() => scans.get(slow.id).progress.done >= 1);
	const paused = readings.filter(({ values }) => values[0] !== null).length;
	const held = await t.throwsAsync(
		tryRegister.read({ line, unitId: 2, functionCode: 4, address: 0, count: 2, timeoutMs: 200 }),
	);
	t.regex(held?.message ?? '', /is held by scan [0-9a-f]{8}/);
	t.is((await scans.cancel(slow.id)).state, 'cancelled');
	await until(() => readings.filter(({ values }) => values[0] !== null).length > paused + 3);
});

test('a sweep at the settings of the polling goes on beside it', async (t) => {
	if (!needs(t, 'socat', hasSocat())) return;
	const { near } = await serialLine(t, { 2: createSdm630Image(1), 5: createSdm630Image(2) });
	const line: SerialLine = {
		transport: 'rtu',
		path: near,
		baudRate: 115_200,
		parity: 'none',
		dataBits: 8,
		stopBits: 1,
	};
	const { run, readings } = await box(t, [polled(line)]);
	const { state, found } = await run(portsOf(near, { unitIds: [1, 2, 3, 4, 5] }));
	t.is(state, 'done');
	t.deepEqual(
		found.map(({ unitId }) => unitId),
		[2, 5],
	);
	t.true(readings.length > 0);
	t.true(readings.every(({ qualities }) => qualities === null || !qualities.includes('comm_error')));
});

test('damaged answers of a unit are a sign of two devices with its id', async (t) => {
	if (!needs(t, 'socat', hasSocat())) return;
	const { near, slave } = await serialLine(t, { 2: createSdm630Image(1), 3: createSdm630Image(2) });
	slave.behave(3, { kind: 'garbage' });
	const { run } = await box(t);
	const { found } = await run(portsOf(near));
	const clash = found.find(({ unitId }) => unitId === 3);
	t.is(clash?.latencyMs, null);
	t.true(clash?.hints.some(({ code, sentence }) => code === 'address-clash' && sentence.includes('unit 3')));
});

test('a port that cannot be used is named, and the others are scanned all the same', async (t) => {
	if (!needs(t, 'socat', hasSocat())) return;
	const { near } = await serialLine(t, { 2: createSdm630Image(1) });
	const missing = '/dev/serial/by-id/nothing-here';
	const { run } = await box(t);
	const both = await run(portsOf(missing, { paths: [missing, near], unitIds: [2] }));
	t.is(both.state, 'done');
	t.is(both.found.length, 1);
	t.true(both.hints.some(({ code, sentence }) => code === 'port-failed' && sentence.includes('nothing-here')));
	const none = await run(portsOf(missing));
	t.is(none.state, 'failed');
	t.regex(none.reason ?? '', /nothing-here does not exist/);
});

test('two answers to one request are a sign of two devices too', async (t) => {
	if (!needs(t, 'socat', hasSocat())) return;
	const { near } = await serialLine(t, { 2: createSdm630Image(1) }, 2);
	const { run } = await box(t);
	const { found } = await run(portsOf(near, { unitIds: [2] }));
	t.deepEqual(
		found.map(({ unitId }) => unitId),
		[2],
	);
	t.true(
		found[0]?.hints.some(({ code }) => code === 'two-answers' || code === 'address-clash'),
		JSON.stringify(found[0]?.hints),
	);
});

test('a register is tried in every meaning of its number with one read, and the expected value comes first', async (t) => {
	const slave = await startTcpSlave(slaveOf({ 1: createSdm630Image(1) }), 0);
	t.teardown(() => slave.stop());
	const { tryRegister } = await box(t);
	const request = { line: tcp(slave.port), unitId: 1, functionCode: 4, count: 2, timeoutMs: 1000 } as const;
	const { reads, decodings } = await tryRegister.read({ ...request, address: 30_001, expect: 231 });
	t.deepEqual(
		reads.filter(({ error }) => error === null).map(({ address, count }) => [address, count]),
		[[0, 2]],
	);
	const [first] = decodings;
	t.is(first?.notation, 'reference');
	t.is(first?.type, 'float32');
	t.is(first?.byteOrder, 'ABCD');
	t.regex(first?.hint ?? '', /looks like a phase voltage in V/);
	t.true(first?.matches);
});

test('a try shows the exception of the device in words, and the time of a silent one ends', async (t) => {
	const slave = await fakeSlave(t, ({ address }) =>
		address < 100 ? { kind: 'exception', code: 2 } : { kind: 'silence' },
	);
	const { tryRegister } = await box(t);
	const request = { line: tcp(slave.port), unitId: 1, functionCode: 3, count: 1 } as const;
	const refused = await tryRegister.read({ ...request, address: 0, timeoutMs: 5000 });
	t.deepEqual(refused.decodings, []);
	t.deepEqual(refused.reads[0]?.exception, {
		code: 2,
		text: 'illegal data address: the device has no such register',
	});
	const silent = await tryRegister.read({ ...request, address: 500, timeoutMs: 50 });
	t.is(silent.reads[0]?.exception, null);
	t.regex(silent.reads[0]?.error ?? '', /no answer from unit 1/);
	t.true(silent.reads.length <= 3);
});

test('the last register is read, and what lies beyond it is refused before anything is sent', async (t) => {
	const slave = await fakeSlave(t, () => ({ kind: 'data' }));
	const { tryRegister } = await box(t);
	const request = { line: tcp(slave.port), unitId: 1, functionCode: 3, address: 65_535, timeoutMs: 500 } as const;
	const { reads } = await tryRegister.read({ ...request, count: 1 });
	t.deepEqual(reads[0]?.words, [0xff_fe ^ 0x100, 0xffff ^ 0x100]);
	const wide = await tryRegister.read({ ...request, count: 2 });
	t.deepEqual(
		wide.reads.map(({ address, count }) => [address, count]),
		[[65_534, 2]],
	);
	const fault = await t.throwsAsync(tryRegister.read({ ...request, count: 3 }));
	t.regex(fault?.message ?? '', /^count: 3 from 65535 end beyond address 65535/);
	t.true(slave.requests.every(({ address, count }) => address + count <= 65_536));
});
