import test, { type ExecutionContext } from 'ava';
import type { Line } from '../../config/connection/connection.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { createLineMeter, type LineMeter } from '../../gateway/driver/line-meter.ts';
import { createModbusLine } from '../../gateway/driver/modbus/wire/line-factory.ts';
import { ModbusFault } from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { ModbusLine, ModbusRequest } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { ascii, type Framing, mbap, rtu } from '../fake/framings.ts';
import { portsOf } from '../fake/machine-ports.ts';
import { createPduDevice } from '../fake/pdu-device.ts';
import { randomOf } from '../fake/random-of.ts';
import { type Fate, startUnrulyServer } from '../fake/unruly-server.ts';

// oxlint-disable-next-line node/no-process-env -- the long run is made with an hour of answers
const { DRAWBRIDGE_FUZZ_ANSWERS = '600', DRAWBRIDGE_FUZZ_SEED = '1' } = process.env;
/** Lines of one kind that are asked at the same time: most of the time they wait. */
const LINES = 20;
const TIMEOUT_MS = 40;

type Random = () => number;
const below = (random: Random, most: number): number => Math.floor(random() * most);

/** One or two wrong bits: a CRC finds all of them. */
function flipBits(random: Random): (bytes: Buffer) => Buffer {
	return (bytes) => {
		const damaged = Buffer.from(bytes);
		for (let count = 1 + below(random, 2); count > 0; count -= 1) {
			const at = below(random, damaged.length);
			damaged[at] = damaged.readUInt8(at) ^ (1 << below(random, 8));
		}
		return damaged;
	};
}

/** A digit that is none: what a wrong parity bit makes of it. */
const spoilDigit =
	(random: Random) =>
	(bytes: Buffer): Buffer => {
		const damaged = Buffer.from(bytes);
		damaged[1 + below(random, damaged.length - 3)] = 0x7f;
		return damaged;
	};

/** The answer to another request, to another unit, or cut short with a header that says so: TCP itself keeps bits right. */
const spoilHeader =
	(random: Random) =>
	(bytes: Buffer): Buffer => {
		const damaged = Buffer.from(bytes);
		const kind = below(random, 3);
		if (kind === 0) damaged.writeUInt16BE((damaged.readUInt16BE(0) + 0x4000) & 0xffff, 0);
		else if (kind === 1) damaged.writeUInt8(damaged.readUInt8(6) ^ 1, 6);
		else damaged.writeUInt16BE(damaged.readUInt16BE(4) - 1, 4);
		return kind === 2 ? damaged.subarray(0, -1) : damaged;
	};

const fates = (random: Random, mangle: (random: Random) => (bytes: Buffer) => Buffer) => (): Fate => ({
	delayMs: random() < 0.15 ? 20 + below(random, 220) : below(random, 3),
	isLost: random() < 0.05,
	mangle: random() < 0.05 ? mangle(random) : null,
});

interface Tally {
	right: number;
	wrong: number;
	readonly failures: Map<string, number>;
}

async function ask(line: ModbusLine, random: Random, tally: Tally): Promise<void> {
	const request: ModbusRequest = {
		unitId: 1 + below(random, 2),
		functionCode: random() < 0.8 ? 3 : 4,
		address: below(random, 900),
		count: [1, 2, 5][below(random, 3)] ?? 1,
		timeoutMs: TIMEOUT_MS,
	};
	try {
		const { data } = await line.transact(request);
		const isRight = Array.from({ length: request.count }, (_, at) => data.readUInt16BE(2 * at)).every(
			(word, at) => word === 7 * (request.address + at),
		);
		if (isRight) tally.right += 1;
		else tally.wrong += 1;
	} catch (fault) {
		if (!(fault instanceof ModbusFault)) throw fault;
		tally.failures.set(fault.failure, (tally.failures.get(fault.failure) ?? 0) + 1);
	}
}

interface Kind {
	readonly name: string;
	readonly framing: Framing;
	readonly mangle: (random: Random) => (bytes: Buffer) => Buffer;
	readonly lineTo: (port: number) => Line;
}

const host = '127.0.0.1';
const kinds: readonly Kind[] = [
	{ name: 'tcp', framing: mbap, mangle: spoilHeader, lineTo: (port) => ({ transport: 'tcp', host, port, depth: 4 }) },
	{
		name: 'rtu over tcp',
		framing: rtu,
		mangle: flipBits,
		lineTo: (port) => ({ transport: 'rtu-over-tcp', host, port, baudRate: 115_200 }),
	},
	{
		name: 'ascii over tcp',
		framing: ascii,
		mangle: spoilDigit,
		lineTo: (port) => ({ transport: 'ascii-over-tcp', host, port, baudRate: 115_200 }),
	},
];

/** Asks up to `times` over one connection, until it is lost. @returns how often it asked */
async function askOnce(line: ModbusLine, times: number, random: Random, tally: Tally): Promise<number> {
	const progress = { asked: 0, isLost: false };
	await line.open(new AbortController().signal, () => {
		progress.isLost = true;
	});
	const asker = async (): Promise<void> => {
		while (!progress.isLost && progress.asked < times) {
			progress.asked += 1;
			await ask(line, random, tally);
		}
	};
	await Promise.all(Array.from({ length: line.depth }, asker));
	await line.close();
	return progress.asked;
}

/** Asks over one line; a connection that ends is made anew, as the bus does, with what the line knows of late answers. */
async function askAll(makeLine: (meter: LineMeter) => ModbusLine, times: number, random: Random, tally: Tally) {
	const meter = createLineMeter(systemClock);
	let left = times;
	// Some connections end while answers are still under way.
	while (left > 0) left -= await askOnce(makeLine(meter), Math.min(left, 1 + below(random, 60)), random, tally);
}

async function fuzz(t: ExecutionContext, { name, framing, mangle, lineTo }: Kind): Promise<void> {
	t.timeout(4_000_000);
	const random = randomOf(Number(DRAWBRIDGE_FUZZ_SEED));
	const server = await startUnrulyServer(createPduDevice(), framing, fates(random, mangle));
	t.teardown(() => server.stop());
	const tally: Tally = { right: 0, wrong: 0, failures: new Map() };
	const times = Math.ceil(Number(DRAWBRIDGE_FUZZ_ANSWERS) / LINES);
	const makeLine = createModbusLine(systemClock, portsOf());
	await Promise.all(
		Array.from({ length: LINES }, () => askAll((meter) => makeLine(lineTo(server.port), meter), times, random, tally)),
	);
	t.log(name, { right: tally.right, ...Object.fromEntries(tally.failures) });
	t.is(tally.wrong, 0, 'a value of another register was taken');
	t.true(tally.right > 0);
	t.true((tally.failures.get('timeout') ?? 0) > 0);
}

for (const kind of kinds) {
	test(`late, lost and damaged answers over ${kind.name} are never taken for another's`, (t) => fuzz(t, kind));
}
