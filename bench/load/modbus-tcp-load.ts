import { connect } from 'node:net';
import ModbusRTU from 'modbus-serial';

import { systemClock } from '../../core/kernel/clock.ts';
import { createLineMeter } from '../../gateway/driver/line-meter.ts';
import { createSocketLink } from '../../gateway/driver/modbus/wire/socket-link.ts';
import { createTcpLine } from '../../gateway/driver/modbus/wire/tcp-line.ts';
import { requiredArguments } from './arguments.ts';

/**
 * Program: reads `registers` registers of one slave over one connection, with `depth` requests under way, through the line of the
 * gateway (`drawbridge`), through stock modbus-serial (`modbus-serial`) or with nothing but a socket (`net`). Tells requests per
 * second, processor time and latency of one request.
 */
const given = requiredArguments(['kind', 'port', 'depth', 'registers', 'warm', 'seconds']);
const port = Number(given.port);
const depth = Number(given.depth);
const count = Number(given.registers);
const host = '127.0.0.1';
const TIMEOUT_MS = 5000;
/** Latencies kept: those of the last requests. */
const KEPT = 1 << 16;

let requests = 0;
const latenciesMs = new Float64Array(KEPT);

function answered(sentAtMs: number): void {
	latenciesMs[requests % KEPT] = performance.now() - sentAtMs;
	requests += 1;
}

function check(data: Buffer): void {
	if (data.length !== 2 * count || data.readUInt16BE(data.length - 2) !== count - 1) throw new Error('a wrong answer');
}

type Ask = () => Promise<void>;

/** Asks without end, `depth` times at once. */
function askOn(ask: Ask): void {
	const loop = async (): Promise<never> => {
		for (;;) {
			const sentAtMs = performance.now();
			await ask();
			answered(sentAtMs);
		}
	};
	for (let index = 0; index < depth; index += 1) void loop();
}

async function startDrawbridge(): Promise<void> {
	const link = createSocketLink({ host, port });
	const line = createTcpLine({ link, place: host, depth, clock: systemClock, meter: createLineMeter(systemClock) });
	await line.open(new AbortController().signal, (reason) => {
		throw new Error(String(reason));
	});
	const read = { unitId: 1, functionCode: 3, address: 0, count, timeoutMs: TIMEOUT_MS } as const;
	askOn(async () => check((await line.transact(read)).data));
}

async function startStock(): Promise<void> {
	const client = new ModbusRTU.default();
	await client.connectTCP(host, { port });
	client.setID(1);
	client.setTimeout(TIMEOUT_MS);
	askOn(async () => check((await client.readHoldingRegisters(0, count)).buffer));
}

/** The floor: one request and one answer of known length after the other, no timeout, no checks but the last register. */
async function startNet(): Promise<void> {
	const socket = connect({ host, port, noDelay: true });
	await new Promise((resolve) => {
		socket.once('connect', resolve);
	});
	const answerBytes = 9 + 2 * count;
	const sentAtMs = new Float64Array(0x1_0000);
	let id = 0;
	let rest: Buffer = Buffer.alloc(0);
	const ask = (): void => {
		id = (id + 1) & 0xffff;
		const request = Buffer.from([id >> 8, id, 0, 0, 0, 6, 1, 3, 0, 0, 0, count]);
		sentAtMs[id] = performance.now();
		socket.write(request);
	};
	socket.on('data', (chunk: Buffer) => {
		const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
		let start = 0;
		for (; start + answerBytes <= bytes.length; start += answerBytes) {
			check(bytes.subarray(start + 9, start + answerBytes));
			answered(sentAtMs[bytes.readUInt16BE(start)] ?? 0);
			ask();
		}
		rest = bytes.subarray(start);
	});
	for (let index = 0; index < depth; index += 1) ask();
}

const starts: Readonly<Record<string, () => Promise<void>>> = {
	drawbridge: startDrawbridge,
	'modbus-serial': startStock,
	net: startNet,
};

const after = (seconds: string): Promise<void> =>
	new Promise((resolve) => {
		setTimeout(resolve, Number(seconds) * 1000);
	});

await starts[given.kind]?.();
await after(given.warm);
const cpuBefore = process.cpuUsage();
const beforeMs = performance.now();
requests = 0;
await after(given.seconds);
const cpu = process.cpuUsage(cpuBefore);
const seconds = (performance.now() - beforeMs) / 1000;
const sorted = latenciesMs.slice(0, Math.min(requests, KEPT)).toSorted();
const percentileUs = (share: number): number => 1000 * (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN);
console.log(
	JSON.stringify({
		requests_per_s: requests / seconds,
		cpu_us: (cpu.user + cpu.system) / requests,
		p50_us: percentileUs(0.5),
		p99_us: percentileUs(0.99),
	}),
);
process.exit(0);
