import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { member, type Rest } from '../system/kit/rest.ts';
import { waitFor } from '../system/kit/wait-for.ts';
import { startPair } from './pair.ts';

const WITHIN_MS = 30_000;
const VALUES = 12;
const FRAMES_START = 4_096;

/** Flips a bit in the middle of what the newest segment holds; answers how much that is. */
function damage(folder: string): number {
	const newest = readdirSync(folder)
		.filter((name) => name.endsWith('.segment'))
		.toSorted()
		.at(-1);
	const path = join(folder, newest ?? '');
	const bytes = readFileSync(path);
	const end = bytes.findLastIndex((byte) => byte !== 0);
	const middle = FRAMES_START + Math.floor((end - FRAMES_START) / 2);
	bytes[middle] = (bytes[middle] ?? 0) ^ 1;
	writeFileSync(path, bytes);
	return end - FRAMES_START;
}

const untilAt = (hub: Rest, count: number): Promise<readonly unknown[]> =>
	waitFor(`${count} values at the hub`, WITHIN_MS, async () => {
		const { body } = await hub.get('/api/v1/devices/meter/telemetry?limit=100');
		return Array.isArray(body) && body.length >= count && body;
	});

test.serial(
	'what a damaged place of the journal has cost the hub, it asks its gateways for, and has again',
	async (t) => {
		t.timeout(300_000);
		const lost: unknown[] = [];
		const pair = await startPair(t, {
			log: {
				debug: () => undefined,
				info: () => undefined,
				warn: () => undefined,
				error: (event, fields) => void (event === 'samples-lost-at-hub' && lost.push(fields)),
				child() {
					return this;
				},
			},
		});
		const gateway = await pair.gatewayRest();
		await gateway.post('/api/v1/devices', {
			device_uid: 'meter',
			name: 'meter',
			device_type: 'sensor',
			connection: { driver: 'mqtt' },
		});
		await gateway.post('/api/v1/uplink/enrol', { hub_url: pair.hubUrl(), code: pair.code() });
		const hub = await pair.hubRest();
		for (let value = 1; value <= VALUES; value += 1) {
			const { status } = await gateway.post('/api/v1/devices/meter/telemetry', {
				telemetry_type: 'default',
				payload: { value },
			});
			t.is(status, 201);
			// One after the other, so that each is a commit of its own.
			await untilAt(hub, value);
		}
		let bytes = 0;
		await pair.restartHub(() => (bytes = damage(join(pair.folder('hub'), 'journal'))));
		t.true(bytes > 0);
		const found = await untilAt(await pair.hubRest(), VALUES);
		t.deepEqual(
			found.map((record) => Number(member(member(record, 'payload'), 'value'))).toSorted((one, other) => one - other),
			Array.from({ length: VALUES }, (_, index) => index + 1),
		);
		t.is(lost.length, 1, 'the hub knew what it had lost');
	},
);
