import ModbusRTU from 'modbus-serial';

import type { SerialLine } from '../config/connection/connection.ts';
import { systemClock } from '../core/kernel/clock.ts';
import { createLineMeter } from '../gateway/driver/line-meter.ts';
import { createModbusLine } from '../gateway/driver/modbus/wire/line-factory.ts';
import { gapMs, wireMs } from '../gateway/driver/modbus/wire/rtu-timing.ts';
import { portsOf } from '../test/fake/machine-ports.ts';
import { type LineMaker, type LineReport, makeLines } from './rtu-line.ts';
import { median, type Row, table } from './table.ts';

/** Start, eight data, parity and stop: the character of the specification. */
const BITS_PER_CHAR = 11;
const UNIT_ID = 1;
const TIMEOUT_MS = 2000;
/** Reads before the measurement: the compiler is done after them. */
const WARM_READS = 30;
const LEAST_READS = 6;
const REQUEST_CHARS = 8;
const REPLY_CHARS = 5;

/** What a line's rate may be of the most it can carry with both silences kept; the fastest first, since few reads compile little. */
const LEAST_SHARES = [
	[115_200, 0.9],
	[19_200, 0.97],
	[9600, 0.97],
] as const;
/** Processor time of an answer of 100 registers, of what the library takes for it. */
const MOST_CPU_RATIO = 0.4;
const REGISTERS = [10, 100] as const;

interface Client {
	readonly read: (count: number) => Promise<number>;
	readonly close: () => Promise<void>;
}

interface Measurement {
	/** From one read to the next: the middle, since a busy machine wakes programs late at times. */
	readonly cycleMs: number;
	readonly perSecond: number;
	readonly cpuMs: number;
	readonly line: LineReport;
}

async function openOurs(path: string, baudRate: number): Promise<Client> {
	const settings: SerialLine = { transport: 'rtu', path, baudRate, parity: 'even', dataBits: 8, stopBits: 1 };
	const ports = portsOf();
	const line = createModbusLine(systemClock, ports)(settings, createLineMeter(systemClock));
	await line.open(new AbortController().signal, (reason) => {
		throw new Error(reason ?? 'the line was lost');
	});
	return {
		async read(count) {
			const { data } = await line.transact({
				unitId: UNIT_ID,
				functionCode: 3,
				address: 0,
				count,
				timeoutMs: TIMEOUT_MS,
			});
			return data.readUInt16BE(data.length - 2);
		},
		async close() {
			await line.close();
			await ports.stop();
		},
	};
}

async function openStock(path: string, baudRate: number): Promise<Client> {
	const client = new ModbusRTU.default();
	await client.connectRTUBuffered(path, { baudRate, parity: 'even', dataBits: 8, stopBits: 1 });
	client.setID(UNIT_ID);
	client.setTimeout(TIMEOUT_MS);
	return {
		async read(count) {
			const { data } = await client.readHoldingRegisters(0, count);
			return data.at(-1) ?? -1;
		},
		close: () =>
			new Promise((resolve) => {
				client.close(() => resolve());
			}),
	};
}

async function readRight(client: Client, count: number): Promise<void> {
	const last = await client.read(count);
	if (last !== count - 1) throw new Error(`register ${count - 1} was read as ${last}`);
}

async function measure(
	lines: LineMaker,
	open: typeof openOurs,
	baudRate: number,
	count: number,
	seconds: number,
): Promise<Measurement> {
	const line = await lines.start(baudRate, BITS_PER_CHAR);
	const client = await open(line.path, baudRate);
	const warmUntilMs = performance.now() + 1000 * Math.min(1, seconds);
	for (let i = 0; i < WARM_READS && performance.now() < warmUntilMs; i += 1) await readRight(client, count);
	const usage = process.cpuUsage();
	const startMs = performance.now();
	const cyclesMs: number[] = [];
	let elapsedMs = 0;
	while (cyclesMs.length < LEAST_READS || elapsedMs < 1000 * seconds) {
		await readRight(client, count);
		const nowMs = performance.now() - startMs;
		cyclesMs.push(nowMs - elapsedMs);
		elapsedMs = nowMs;
	}
	const { user, system } = process.cpuUsage(usage);
	await client.close();
	return {
		cycleMs: median(cyclesMs),
		perSecond: (1000 * cyclesMs.length) / elapsedMs,
		cpuMs: (user + system) / 1000 / cyclesMs.length,
		line: await line.stop(),
	};
}

/** Time of a read on a line that is silent for 3.5 characters before and after the answer, ms. */
function leastCycleMs(baudRate: number, count: number): number {
	const timing = { baudRate, bitsPerChar: BITS_PER_CHAR };
	return wireMs(timing, REQUEST_CHARS + REPLY_CHARS + 2 * count) + 2 * gapMs(timing);
}

/** Modbus RTU on a modelled line: what of its rate is reached, and what an answer costs, beside the library's buffered port. */
export async function runRtuBench({ seconds }: { readonly seconds: number }) {
	const lines = await makeLines();
	if (lines === null) return { report: 'no C compiler: the line cannot be modelled', isWithinLimits: false };
	const rows: Row[] = [];
	let isWithinLimits = true;
	try {
		for (const [baudRate, leastShare] of LEAST_SHARES) {
			for (const count of REGISTERS) {
				const ours = await measure(lines, openOurs, baudRate, count, seconds);
				const stock = await measure(lines, openStock, baudRate, count, seconds);
				const leastMs = leastCycleMs(baudRate, count);
				const share = leastMs / ours.cycleMs;
				const cpuRatio = ours.cpuMs / stock.cpuMs;
				const isCheap = count < 100 || cpuRatio <= MOST_CPU_RATIO;
				isWithinLimits &&= share >= leastShare && isCheap && ours.line.early === 0;
				rows.push({
					baud: baudRate,
					registers: count,
					'line ms': leastMs,
					'cycle ms': ours.cycleMs,
					share,
					'share of all': (leastMs * ours.perSecond) / 1000,
					'too early': ours.line.early,
					'least silence ms': ours.line.leastSilenceMs,
					'cpu ms': ours.cpuMs,
					'stock cycle ms': stock.cycleMs,
					'stock too early': stock.line.early,
					'stock cpu ms': stock.cpuMs,
					'cpu ratio': cpuRatio,
				});
			}
		}
	} finally {
		await lines.remove();
	}
	return { report: table(rows), isWithinLimits };
}
