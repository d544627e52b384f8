import { setTimeout as sleep } from 'node:timers/promises';

import { systemClock } from '../../core/kernel/clock.ts';
import { createLineMeter, type LineCounters } from '../../gateway/driver/line-meter.ts';
import { createBystanders } from '../../gateway/driver/modbus/wire/bystanders.ts';
import type { ByteLink, ByteLinkListener } from '../../gateway/driver/modbus/wire/byte-link.ts';
import { createLateReplyGuard } from '../../gateway/driver/modbus/wire/late-reply-guard.ts';
import { ModbusFault } from '../../gateway/driver/modbus/wire/modbus-fault.ts';
import type { ModbusExchange, ModbusLine } from '../../gateway/driver/modbus/wire/modbus-line.ts';
import { createRtuLine } from '../../gateway/driver/modbus/wire/rtu-line.ts';
import { replyTo, requestOf, type SlaveRequest } from './modbus-slave.ts';
import { randomOf } from './random-of.ts';
import { withCrc } from './crc.ts';

const TIMEOUT_MS = 25;
const UNITS = 3;
const COUNTS = [1, 2, 5] as const;
/** The longest delay of an answer: far behind timeout and quarantine, and before a shared line counts as clean again. */
const MOST_LATE_MS = 700;
const timing = { baudRate: 115_200, bitsPerChar: 10 };

export interface FuzzReport {
	readonly exchanges: number;
	readonly answers: number;
	/** Values given to a request that were another's, and writes confirmed that no device confirmed. */
	readonly misattributed: readonly string[];
	readonly failures: Readonly<Record<string, number>>;
	readonly counters: LineCounters;
}

type Chance = (share: number) => boolean;

/** What happens to one answer on its way. */
function fate(bytes: Buffer, chance: Chance, random: () => number): readonly Buffer[] {
	if (chance(0.05)) return [];
	if (chance(0.04)) {
		const damaged = Buffer.from(bytes);
		const at = Math.floor(random() * damaged.length);
		damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at);
		return [damaged];
	}
	if (chance(0.02)) return [bytes.subarray(0, Math.floor(random() * bytes.length))];
	// A repeater says it twice, in one breath: what comes later cannot be told from the answer to the next request.
	if (chance(0.02)) return [Buffer.concat([bytes, bytes])];
	if (chance(0.03)) return [Buffer.from([0, 0xff, 0x55].slice(0, 1 + Math.floor(random() * 3))), bytes];
	if (chance(0.3)) {
		const cut = 1 + Math.floor(random() * (bytes.length - 1));
		return [bytes.subarray(0, cut), bytes.subarray(cut)];
	}
	return [bytes];
}

/** A line with three devices that answer in order but not always, not in time and not in one piece, and with another master. */
function createBadLine(random: () => number, hasEcho: boolean) {
	const chance: Chance = (share) => random() < share;
	const confirmed = new Set<string>();
	let listener: ByteLinkListener | null = null;
	let inOrder: Promise<void> = Promise.resolve();

	function ask(request: SlaveRequest): void {
		if (chance(0.05)) return;
		const delayMs = chance(0.12) ? random() * MOST_LATE_MS : random() * 6;
		const heardAt = sleep(delayMs);
		const before = inOrder;
		inOrder = (async () => {
			await before;
			await heardAt;
			const isException = chance(0.04);
			const body = isException ? Buffer.from([request.unitId, request.functionCode | 0x80, 2]) : replyTo(request);
			for (const piece of fate(withCrc(body), chance, random)) {
				if (!isException && request.functionCode === 6)
					confirmed.add(`${request.functionCode}:${request.address}:${request.count}`);
				listener?.bytes(piece);
				if (chance(0.5)) await sleep(1);
			}
		})();
	}

	const link = (): ByteLink => ({
		open(next) {
			listener = next;
			return Promise.resolve();
		},
		write(bytes) {
			if (hasEcho) setImmediate(() => listener?.bytes(Buffer.from(bytes)));
			ask(requestOf(bytes.readUInt8(0), bytes.subarray(1)));
		},
		close() {
			listener = null;
			return Promise.resolve();
		},
	});

	/** A request of the other master; a garbled one is understood by the device all the same. */
	function foreign(request: SlaveRequest, isGarbled: boolean): void {
		const bytes = Buffer.alloc(6);
		bytes.writeUInt8(request.unitId, 0);
		bytes.writeUInt8(request.functionCode, 1);
		bytes.writeUInt16BE(request.address, 2);
		bytes.writeUInt16BE(request.count, 4);
		listener?.bytes(isGarbled ? Buffer.alloc(8, 0xb7) : withCrc(bytes));
		ask(request);
	}

	return { link, foreign, confirmed };
}

