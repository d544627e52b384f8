import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { Fault } from '../../core/kernel/fault.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type {
	FoundRegisters,
	FoundUnit,
	RegisterScan,
	Scan,
	SerialSweep,
	SweepContext,
	TcpSweep,
} from '../../gateway/scan/scan.ts';
import type { ScanRepository } from '../../gateway/scan/scan-repository.ts';
import { createScanService, MOST_SCANS, type ScanService } from '../../gateway/scan/scan-service.ts';
import { openScanStore } from '../../gateway/scan/scan-store.ts';
import { createManualTimer } from '../fake/manual-timer.ts';

const serial = (path: string): SerialSweep => ({
	kind: 'serial',
	transport: 'rtu',
	paths: [path],
	modes: [{ baudRate: 9_600, parity: 'none', stopBits: 1 }],
	unitIds: [1],
	timeoutMs: 100,
	isExhaustive: false,
	mayPausePolling: false,
});

const network: TcpSweep = { kind: 'tcp', subnets: null, ports: [502], unitIds: null, timeoutMs: 100 };

const registers = (path: string): RegisterScan => ({
	kind: 'registers',
	line: { transport: 'rtu', path, baudRate: 9_600, parity: 'none', dataBits: 8, stopBits: 1 },
	unitId: 1,
	functionCode: 3,
	first: 0,
	last: 10,
	timeoutMs: 100,
	pauseMs: 0,
	isThorough: true,
});

const unit: FoundUnit = {
	unitId: 7,
	line: { transport: 'tcp', host: '10.0.0.7', port: 502 },
	latencyMs: 3,
	identification: { objects: [], serverId: null, sunspec: null },
	candidates: [],
	hints: [],
};

const nothingFound: FoundRegisters = {
	answered: [],
	silent: [],
	mostPerRead: 0,
	isCapKnown: false,
	answersPairsOnly: false,
	reads: 0,
};

/** A sweep in the hands of the test. */
interface Course {
	readonly context: SweepContext;
	readonly end: () => void;
	readonly fail: (error: Error) => void;
}

const forgetful: ScanRepository = { load: () => Promise.resolve([]), save: () => Promise.resolve() };

async function bench(repository: ScanRepository = forgetful) {
	const time = createManualTimer();
	const courses: Course[] = [];
	/** Runs until the test ends it, or the signal does. */
	const sweep = <T>(result: T) => ({
		run: (_request: unknown, context: SweepContext): Promise<T> =>
			new Promise((resolve, reject) => {
				context.signal.addEventListener('abort', () => reject(new Error('given up')));
				courses.push({ context, end: () => resolve(result), fail: reject });
			}),
	});
	const scans = await createScanService({
		serial: sweep(undefined),
		tcp: {
			...sweep(undefined),
			check: ({ subnets }) => {
				if (subnets !== null) throw new Fault('rule-violation', 'subnets: no', { field: 'subnets' });
			},
		},
		registers: sweep(nothingFound),
		deviceOf: (path) => Promise.resolve(path.replace('/dev/serial/by-id/one', '/dev/ttyUSB0')),
		repository,
		clock: time.clock,
		setTimer: time.setTimer,
		log: silentLog,
	});
	return { scans, courses, time };
}

const turns = async (): Promise<void> => {
	for (let k = 0; k < 10; k += 1) await Promise.resolve();
};

async function started(scans: ScanService, ...given: Parameters<ScanService['start']>): Promise<Scan> {
	const scan = await scans.start(...given);
	await turns();
	return scan;
}

test('a scan tells how far it is and when it will be done, and ends with what it found', async (t) => {
	const { scans, courses, time } = await bench();
	const told: Scan[] = [];
	scans.listen((scan) => void told.push(scan));
	const { id, state } = await started(scans, serial('/dev/ttyUSB0'), 'ann@example.com');
	t.is(state, 'running');
	const [course] = courses;
	time.advance(10_000);
	course?.context.progress(20, 100, 'unit 20');
	t.like(scans.get(id), {
		startedBy: 'ann@example.com',
		progress: { done: 20, total: 100, etaSeconds: 40, doing: 'unit 20' },
	});
	course?.context.found(unit);
	course?.context.hint({ code: 'echo', severity: 'warning', sentence: 'An echo.' });
	course?.end();
	await turns();
	t.like(scans.get(id), { state: 'done', reason: null, found: [unit], registers: null });
	t.is(scans.get(id).hints.length, 1);
	t.is(scans.get(id).endedAt, time.clock.now());
	t.like(told.at(-1), { state: 'done', progress: { done: 20, total: 100, etaSeconds: null, doing: '' } });
});

