import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';

import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';

import { systemClock } from '../../core/kernel/clock.ts';
import { type Logger, silentLog } from '../../core/kernel/log.ts';
import { ALWAYS, type Authority, issueClient, issueServer } from '../../core/pki/authority.ts';
import { openAuthority } from '../../core/pki/authority-store.ts';
import {
	type Credential,
	factsOf,
	isPair,
	isSignedBy,
	provenKey,
	requestCertificate,
} from '../../core/pki/certificate.ts';
import { hostNames, machineName } from '../../core/pki/host-names.ts';
import { withinLimits } from '../../core/pki/name-limits.ts';
import { lacks, run } from '../fake/peer-program.ts';

const TOMORROW = new Date(Date.now() + 86_400_000);

function newFolder(t: ExecutionContext): string {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-ca-'));
	t.teardown(() => rmSync(folder, { recursive: true, force: true }));
	return folder;
}

function open(folder: string, events: string[] = []): Promise<Authority> {
	const log: Logger = { ...silentLog, error: (event) => void events.push(event) };
	return openAuthority({ folder, name: 'link', commonName: 'Test authority', isLocal: false, log });
}

const serverOf = (authority: Authority): Promise<Credential> =>
	issueServer(authority, {
		commonName: 'hub',
		names: ['hub.example.org', ...hostNames()],
		notBefore: ALWAYS,
		notAfter: TOMORROW,
	});

const clientOf = (authority: Authority, csrPem: string): Promise<string> =>
	issueClient(authority, { commonName: 'gateway', csrPem, now: systemClock.now(), days: 1 });

