import { setTimeout as sleep } from 'node:timers/promises';

import mqtt from 'mqtt';

import { numbersOf, requiredArguments } from './arguments.ts';
import { type ProcessUsage, usageOf } from './process-usage.ts';

/**
 * Program: subscribes, and tells the age of every stamped value on arrival, and what the processes under test used meanwhile.
 * A stamped value is a whole number below a key `stamp_<n>`; it holds the clock of its reading, ms modulo 65 536.
 */
const STAMP_KEY = /^stamp_\d+$/;
/** Ages above this are a clock that went round, not values that old. */
const WRAP_MS = 60_000;

const given = requiredArguments(['port', 'topic', 'seconds', 'warm', 'pids', 'username', 'password']);
const pids = numbersOf(given.pids);
const ages: number[] = [];
let messages = 0;
let isMeasuring = false;

function noteAges(value: unknown, nowMs: number, isStamp: boolean): void {
	if (typeof value === 'number') {
		if (!isStamp) return;
		const age = (nowMs - value) & 0xffff;
		ages.push(age > WRAP_MS ? age - 0x1_0000 : age);
	} else if (typeof value === 'object' && value !== null) {
		for (const [key, inner] of Object.entries(value))
			noteAges(inner, nowMs, STAMP_KEY.test(key) || (isStamp && key === 'value'));
	}
}

const percentile = (share: number): number =>
	ages[Math.min(ages.length - 1, Math.floor(ages.length * share))] ?? Number.NaN;

const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${given.port}`, {
	...(given.username === '' ? {} : { username: given.username, password: given.password }),
	reconnectPeriod: 0,
});
client.on('message', (_topic, payload) => {
	if (!isMeasuring) return;
	messages += 1;
	noteAges(JSON.parse(payload.toString()), Date.now(), false);
});
await client.subscribeAsync(given.topic);
await sleep(Number(given.warm) * 1000);

const total = (usages: readonly ProcessUsage[]): ProcessUsage => ({
	cpuMs: usages.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
	rssBytes: usages.reduce((sum, { rssBytes }) => sum + rssBytes, 0),
});
const before = total(pids.map(usageOf));
const fromMs = performance.now();
isMeasuring = true;
await sleep(Number(given.seconds) * 1000);
isMeasuring = false;
const elapsedMs = performance.now() - fromMs;
const after = total(pids.map(usageOf));

ages.sort((a, b) => a - b);
console.log(
	JSON.stringify({
		event: 'measured',
		points_per_s: (ages.length * 1000) / elapsedMs,
		messages_per_s: (messages * 1000) / elapsedMs,
		age_p50_ms: percentile(0.5),
		age_p99_ms: percentile(0.99),
		age_max_ms: ages.at(-1) ?? Number.NaN,
		cpu_percent: ((after.cpuMs - before.cpuMs) / elapsedMs) * 100,
		rss_mb: after.rssBytes / 1e6,
	}),
);
client.end(true);