test('progress is told twice a second at most, news at once', async (t) => {
	const { scans, courses, time } = await bench();
	const told: Scan[] = [];
	await started(scans, serial('/dev/ttyUSB0'), 'a');
	scans.listen((scan) => void told.push(scan));
	time.advance(1_000);
	for (let k = 0; k < 100; k += 1) courses[0]?.context.progress(k, 100, 'x');
	t.is(told.length, 1);
	courses[0]?.context.found(unit);
	t.is(told.length, 2);
	time.advance(500);
	courses[0]?.context.progress(100, 100, 'x');
	t.is(told.length, 3);
});

test('one port is scanned once at a time, whatever for; another port is free', async (t) => {
	const { scans } = await bench();
	const first = await started(scans, serial('/dev/ttyUSB0'), 'a');
	for (const request of [serial('/dev/ttyUSB0'), registers('/dev/ttyUSB0')]) {
		const fault = await t.throwsAsync(scans.start(request, 'b'), { instanceOf: Fault });
		t.is(fault?.reason, 'state-conflict');
		t.true(fault?.message.includes(`port /dev/ttyUSB0 is being scanned already (scan ${first.id})`), fault?.message);
	}
	await scans.start(registers('/dev/ttyUSB1'), 'b');
	await scans.start(network, 'b');
	await t.throwsAsync(scans.start(network, 'b'), { message: /the network is being scanned already/ });
	await scans.cancel(first.id);
	await t.notThrowsAsync(scans.start(serial('/dev/ttyUSB0'), 'b'));
});

test('one port under two names is one port, and the refusal says both', async (t) => {
	const { scans } = await bench();
	const first = await started(scans, serial('/dev/ttyUSB0'), 'a');
	for (const request of [serial('/dev/serial/by-id/one'), registers('/dev/serial/by-id/one')]) {
		const fault = await t.throwsAsync(scans.start(request, 'b'), { instanceOf: Fault });
		t.is(fault?.reason, 'state-conflict');
		const sentence = `port /dev/serial/by-id/one is being scanned already as port /dev/ttyUSB0 (scan ${first.id})`;
		t.true(fault?.message.startsWith(sentence), fault?.message);
	}
	t.deepEqual(
		scans.all().map(({ id }) => id),
		[first.id],
	);
	await scans.cancel(first.id);
	await t.notThrowsAsync(scans.start(serial('/dev/serial/by-id/one'), 'b'));
});

