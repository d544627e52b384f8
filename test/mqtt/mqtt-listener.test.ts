import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, TLSSocket } from 'node:tls';

import test from 'ava';

import type { MqttCredentials } from '../../core/mqtt/mqtt.ts';
import { connectPacket, rawPeer, startBroker } from '../fake/mqtt-peer.ts';
import { openMqttPort } from '../fake/mqtt-port.ts';
import { lacks, run } from '../fake/peer-program.ts';

test('an accepted socket sends small packets at once', async (t) => {
	const sockets: Socket[] = [];
	const listener = await openMqttPort({ handle: (socket) => void sockets.push(socket.end('hello')) });
	const peer = rawPeer(listener.port);
	await peer.closed();
	t.is(peer.heard().toString(), 'hello');
	await listener.stop();
	await listener.stop();
	const late = rawPeer(listener.port);
	await late.closed();
	t.is(late.heard().length, 0);
	t.is(sockets.length, 1);
});

test('with an authority, only clients with its certificate get in, and the account rule sees which one', async (t) => {
	if (lacks(t, 'openssl')) return;
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-tls-'));
	t.teardown(() => rmSync(folder, { recursive: true, force: true }));
	const keyPath = join(folder, 'key.pem');
	const certPath = join(folder, 'cert.pem');
	const selfSigned = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost';
	const made = await run('openssl', [...selfSigned.split(' '), '-keyout', keyPath, '-out', certPath]);
	t.is(made.code, 0, made.err);
	const key = readFileSync(keyPath);
	const cert = readFileSync(certPath);
	const seen: MqttCredentials[] = [];
	const { broker, stop } = await startBroker({
		authenticate: async (credentials) => {
			seen.push(credentials);
			return { name: credentials.username };
		},
	});
	const listener = await openMqttPort({ tls: { key, cert, ca: cert }, ...broker });
	t.teardown(async () => {
		await listener.stop();
		await stop();
	});
	const options = { host: '127.0.0.1', port: listener.port, ca: cert, servername: 'localhost' };
	const client = connectTls({ ...options, key, cert });
	client.write(connectPacket('gateway'));
	const [answer]: Buffer[] = await new Promise((resolve) =>
		client.once('data', (...given: Buffer[]) => resolve(given)),
	);
	t.deepEqual(answer, Buffer.from([0x20, 2, 0, 0]));
	t.true(client instanceof TLSSocket && client.authorized);
	t.is(seen[0]?.encrypted, true);
	t.regex(seen[0]?.certificate ?? '', /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
	const stranger = connectTls(options);
	stranger.on('error', () => undefined);
	stranger.write(connectPacket('gateway'));
	await new Promise((resolve) => stranger.once('close', resolve));
	t.is(seen.length, 1);
	client.destroy();
});
