import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { requiredArguments } from './arguments.ts';
import { usageOf } from './process-usage.ts';

/**
 * Program: `publishers` clients publish at QoS 1, each with `window` messages that have not yet come out again; one client subscribed at
 * QoS 1 hears them all. Its own codec, so that the load is not what is measured. Tells messages that arrived per second,
 * and their age.
 */
const given = requiredArguments(['port', 'publishers', 'window', 'warm', 'seconds', 'passwords', 'pid']);
const port = Number(given.port);
const publishers = Number(given.publishers);
const window = Number(given.window);
const passwords = given.passwords.split(',');

const KEEPALIVE_S = 60;
/** Added to the clock of this process, so that every stamp has the same number of digits. */
const STAMP_BASE = 1e9;
const STAMP_DIGITS = 14;
const STAMP_AT = '{"uptime":'.length;
/** One age of this many messages is kept. */
const AGE_EVERY = 16;

const stamp = (): string => (STAMP_BASE + performance.now()).toFixed(3);

/** What a sensor says, two metrics; one of them is the clock. */
const payload = (): Buffer => Buffer.from(`{"uptime":${stamp()},"temperature":21.47,"telemetry_type":"sensor_data"}`);

const text = (value: string): Buffer => {
	const bytes = Buffer.from(value);
	return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
};

/** A packet of at most 16 383 bytes. */
function packet(type: number, ...parts: readonly Buffer[]): Buffer {
	const body = Buffer.concat(parts);
	const length = body.length < 128 ? [body.length] : [(body.length & 0x7f) | 0x80, body.length >> 7];
	return Buffer.concat([Buffer.from([type, ...length]), body]);
}

function connectPacket(username: string, password: string): Buffer {
	const login = password === '' ? [] : [text(username), text(password)];
	const flags = password === '' ? 0x02 : 0xc2;
	return packet(0x10, text('MQTT'), Buffer.from([4, flags, 0, KEEPALIVE_S]), text(username), ...login);
}

type PacketListener = (type: number, body: Buffer) => void;

/** Cuts whole packets from the front; answers what is left. */
function cut(bytes: Buffer, onPacket: PacketListener): Buffer {
	let at = 0;
	while (bytes.length - at >= 2) {
		const first = bytes[at + 1] ?? 0;
		const isLong = first >= 128;
		if (isLong && bytes.length - at < 3) break;
		const length = isLong ? (first & 0x7f) + 128 * (bytes[at + 2] ?? 0) : first;
		const from = at + (isLong ? 3 : 2);
		if (from + length > bytes.length) break;
		onPacket(bytes[at] ?? 0, bytes.subarray(from, from + length));
		at = from + length;
	}
	return bytes.subarray(at);
}

async function open(username: string, password: string, onPacket: PacketListener): Promise<Socket> {
	const socket = connect({ port, host: '127.0.0.1', noDelay: true });
	let rest: Buffer = Buffer.alloc(0);
	await new Promise<void>((resolve, reject) => {
		socket.on('error', reject);
		socket.on('close', () => reject(new Error(`${username} was closed`)));
		socket.on('data', (chunk: Buffer) => {
			rest = cut(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]), (type, body) => {
				if (type >> 4 === 2) resolve();
				else onPacket(type, body);
			});
		});
		socket.write(connectPacket(username, password));
	});
	socket.on('close', () => process.exit(1));
	return socket;
}

/** Answers are gathered for a turn of the event loop: one write for what one read has brought. */
function gathering(socket: () => Socket): (bytes: Buffer) => void {
	let waiting: Buffer[] = [];
	return (bytes) => {
		if (waiting.push(bytes) > 1) return;
		setImmediate(() => {
			socket().write(Buffer.concat(waiting));
			waiting = [];
		});
	};
}

let isMeasuring = false;
let heard = 0;
const ages: number[] = [];

function note(body: Buffer, payloadAt: number): void {
	if (!isMeasuring) return;
	heard += 1;
	if (heard % AGE_EVERY !== 0) return;
	const from = payloadAt + STAMP_AT;
	ages.push(performance.now() + STAMP_BASE - Number(body.toString('latin1', from, from + STAMP_DIGITS)));
}

/** By topic: what came out is followed by the next. */
const publishNext = new Map<string, () => void>();

async function startSubscriber(): Promise<void> {
	const granted = { done: (): void => undefined };
	const subscribed = new Promise<void>((resolve) => (granted.done = resolve));
	const send = gathering(() => socket);
	const socket = await open('reader', passwords.at(-1) ?? '', (type, body) => {
		if (type >> 4 === 9) granted.done();
		if (type >> 4 !== 3) return;
		const topicEnd = 2 + body.readUInt16BE(0);
		const qos = (type >> 1) & 3;
		publishNext.get(body.toString('latin1', 2, topicEnd))?.();
		if (qos > 0) send(Buffer.from([0x40, 2, body[topicEnd] ?? 0, body[topicEnd + 1] ?? 0]));
		note(body, qos > 0 ? topicEnd + 2 : topicEnd);
	});
	socket.write(packet(0x82, Buffer.from([0, 1]), text('devices/#'), Buffer.from([1])));
	await subscribed;
}

async function startPublisher(index: number): Promise<void> {
	const username = `bench-${index}`;
	const name = `devices/${username}/telemetry`;
	const topic = text(name);
	let messageId = 0;
	const publish = (): void => {
		messageId = messageId === 0xffff ? 1 : messageId + 1;
		send(packet(0x32, topic, Buffer.from([messageId >> 8, messageId & 0xff]), payload()));
	};
	const send = gathering(() => socket);
	const socket = await open(username, passwords[index] ?? '', () => undefined);
	publishNext.set(name, publish);
	for (let first = 0; first < window; first += 1) publish();
}

const percentile = (share: number): number =>
	ages[Math.min(ages.length - 1, Math.floor(ages.length * share))] ?? Number.NaN;

await startSubscriber();
for (let index = 0; index < publishers; index += 1) await startPublisher(index);
await sleep(Number(given.warm) * 1_000);
const pid = Number(given.pid);
const before = usageOf(pid);
const fromMs = performance.now();
isMeasuring = true;
await sleep(Number(given.seconds) * 1_000);
isMeasuring = false;
const elapsedMs = performance.now() - fromMs;
const cpuMs = usageOf(pid).cpuMs - before.cpuMs;
ages.sort((a, b) => a - b);
console.log(
	JSON.stringify({
		event: 'measured',
		messages_per_s: (heard * 1_000) / elapsedMs,
		age_p50_ms: percentile(0.5),
		age_p99_ms: percentile(0.99),
		cpu_us: (cpuMs * 1_000) / heard,
	}),
);
process.exit(0);