test('two starts at the same moment are not both taken', async (t) => {
	const { scans } = await bench();
	const both = await Promise.allSettled([scans.start(network, 'a'), scans.start(network, 'b')]);
	t.deepEqual(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
});

test('four scans run at once, not more', async (t) => {
	const { scans } = await bench();
	for (const path of ['/dev/a', '/dev/b', '/dev/c', '/dev/d']) await scans.start(serial(path), 'a');
	const fault = await t.throwsAsync(scans.start(serial('/dev/e'), 'a'), { instanceOf: Fault });
	t.is(fault?.reason, 'rate-limited');
});

test('a scan that may not be done is refused before it begins', async (t) => {
	const { scans, courses } = await bench();
	await t.throwsAsync(scans.start({ ...network, subnets: ['8.8.8.0/24'] }, 'a'), { message: 'subnets: no' });
	t.deepEqual(scans.all(), []);
	t.deepEqual(courses, []);
});

test('a cancelled scan keeps what it has found, and cancelling it again changes nothing', async (t) => {
	const { scans, courses } = await bench();
	const { id } = await started(scans, serial('/dev/ttyUSB0'), 'a');
	courses[0]?.context.found(unit);
	t.like(await scans.cancel(id), { state: 'cancelled', reason: 'somebody cancelled it', found: [unit] });
	t.is((await scans.cancel(id)).state, 'cancelled');
	await t.throwsAsync(scans.cancel('cc000000-0000-4000-8000-000000000001'), { message: /does not exist/ });
});

test('a scan that fails says why, and its port is free again', async (t) => {
	const { scans, courses } = await bench();
	const { id } = await started(scans, serial('/dev/ttyUSB0'), 'a');
	courses[0]?.fail(new Fault('unreachable', '/dev/ttyUSB0 does not exist'));
	await turns();
	t.like(scans.get(id), { state: 'failed', reason: '/dev/ttyUSB0 does not exist' });
	await t.notThrowsAsync(scans.start(serial('/dev/ttyUSB0'), 'a'));
});

test('the longest scan ends after six hours, with what it has found', async (t) => {
	const { scans, courses, time } = await bench();
	const { id } = await started(scans, serial('/dev/ttyUSB0'), 'a');
	courses[0]?.context.found(unit);
	time.advance(6 * 3_600_000);
	await turns();
	t.like(scans.get(id), { state: 'done', found: [unit] });
	t.regex(scans.get(id).reason ?? '', /after 6 hours/);
});

test('what one scan can find is bounded', async (t) => {
	const { scans, courses } = await bench();
	const { id } = await started(scans, serial('/dev/ttyUSB0'), 'a');
	for (let k = 0; k < 2_000; k += 1) {
		courses[0]?.context.found(unit);
		courses[0]?.context.hint({ code: 'echo', severity: 'info', sentence: 'x' });
	}
	t.is(scans.get(id).found.length, 1_024);
	t.is(scans.get(id).hints.length, 100);
});

test('stopping the gateway ends its scans', async (t) => {
	const { scans } = await bench();
	const { id } = await started(scans, serial('/dev/ttyUSB0'), 'a');
	await scans.stop();
	t.like(scans.get(id), { state: 'cancelled', reason: 'the gateway stops' });
});

async function folder(t: ExecutionContext): Promise<string> {
	const made = await mkdtemp(join(tmpdir(), 'scans-'));
	t.teardown(() => rm(made, { recursive: true, force: true }));
	return made;
}

test('the last twenty scans are remembered, over a restart too', async (t) => {
	const path = join(await folder(t), 'scans.json');
	const { scans, courses, time } = await bench(await openScanStore(path, silentLog));
	const ids: string[] = [];
	for (let k = 0; k < MOST_SCANS + 5; k += 1) {
		const { id } = await started(scans, serial('/dev/ttyUSB0'), 'a');
		ids.push(id);
		time.advance(1_000);
		courses[k]?.context.found(unit);
		await scans.cancel(id);
	}
	t.deepEqual(
		scans.all().map(({ id }) => id),
		ids.toReversed().slice(0, MOST_SCANS),
	);
	const again = await bench(await openScanStore(path, silentLog));
	t.deepEqual(again.scans.all(), scans.all());
});

test('what was kept is bounded in bytes, the newest first', async (t) => {
	const path = join(await folder(t), 'scans.json');
	const store = await openScanStore(path, silentLog);
	const { scans } = await bench();
	const scan = await scans.start(registers('/dev/a'), 'a');
	const huge = (k: number): Scan => ({
		...scan,
		id: String(k),
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an instant
		startedAt: k as Scan['startedAt'],
		registers: { ...nothingFound, answered: [{ first: 0, last: 65_535, data: 'f'.repeat(262_144) }] },
	});
	await store.save([huge(1), huge(2), huge(3), huge(4), huge(5)]);
	t.deepEqual(
		(await (await openScanStore(path, silentLog)).load()).map(({ id }) => id),
		['5', '4', '3'],
	);
});

test('a file of scans that is not of its form keeps no gateway from starting', async (t) => {
	const path = join(await folder(t), 'scans.json');
	for (const scans of [null, 'x', [null, 1, {}, { id: 'a' }]]) {
		await writeFile(path, JSON.stringify({ form: 1, scans }));
		t.deepEqual((await bench(await openScanStore(path, silentLog))).scans.all(), []);
	}
});