const pemOf = (bytes: Buffer): string =>
	`-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;

const keyOf = async (pem: string): Promise<string> => Buffer.from((await provenKey(pem)).rawData).toString('hex');

/** Whether a client that pins `caPem` accepts a server with this certificate. */
function isTrusted(caPem: string, { certPem, keyPem }: Credential, servername: string): Promise<boolean> {
	return new Promise((resolve, reject) => {
		const server = createServer({ cert: certPem, key: keyPem });
		server.listen(0, '127.0.0.1', () => {
			const address = server.address();
			const port = typeof address === 'object' && address !== null ? address.port : 0;
			const done = (isGood: boolean): void => {
				socket.destroy();
				server.close(() => resolve(isGood));
			};
			const socket = connect({ host: '127.0.0.1', port, ca: caPem, servername }, () => done(socket.authorized));
			socket.on('error', () => done(false));
		});
		server.on('error', reject);
	});
}

test('the authority stays over restarts, so that gateways keep trusting the hub', async (t) => {
	const folder = newFolder(t);
	const first = await open(folder);
	const second = await open(folder);
	t.is(second.caPem, first.caPem);
	const server = await serverOf(second);
	t.true(await isTrusted(first.caPem, server, 'hub.example.org'));
	t.true(await isTrusted(first.caPem, server, 'localhost'));
	t.false(await isTrusted(first.caPem, server, 'elsewhere.example.org'));
	for (const name of ['link-ca.key', 'link-ca.pem']) t.is(statSync(join(folder, name)).mode & 0o777, 0o600, name);
});

test('another authority is not trusted', async (t) => {
	const ours = await open(newFolder(t));
	const theirs = await open(newFolder(t));
	t.false(await isTrusted(ours.caPem, await serverOf(theirs), 'localhost'));
	t.false(isSignedBy((await serverOf(theirs)).certPem, ours.caPem), 'although both have the same name');
});

for (const [what, spoil] of [
	['certificate that is torn', (folder: string) => writeFileSync(join(folder, 'link-ca.pem'), '-----BEGIN CERT')],
	['key that is empty', (folder: string) => writeFileSync(join(folder, 'link-ca.key'), '')],
	['certificate that is missing', (folder: string) => rmSync(join(folder, 'link-ca.pem'))],
] as const) {
	test(`a ${what} keeps no box from starting: it gets another authority and says so`, async (t) => {
		const folder = newFolder(t);
		const before = await open(folder);
		spoil(folder);
		const events: string[] = [];
		const after = await open(folder, events);
		t.deepEqual(events, ['link-authority-lost']);
		t.not(after.caPem, before.caPem);
		t.true(await isTrusted(after.caPem, await serverOf(after), 'localhost'));
		t.true(readdirSync(folder).some((name) => name.includes('.damaged-1')));
		t.is(readFileSync(join(folder, 'link-ca.pem'), 'utf8'), after.caPem);
	});
}

test('a key of another authority is noticed', async (t) => {
	const folder = newFolder(t);
	const other = newFolder(t);
	await open(folder);
	await open(other);
	writeFileSync(join(folder, 'link-ca.key'), readFileSync(join(other, 'link-ca.key')));
	const events: string[] = [];
	await open(folder, events);
	t.deepEqual(events, ['link-authority-lost']);
});

test('a client certificate says what the authority says, for the key of the request', async (t) => {
	const authority = await open(newFolder(t));
	const { csrPem, keyPem } = await requestCertificate('a name of its own choice');
	const certPem = await clientOf(authority, csrPem);
	const certificate = new X509Certificate(certPem);
	t.is(certificate.subject, 'CN=gateway');
	t.false(certificate.ca);
	t.is(Date.parse(certificate.validFrom), 0, 'a box without a clock can use it');
	t.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2'], 'for clients only');
	t.true(isPair({ certPem, keyPem }));
	t.true(isSignedBy(certPem, authority.caPem));
	t.is(factsOf(certPem).fingerprint, certificate.fingerprint256);
});

test('serial numbers are positive, of full length and never equal', async (t) => {
	const authority = await open(newFolder(t));
	const { csrPem } = await requestCertificate('gateway');
	const serials = await Promise.all(
		Array.from({ length: 40 }, async () => factsOf(await clientOf(authority, csrPem)).serial),
	);
	t.is(new Set(serials).size, serials.length);
	for (const serial of serials) t.regex(serial, /^[1-7][0-9A-F]{31}$/);
});

test('a request with any octet changed gets a certificate for the key that has signed it, or none', async (t) => {
	const { csrPem } = await requestCertificate('gateway');
	const der = Buffer.from(csrPem.replaceAll(/-----.*-----|\s/g, ''), 'base64');
	const key = await keyOf(pemOf(der));
	await fc.assert(
		fc.asyncProperty(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
			const changed = Buffer.from(der);
			changed[at] = (der[at] ?? 0) ^ flip;
			const outcome = await keyOf(pemOf(changed)).catch((error: unknown) =>
				error instanceof Error && error.message.startsWith('csr: ') ? 'refused' : 'another error',
			);
			// Some octets of the frame around mean nothing to the reader.
			return outcome === 'refused' || outcome === key;
		}),
		{ numRuns: 200 },
	);
	t.pass();
});

test('a key of another kind gets no certificate', async (t) => {
	if (lacks(t, 'openssl')) return;
	const folder = newFolder(t);
	const requestOf = async (kind: string): Promise<string> => {
		const args = `req -new -newkey ${kind} -nodes -subj /CN=gateway -keyout ${folder}/key`;
		return (await run('openssl', args.split(' '))).out;
	};
	for (const kind of ['rsa:2048', 'ec -pkeyopt ec_paramgen_curve:secp384r1', 'ed25519']) {
		const message = /must be a PKCS #10 request in PEM for a P-256 key/;
		await t.throwsAsync(provenKey(await requestOf(kind)), { message }, kind);
	}
	await t.notThrowsAsync(provenKey(await requestOf('ec -pkeyopt ec_paramgen_curve:P-256')));
});

test('a local authority makes nobody believe that it is a site of the internet', async (t) => {
	const authority = await openAuthority({
		folder: newFolder(t),
		name: 'lan',
		commonName: 'Local',
		isLocal: true,
		log: silentLog,
	});
	const serverFor = (names: readonly string[]): Promise<Credential> =>
		issueServer(authority, { commonName: 'box', names, notBefore: ALWAYS, notAfter: TOMORROW });
	for (const name of ['localhost', 'gateway-7.local', 'box.internal', machineName()]) {
		t.true(
			await isTrusted(authority.caPem, await serverFor([name, '127.0.0.1', '::1', '10.1.2.3', 'fe80::1']), name),
			name,
		);
	}
	for (const name of ['bank.example.org', 'notlocal', 'evil-local', 'localhost.example.org'])
		t.false(await isTrusted(authority.caPem, await serverFor([name]), name), name);
	for (const address of ['192.0.2.1', '172.32.0.1', '100.128.0.1', '2001:db8::1'])
		t.false(await isTrusted(authority.caPem, await serverFor(['localhost', address]), 'localhost'), address);

	const names = [
		'localhost',
		'a.local',
		'bank.example.org',
		'notlocal',
		'127.0.0.1',
		'172.31.9.9',
		'172.32.0.1',
		'fd00::1',
		'2001:db8::1',
	];
	const kept = withinLimits(authority.certificate, names);
	t.deepEqual(kept, ['localhost', 'a.local', '127.0.0.1', '172.31.9.9', 'fd00::1']);
	t.true(await isTrusted(authority.caPem, await serverFor(kept), 'a.local'));
	t.deepEqual(withinLimits((await open(newFolder(t))).certificate, names), names, 'one without limits');
});

test('the names of this machine are those a certificate can carry', (t) => {
	const names = hostNames();
	for (const name of ['localhost', '127.0.0.1', '::1']) t.true(names.includes(name), name);
	t.deepEqual(names, names.toSorted());
	t.true(names.every((name) => !name.includes('%') && !name.includes(' ')));
});
