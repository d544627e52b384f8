import { setTimeout as sleep } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';

import type { SerialLine } from '../../config/connection/connection.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { deviceId, deviceUid } from '../../core/kernel/id.ts';
import type { SerialMode, SerialSweep } from '../../gateway/scan/scan.ts';
import { startSerialResponder } from '../../gateway/simulator/modbus-serial-slave.ts';
import type { ModbusSlave } from '../../gateway/simulator/modbus-slave.ts';
import type { RegisterImage } from '../../gateway/simulator/register-image.ts';
import { createSdm630Image } from '../../gateway/simulator/sdm630-image.ts';
import { createResponder, type Responder } from '../../gateway/simulator/slave-line.ts';
import { hasSocat, needs, startPtyPair } from '../driver/peer.ts';
import { plainDevice } from '../fake/plain-device.ts';
import { box, namedMeter, slaveOf } from './field.ts';

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
	// The answers go through another process, which may have to wait for its turn.
	timeoutMs: 2000,
	isExhaustive: false,
	mayPausePolling: false,
	...changes,
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
	const { state, found, hints } = await run(portsOf(near, { timeoutMs: 200 }));
	t.is(state, 'done');
	t.deepEqual(found, []);
	t.deepEqual(
		hints.map(({ code }) => code),
		['silence'],
	);
});

const lineAt = (path: string): SerialLine => ({
	transport: 'rtu',
	path,
	baudRate: 115_200,
	parity: 'none',
	dataBits: 8,
	stopBits: 1,
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
	const givenUpMs = systemClock.monotonicMs() + 60_000;
	while (!what()) {
		if (systemClock.monotonicMs() > givenUpMs) throw new Error('it does not come');
		await sleep(10);
	}
}

test('polling rests while its port is swept at other settings, and goes on afterwards, also after a cancellation', async (t) => {
	if (!needs(t, 'socat', hasSocat())) return;
	const { near } = await serialLine(t, { 2: createSdm630Image(1) });
	const line = lineAt(near);
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
		{ ...sweep, mayPausePolling: true, unitIds: [100, 101, 102, 103, 104], timeoutMs: 2000 },
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
	const line = lineAt(near);
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