/** What is wrong with an answer; `null` when it is right. */
function flawOf(exchange: ModbusExchange, data: Buffer, confirmed: ReadonlySet<string>): string | null {
	if (exchange.functionCode === 6) {
		const key = `6:${exchange.address}:${exchange.words[0]}`;
		return confirmed.has(key) ? null : `the write ${key} was confirmed by nobody`;
	}
	if (exchange.functionCode !== 3) return 'an exchange of another kind';
	return data.equals(replyTo(exchange).subarray(3)) ? null : `${JSON.stringify(exchange)} -> ${data.toString('hex')}`;
}

const isGarbled = (random: () => number): boolean => random() < 0.2;

/** What is asked next: mostly a read. @param step makes writes distinct */
function nextExchange(
	random: () => number,
	read: SlaveRequest & { readonly functionCode: 3 },
	step: number,
): ModbusExchange {
	if (random() >= 0.15) return { ...read, timeoutMs: TIMEOUT_MS };
	const words = [Math.floor(random() * 65_536)];
	return { unitId: read.unitId, functionCode: 6, address: step, words, timeoutMs: TIMEOUT_MS, guardMs: 0 };
}

function account(report: MutableReport, counters: LineCounters): void {
	for (const [name, count] of Object.entries(counters)) {
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the names of an object's own members
		report.counters[name as keyof LineCounters] += Number(count);
	}
}

async function fuzzLine(seed: number, untilMs: number, isShared: boolean, report: MutableReport): Promise<void> {
	const random = randomOf(seed);
	const bad = createBadLine(random, random() < 0.4);
	const meter = createLineMeter(systemClock);
	const guard = createLateReplyGuard(() => systemClock.monotonicMs());
	const bystanders = createBystanders(systemClock, meter.counters);
	const pick = (most: number): number => Math.floor(random() * most);
	const anyRead = (): SlaveRequest & { readonly functionCode: 3 } => ({
		unitId: 1 + pick(UNITS),
		functionCode: 3,
		address: pick(20_000),
		count: COUNTS[pick(COUNTS.length)] ?? 1,
	});
	async function newLine(): Promise<ModbusLine> {
		const line = createRtuLine({ link: bad.link(), timing, clock: systemClock, meter, guard, bystanders });
		await line.open(new AbortController().signal, () => undefined);
		return line;
	}
	/** The other master, before or while something is asked. */
	async function disturb(): Promise<void> {
		if (!isShared || random() >= 0.2) return;
		const speak = (): void => bad.foreign(anyRead(), isGarbled(random));
		if (random() < 0.5) {
			setTimeout(speak, random() * TIMEOUT_MS);
			return;
		}
		speak();
		if (random() < 0.5) await sleep(random() * 10);
	}
	async function askOn(line: ModbusLine, exchange: ModbusExchange): Promise<void> {
		report.exchanges += 1;
		try {
			const flaw = flawOf(exchange, (await line.transact(exchange)).data, bad.confirmed);
			report.answers += 1;
			if (flaw !== null) report.misattributed.push(`seed ${seed}: ${flaw}`);
		} catch (error) {
			if (!(error instanceof ModbusFault)) throw error;
			report.failures[error.failure] = (report.failures[error.failure] ?? 0) + 1;
		}
	}

	let line = await newLine();
	if (isShared) bad.foreign(anyRead(), false);
	for (let step = 0; systemClock.monotonicMs() < untilMs; step += 1) {
		if (random() < 0.005) {
			await line.close();
			line = await newLine();
		}
		await disturb();
		await askOn(line, nextExchange(random, anyRead(), step));
	}
	await line.close();
	account(report, meter.counters);
}

interface MutableReport {
	exchanges: number;
	answers: number;
	readonly misattributed: string[];
	readonly failures: Record<string, number>;
	readonly counters: LineCounters;
}

/**
 * Reads and writes on many bad lines at once: answers late, lost, damaged, cut, doubled, in pieces and behind noise; adapters that
 * hear themselves; another master whose requests are sometimes garbled. @param seed of the first line
 */
export async function fuzzRtu(options: {
	readonly lines: number;
	readonly seconds: number;
	readonly seed: number;
}): Promise<FuzzReport> {
	const report: MutableReport = {
		exchanges: 0,
		answers: 0,
		misattributed: [],
		failures: {},
		counters: createLineMeter(systemClock).counters,
	};
	const untilMs = systemClock.monotonicMs() + 1000 * options.seconds;
	const lines = Array.from({ length: options.lines }, (_, index) =>
		fuzzLine(options.seed + index, untilMs, index % 2 === 1, report),
	);
	await Promise.all(lines);
	return report;
}
