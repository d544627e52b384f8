import type { Socket } from 'node:net';
import { connect, TLSSocket } from 'node:tls';

import test from 'ava';

import { systemClock } from '../../core/kernel/clock.ts';
import { clientCertificateOf } from '../../core/mqtt/client-certificate.ts';
import { ALWAYS, type Authority, issueClient, issueServer, makeAuthority } from '../../core/pki/authority.ts';
import { type Credential, factsOf, requestCertificate } from '../../core/pki/certificate.ts';
import { openMqttPort } from '../fake/mqtt-port.ts';

async function clientOf(authority: Authority, days: number): Promise<Credential> {
	const { csrPem, keyPem } = await requestCertificate('client');
	const certPem = await issueClient(authority, { commonName: 'client', csrPem, now: systemClock.now(), days });
	return { certPem, keyPem };
}

test('a listener with an authority passes on whom it has signed, expired or not, and nobody else', async (t) => {
	const authority = await makeAuthority('ours');
	const tomorrow = new Date(Date.now() + 86_400_000);
	const server = await issueServer(authority, {
		commonName: 'server',
		names: ['localhost'],
		notBefore: ALWAYS,
		notAfter: tomorrow,
	});
	const seen: (string | null)[] = [];
	const listener = await openMqttPort({
		tls: { key: server.keyPem, cert: server.certPem, ca: authority.caPem },
		handle(socket: Socket) {
			seen.push(socket instanceof TLSSocket ? clientCertificateOf(socket) : 'no TLS');
			socket.end();
		},
	});
	t.teardown(() => listener.stop());
	const visit = (credential: Credential | null): Promise<void> =>
		new Promise((resolve) => {
			const own = credential === null ? {} : { cert: credential.certPem, key: credential.keyPem };
			const options = { host: '127.0.0.1', port: listener.port, servername: 'localhost', ca: authority.caPem, ...own };
			const socket = connect(options);
			socket.resume();
			socket.on('error', () => undefined);
			socket.on('close', () => resolve());
		});
	const [ours, expired] = [await clientOf(authority, 1), await clientOf(authority, -1)];
	await visit(null);
	await visit(await clientOf(await makeAuthority('ours'), 1));
	await visit(await clientOf(await makeAuthority('theirs'), 1));
	t.deepEqual(seen, []);
	await visit(ours);
	await visit(expired);
	t.deepEqual(
		seen,
		[ours, expired].map(({ certPem }) => factsOf(certPem).fingerprint),
	);
});
