import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { requiredArguments } from './arguments.ts';
import { usageOf } from './process-usage.ts';

/**
 * Program: many websocket clients that count the events they get and look at nothing else, so that the server is what is measured. Tells it
 * on its control port what the slowest has, and the measurement on stdout.
 */
const CONNECT_TOGETHER = 50;
const TELEMETRY = Buffer.from('42/monitoring,["telemetry"');

const given = requiredArguments(['kind', 'port', 'control', 'clients', 'warm', 'seconds', 'pid']);
const clients = Number(given.clients);
const pid = Number(given.pid);

/** How many clients have got so many events; the lowest key is the slowest. */
const clientsByCount = new Map<number, number>([[0, clients]]);
let slowest = 0;
let total = 0;
const control = connect({ host: '127.0.0.1', port: Number(given.control), noDelay: true });

function got(count: number): void {
	total += 1;
	clientsByCount.set(count - 1, (clientsByCount.get(count - 1) ?? 0) - 1);
	clientsByCount.set(count, (clientsByCount.get(count) ?? 0) + 1);
	if (clientsByCount.get(slowest) !== 0) return;
	while (clientsByCount.get(slowest) === 0) {
		clientsByCount.delete(slowest);
		slowest += 1;
	}
	control.write(`${slowest}\n`);
}

/** A text frame of a client (RFC 6455, masked with zeros). */
function frame(text: string): Buffer {
	const payload = Buffer.from(text);
	return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

const LONG = 126;

/** Cuts what a server sends into payloads; none is longer than 65 535 bytes. */
function createFrameReader(take: (payload: Buffer) => void): (chunk: Buffer) => void {
	let rest = Buffer.alloc(0);
	return (chunk) => {
		const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
		let at = 0;
		for (;;) {
			const short = bytes[at + 1];
			const header = short === LONG ? 4 : 2;
			if (short === undefined || bytes.length < at + header) break;
			const end = at + header + (short === LONG ? bytes.readUInt16BE(at + 2) : short);
			if (bytes.length < end) break;
			take(bytes.subarray(at + header, end));
			at = end;
		}
		rest = Buffer.from(bytes.subarray(at));
	};
}

/** What a client of this kind asks for, and `null` when it is a subscriber; then events are what begins with the answer's text. */
function answerTo(payload: Buffer): string | null {
	const text = payload.toString('utf8', 0, 40);
	if (text.startsWith('0{')) return '40/monitoring,{"token":"bench"}';
	if (text.startsWith('40/monitoring')) return '42/monitoring,0["subscribe_device",{"device_uid":"bench"}]';
	return null;
}

function upgraded(socket: Socket): Promise<Buffer> {
	return new Promise((resolve, reject) => {
		let head = Buffer.alloc(0);
		socket.once('error', reject);
		socket.on('data', function onData(chunk: Buffer) {
			head = Buffer.concat([head, chunk]);
			const end = head.indexOf('\r\n\r\n');
			if (end < 0) return;
			socket.off('data', onData);
			resolve(head.subarray(end + 4));
		});
	});
}

async function subscribe(): Promise<Socket> {
	const path = given.kind === 'ws' ? '/' : '/socket.io/?EIO=4&transport=websocket';
	const socket = connect({ host: '127.0.0.1', port: Number(given.port), noDelay: true });
	socket.write(
		`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
			`Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
	);
	const first = await upgraded(socket);
	let count = 0;
	await new Promise<void>((resolve) => {
		if (given.kind === 'ws') resolve();
		const read = createFrameReader((payload) => {
			if (given.kind === 'ws' || payload.subarray(0, TELEMETRY.length).equals(TELEMETRY)) {
				got((count += 1));
				return;
			}
			const answer = answerTo(payload);
			if (answer !== null) socket.write(frame(answer));
			else resolve();
		});
		socket.on('data', read);
		if (first.length > 0) read(first);
	});
	return socket;
}

const sockets: Socket[] = [];
while (sockets.length < clients) {
	const together = Math.min(CONNECT_TOGETHER, clients - sockets.length);
	sockets.push(...(await Promise.all(Array.from({ length: together }, subscribe))));
}
control.write('0\n');
await sleep(Number(given.warm) * 1_000);
const before = { total, cpuMs: usageOf(pid).cpuMs, atMs: performance.now() };
await sleep(Number(given.seconds) * 1_000);
const elapsedMs = performance.now() - before.atMs;
const messages = total - before.total;
const { cpuMs, rssBytes } = usageOf(pid);
console.log(
	JSON.stringify({
		event: 'measured',
		messages_per_s: (messages * 1_000) / elapsedMs,
		cpu_us_per_message: ((cpuMs - before.cpuMs) * 1_000) / messages,
		rss_mb: rssBytes / 1e6,
	}),
);
control.destroy();
for (const socket of sockets) socket.destroy();
