import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';

import test, { type ExecutionContext } from 'ava';

import { type LinkCertificates, openLinkCertificates } from '../../cloud/link/link-certificates.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { silentLog } from '../../core/kernel/log.ts';

function newFolder(t: ExecutionContext): string {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-ca-'));
	t.teardown(() => rmSync(folder, { recursive: true, force: true }));
	return folder;
}

function open(folder: string, events: string[] = []): Promise<LinkCertificates> {
	const log: Logger = { ...silentLog, error: (event) => void events.push(event) };
	return openLinkCertificates({ folder, publicHost: 'hub.example.org', clock: systemClock, log });
}

/** Whether a client that pins `caPem` accepts a server with these certificates. */
function isTrusted(caPem: string, { certPem, keyPem }: LinkCertificates, servername: string): Promise<boolean> {
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
	t.not(second.certPem, first.certPem);
	t.true(await isTrusted(first.caPem, second, 'hub.example.org'));
	t.true(await isTrusted(first.caPem, second, 'localhost'));
	t.false(await isTrusted(first.caPem, second, 'elsewhere.example.org'));
	t.is(statSync(join(folder, 'link-ca.key')).mode & 0o777, 0o600);
});

test('another hub is not trusted', async (t) => {
	const ours = await open(newFolder(t));
	const theirs = await open(newFolder(t));
	t.false(await isTrusted(ours.caPem, theirs, 'localhost'));
});

for (const [what, spoil] of [
	['certificate that is torn', (folder: string) => writeFileSync(join(folder, 'link-ca.pem'), '-----BEGIN CERT')],
	['key that is empty', (folder: string) => writeFileSync(join(folder, 'link-ca.key'), '')],
	['certificate that is missing', (folder: string) => rmSync(join(folder, 'link-ca.pem'))],
] as const) {
	test(`a ${what} keeps no hub from starting: it gets another authority and says so`, async (t) => {
		const folder = newFolder(t);
		const before = await open(folder);
		spoil(folder);
		const events: string[] = [];
		const after = await open(folder, events);
		t.deepEqual(events, ['link-authority-lost']);
		t.not(after.caPem, before.caPem);
		t.true(await isTrusted(after.caPem, after, 'localhost'));
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
