import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:http';
import { connect } from 'node:tls';

import test from 'ava';

import { httpsListener } from '../../core/http/https-listener.ts';
import { DEFAULT_HTTP_LIMITS } from '../../core/http/server.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { makeAuthority } from '../../core/pki/authority.ts';
import { openServerCertificate, type ServerTls } from '../../core/pki/server-certificate.ts';
import { listenOnLoopback } from '../../gateway/simulator/listen.ts';
import { createManualClock } from '../fake/manual-clock.ts';

const DAY_MS = 86_400_000;

async function box(validity: 'always' | 'backdated', startMs?: number) {
	const clock = createManualClock(startMs);
	const names = ['localhost'];
	const authority = await makeAuthority('test');
	const certificate = await openServerCertificate({
		authority,
		commonName: 'box',
		names: () => [...names],
		validity,
		clock,
		log: silentLog,
	});
	const told: ServerTls[] = [];
	certificate.onChange((tls) => void told.push(tls));
	return { clock, names, authority, certificate, told };
}

const parsed = ({ cert }: ServerTls): X509Certificate => new X509Certificate(cert);

test('it is made anew when an address changes, and whoever serves it is told', async (t) => {
	const { names, certificate, told } = await box('backdated');
	const first = certificate.current();
	await certificate.check();
	t.is(certificate.current().cert, first.cert);
	names.push('192.0.2.7');
	await certificate.check();
	t.is(told.length, 1);
	t.is(told[0]?.cert, certificate.current().cert);
	t.is(parsed(certificate.current()).checkIP('192.0.2.7'), '192.0.2.7');
	t.is(parsed(first).checkIP('192.0.2.7'), undefined);
	t.not(certificate.current().key, first.key);
	await certificate.stop();
});

test('a running listener serves the new certificate, and has the limits of the plain one', async (t) => {
	const { names, authority, certificate } = await box('backdated');
	const limits = { ...DEFAULT_HTTP_LIMITS, headersWithinMs: 1_234, connections: 7 };
	const listener = httpsListener({ plain: createServer(), certificate, limits, log: silentLog });
	t.is(listener.headersTimeout, 1_234);
	t.is(listener.maxConnections, 7);
	const port = await listenOnLoopback(listener, 0);
	t.teardown(() => void listener.close());
	const seen = (): Promise<string> =>
		new Promise((resolve, reject) => {
			const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: authority.caPem }, () => {
				resolve(socket.getPeerCertificate().fingerprint256);
				socket.destroy();
			});
			socket.on('error', reject);
		});
	t.is(await seen(), parsed(certificate.current()).fingerprint256);
	names.push('192.0.2.7');
	const before = parsed(certificate.current()).fingerprint256;
	await certificate.check();
	t.not(await seen(), before);
	t.is(await seen(), parsed(certificate.current()).fingerprint256);
	await certificate.stop();
});

test('it is made anew in time before its end', async (t) => {
	const { clock, certificate, told } = await box('always');
	clock.advance(239 * DAY_MS);
	await certificate.check();
	t.is(told.length, 0);
	clock.advance(2 * DAY_MS);
	await certificate.check();
	t.is(told.length, 1);
	t.true(Date.parse(parsed(certificate.current()).validTo) > clock.now() + 300 * DAY_MS);
	await certificate.stop();
});

test('a box that learns the time after its start gets a certificate of this year', async (t) => {
	const { clock, certificate, told } = await box('backdated', 0);
	t.is(Date.parse(parsed(certificate.current()).validFrom), 0);
	clock.jumpTo(Date.UTC(2026, 5, 1));
	await certificate.check();
	t.is(told.length, 1);
	const { validFrom, validTo } = parsed(certificate.current());
	t.true(Date.parse(validFrom) < clock.now() && clock.now() < Date.parse(validTo));
	clock.jumpTo(Date.UTC(2020, 5, 1));
	await certificate.check();
	t.is(told.length, 2, 'a clock that was set back too');
	await certificate.stop();
});

test('phones take it: it is valid for 825 days at most, and for servers', async (t) => {
	const { certificate } = await box('backdated');
	const { validFrom, validTo, keyUsage } = parsed(certificate.current());
	t.true(Date.parse(validTo) - Date.parse(validFrom) <= 825 * DAY_MS);
	t.deepEqual(keyUsage, ['1.3.6.1.5.5.7.3.1']);
	await certificate.stop();
});

test('gateways without a clock take it: it was always valid', async (t) => {
	const { certificate } = await box('always');
	t.is(Date.parse(parsed(certificate.current()).validFrom), 0);
	await certificate.stop();
});
