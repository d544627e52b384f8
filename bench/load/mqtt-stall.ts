import { setTimeout as sleep } from 'node:timers/promises';

import mqtt from 'mqtt';

import { requiredArguments } from './arguments.ts';

/**
 * Program: a publisher, a healthy subscriber, and one that stops reading. Tells the longest time in which nothing came to the healthy
 * one, and how many messages came.
 */
const { port, seconds, passwords: given } = requiredArguments(['port', 'seconds', 'passwords']);
const passwords = given.split(',').filter(Boolean);
const TOPIC = 'devices/bench-0/telemetry';
const PAYLOAD = JSON.stringify({ temperature: 21.5, text: 'x'.repeat(1_000) });
const PER_TICK = 4;
const TICK_MS = 2;

const open = (username: string, password: string | undefined, clientId: string) =>
	mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
		clientId,
		reconnectPeriod: 0,
		...(password === undefined ? {} : { username, password }),
	});

const reader = passwords.at(-1);
const healthy = await open('reader', reader, 'healthy');
const frozen = await open('reader', reader, 'frozen');
const publisher = await open('bench-0', passwords[0], 'publisher');
frozen.on('error', () => undefined);
await frozen.subscribeAsync('devices/#');
let heard = 0;
let lastMs = performance.now();
let longestMs = 0;
const note = (): void => {
	const nowMs = performance.now();
	longestMs = Math.max(longestMs, nowMs - lastMs);
	lastMs = nowMs;
};
healthy.on('message', () => {
	heard += 1;
	note();
});
await healthy.subscribeAsync('devices/#');
frozen.stream.pause();
Reflect.set(frozen.stream, 'read', () => null);
lastMs = performance.now();
const timer = setInterval(() => {
	for (let count = 0; count < PER_TICK; count += 1) publisher.publish(TOPIC, PAYLOAD);
}, TICK_MS);
await sleep(Number(seconds) * 1_000);
clearInterval(timer);
note();
console.log(JSON.stringify({ event: 'measured', longest_gap_ms: longestMs, messages: heard }));
process.exit(0);
