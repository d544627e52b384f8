import { setTimeout as sleep } from 'node:timers/promises';

import { systemClock } from '../../../core/kernel/clock.ts';
import { Fault } from '../../../core/kernel/fault.ts';
import { silentLog } from '../../../core/kernel/log.ts';
import { type Bus, createBus } from '../../../gateway/driver/bus.ts';
import type { LineMeter } from '../../../gateway/driver/line-meter.ts';
import { createModbusLine } from '../../../gateway/driver/modbus/wire/line-factory.ts';
import { createLateReplyGuard } from '../../../gateway/driver/modbus/wire/late-reply-guard.ts';
import { ModbusFault } from '../../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { ModbusLine, ModbusRequest } from '../../../gateway/driver/modbus/wire/modbus-line.ts';
import { createRtuLine } from '../../../gateway/driver/modbus/wire/rtu-line.ts';
import { startTcpResponder } from '../../../gateway/simulator/modbus-tcp-slave.ts';
import type { Responder } from '../../../gateway/simulator/slave-line.ts';
import { portsOf } from '../../fake/machine-ports.ts';
import { randomOf } from '../../fake/random-of.ts';
import { ADDRESSES, createFaultyResponder, type FaultCounts, placeWord } from './faulty-responder.ts';
import { createMemoryLink } from './memory-link.ts';

const TIMEOUT_MS = 30;
/** Mostly of one shape: only such reads can be taken for each other. */
const COUNTS = [1, 1, 1, 1, 2, 2, 5, 40] as const;
const UNITS = 2;
const BAUD = 115_200;
/** Pause after a refusal of the bus itself, ms: the line is being opened anew. */
const AFTER_REFUSAL_MS = 20;
/** Wrong answers that are kept for the report. */
const KEPT_WRONG = 10;

/** Lines of each kind that run side by side: a serial line is held after each loss, and gets through little. */
const LINES = { rtu: 12, 'rtu-over-tcp': 12, tcp: 2, 'tcp depth 8': 1 } as const;
type FuzzedLine = keyof typeof LINES;
const KINDS: readonly FuzzedLine[] = ['rtu', 'rtu-over-tcp', 'tcp', 'tcp depth 8'];

/** What came of the lines of one kind. */
export interface FuzzResult {
	readonly line: FuzzedLine;
	readonly asked: number;
	readonly right: number;
	/** Answers with the value of another register; there must be none. */
	readonly wrong: number;
	/** The first wrong ones, to be looked at. */
	readonly examples: readonly string[];
	/** Requests without an answer, by the kind of their failure. */
	readonly failures: Readonly<Record<string, number>>;
	/** What was done to the answers. */
	readonly faults: Readonly<FaultCounts>;
}

export interface FuzzReport {
	readonly results: readonly FuzzResult[];
	/** Memory after a tenth of the time and at the end, MiB. */
	readonly rssMib: readonly [number, number];
}

type CreateLine = (meter: LineMeter) => ModbusLine;

/** How a line to this responder is made; `stop` ends what answers. */
async function lineMaker(
	kind: FuzzedLine,
	responder: Responder,
): Promise<{ readonly create: CreateLine; readonly stop: () => Promise<void> }> {
	if (kind === 'rtu') {
		const guard = createLateReplyGuard(() => systemClock.monotonicMs());
		const timing = { baudRate: BAUD, bitsPerChar: 10 };
		const create: CreateLine = (meter) =>
			createRtuLine({ link: createMemoryLink(responder), timing, clock: systemClock, meter, guard });
		return { create, stop: () => Promise.resolve() };
	}
	const framing = kind === 'rtu-over-tcp' ? 'rtu' : 'tcp';
	const server = await startTcpResponder(responder, { port: 0, framing, clock: systemClock });
	const place = { host: '127.0.0.1', port: server.port };
	const factory = createModbusLine(systemClock, portsOf());
	const create: CreateLine = (meter) =>
		framing === 'rtu'
			? factory({ transport: 'rtu-over-tcp', ...place, baudRate: BAUD }, meter)
			: factory({ transport: 'tcp', ...place, depth: kind === 'tcp' ? 1 : 8 }, meter);
	return { create, stop: () => server.stop() };
}

