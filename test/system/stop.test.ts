import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import test from 'ava';

import { claim } from './kit/rest.ts';
import { createStage } from './kit/stage.ts';

const HOST = '127.0.0.1';
const REQUESTS = 20;

/** What clients send that never come to an end: half a head, half a body, half a CONNECT, nothing at all. */
const HALVES: Readonly<Record<'http' | 'mqtt', readonly (string | Uint8Array)[]>> = {
	http: [
		'GET / HTT',
		'POST /api/v1/devices HTTP/1.1\r\nHost: box\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
		'',
	],
	mqtt: [Uint8Array.of(0x10, 0x20, 0, 4), ''],
};

function hang(port: number, isTls: boolean, half: string | Uint8Array): Promise<Socket> {
	return new Promise((resolve) => {
		const socket: Socket = isTls
			? connectTls({ host: HOST, port, rejectUnauthorized: false }, () => resolve(socket))
			: connectPlain(port, HOST, () => resolve(socket));
		// Cut by the box, or refused: both is an end.
		socket.on('error', () => resolve(socket));
		if (half.length > 0) socket.write(half);
	});
}

for (const role of ['gateway', 'hub'] as const) {
	test.serial(`a ${role} ends by itself, in order, while clients of all its ports hang and requests run`, async (t) => {
		t.timeout(300_000);
		const stage = createStage(t);
		const hull = role === 'hub' ? await stage.spawnHub() : await stage.spawnGateway({ devices: [] });
		const rest = await claim(hull.url(), await hull.claimCode());
		const ports = [
			{ port: hull.port('http_port'), isTls: false, halves: HALVES.http },
			{ port: hull.port('https_port'), isTls: true, halves: HALVES.http },
			{ port: hull.port('mqtt_port'), isTls: false, halves: HALVES.mqtt },
			// Not even the handshake.
			{ port: hull.port('mqtt_tls_port'), isTls: false, halves: HALVES.mqtt },
			{ port: hull.port('link_port'), isTls: false, halves: HALVES.mqtt },
		].filter(({ port }) => port > 0);
		const hanging = await Promise.all(
			ports.flatMap(({ port, isTls, halves }) => halves.map((half) => hang(port, isTls, half))),
		);
		t.teardown(() => {
			for (const socket of hanging) socket.destroy();
		});
		const running = Array.from({ length: REQUESTS }, (_, index) =>
			rest.post('/api/v1/devices', { name: 'one of many', device_type: 'mqtt', device_uid: `many-${index}` }).then(
				({ status }) => status,
				() => 0,
			),
		);
		await Promise.race(running);
		const startMs = performance.now();
		await hull.stop();
		t.log(`${role}: ${(performance.now() - startMs).toFixed(0)} ms`);
		const outcome = await hull.child().exited;
		t.deepEqual(outcome, { code: 0, signal: null }, hull.child().lastLines().join('\n'));
		const said = hull.child().lastLines().join('\n');
		t.notRegex(said, /"level":"error"/);
		t.regex(said, /"event":"stopped"/);
		const statuses = await Promise.all(running);
		await hull.start();
		for (const [index, status] of statuses.entries())
			if (status === 201) t.is((await rest.get(`/api/v1/devices/many-${index}`)).status, 200);
	});
}