const requestOf = (random: () => number): ModbusRequest => ({
	unitId: 1 + Math.floor(random() * UNITS),
	functionCode: random() < 0.8 ? 3 : 4,
	address: Math.floor(random() * (ADDRESSES - 40)),
	count: COUNTS[Math.floor(random() * COUNTS.length)] ?? 1,
	timeoutMs: TIMEOUT_MS,
});

function isRight({ unitId, functionCode, address, count }: ModbusRequest, data: Buffer): boolean {
	if (data.length !== 2 * count) return false;
	for (let i = 0; i < count; i += 1) {
		if (data.readUInt16BE(2 * i) !== placeWord(unitId, functionCode, address + i)) return false;
	}
	return true;
}

const failureOf = (fault: unknown): string => {
	if (fault instanceof ModbusFault) return fault.failure;
	if (fault instanceof Fault) return fault.reason;
	throw fault;
};

async function fuzzLine(kind: FuzzedLine, seed: number, untilMs: number): Promise<FuzzResult> {
	const random = randomOf(seed);
	const faults: FaultCounts = {};
	const failures: Record<string, number> = {};
	const examples: string[] = [];
	const counts = { asked: 0, right: 0, wrong: 0 };
	const responder = createFaultyResponder({
		random: randomOf(seed + 1),
		timeoutMs: TIMEOUT_MS,
		isPipelined: kind === 'tcp depth 8',
		counts: faults,
	});
	const { create, stop } = await lineMaker(kind, responder);
	const listener = { opened: () => undefined, failed: () => undefined };
	const bus: Bus = createBus({ name: kind, createLine: create, listener, clock: systemClock, log: silentLog });

	async function ask(): Promise<void> {
		const request = requestOf(random);
		counts.asked += 1;
		try {
			const { data } = await bus.request(request, 'test');
			if (isRight(request, data)) {
				counts.right += 1;
				return;
			}
			counts.wrong += 1;
			if (examples.length < KEPT_WRONG) examples.push(`${JSON.stringify(request)} was given ${data.toString('hex')}`);
		} catch (fault) {
			const failure = failureOf(fault);
			failures[failure] = (failures[failure] ?? 0) + 1;
			if (!(fault instanceof ModbusFault)) await sleep(AFTER_REFUSAL_MS);
		}
	}

	async function keepAsking(): Promise<void> {
		while (systemClock.monotonicMs() < untilMs) await ask();
	}

	const askers = kind === 'tcp depth 8' ? 8 : 2;
	await Promise.all(Array.from({ length: askers }, keepAsking));
	await bus.stop();
	await stop();
	return { line: kind, ...counts, examples, failures, faults };
}

function summed(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
	const sums: Record<string, number> = {};
	for (const each of counts) for (const [name, count] of Object.entries(each)) sums[name] = (sums[name] ?? 0) + count;
	return sums;
}

function together(line: FuzzedLine, parts: readonly FuzzResult[]): FuzzResult {
	const total = (of: (part: FuzzResult) => number): number => parts.reduce((sum, part) => sum + of(part), 0);
	return {
		line,
		asked: total(({ asked }) => asked),
		right: total(({ right }) => right),
		wrong: total(({ wrong }) => wrong),
		examples: parts.flatMap(({ examples }) => examples).slice(0, KEPT_WRONG),
		failures: summed(parts.map(({ failures }) => failures)),
		faults: summed(parts.map(({ faults }) => faults)),
	};
}

const rssMib = (): number => Math.round(process.memoryUsage().rss / 1024 / 1024);

/** Asks all kinds of lines for so long, while their answers come late, damaged or not at all. */
export async function fuzzBus(seconds: number, seed: number): Promise<FuzzReport> {
	const startMs = systemClock.monotonicMs();
	const untilMs = startMs + seconds * 1000;
	let warm = 0;
	const warmUp = setTimeout(() => {
		warm = rssMib();
	}, seconds * 100);
	try {
		const results = await Promise.all(
			KINDS.map(async (kind, index) => {
				const seeds = Array.from({ length: LINES[kind] }, (_, line) => seed + index * 1000 + line * 10);
				return together(kind, await Promise.all(seeds.map((each) => fuzzLine(kind, each, untilMs))));
			}),
		);
		return { results, rssMib: [warm, rssMib()] };
	} finally {
		clearTimeout(warmUp);
	}
}
