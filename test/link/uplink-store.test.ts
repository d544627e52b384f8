import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';

import { newGatewayId } from '../../core/kernel/id.ts';
import { type Logger, silentLog } from '../../core/kernel/log.ts';
import { type Enrolment, openUplinkStore } from '../../gateway/uplink/uplink-store.ts';

const credential = (name: string) => ({ certPem: `certificate ${name}`, keyPem: `key ${name}` });

const ENROLMENT: Enrolment = {
	hubUrl: 'http://hub.example.org',
	linkHost: 'hub.example.org',
	linkPort: 8884,
	caPem: 'the authority',
	own: credential('one'),
	next: null,
};

function place(t: ExecutionContext) {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-uplink-'));
	t.teardown(() => rmSync(folder, { recursive: true, force: true }));
	const path = join(folder, 'uplink.json');
	const events: string[] = [];
	const log: Logger = { ...silentLog, warn: (event) => void events.push(event) };
	return { path, events, open: () => openUplinkStore({ path, log }) };
}

test('certificates are on the disk when their change resolves, for the service only', async (t) => {
	const { path, open } = place(t);
	const store = await open();
	await store.setEnrolment(ENROLMENT);
	await store.changeCertificates(({ own }) => ({ own, next: credential('two') }));
	t.deepEqual((await open()).enrolment(), { ...ENROLMENT, next: credential('two') });
	t.is(statSync(path).mode & 0o777, 0o600);
	await store.changeCertificates(({ own, next }) => ({ own: next ?? own, next: null }));
	t.deepEqual((await open()).enrolment(), { ...ENROLMENT, own: credential('two') });
	await store.setEnrolment(null);
	await store.changeCertificates(() => ({ own: credential('three'), next: null }));
	t.is((await open()).enrolment(), null, 'a change that comes too late enrols nobody');
	t.false(readFileSync(path, 'utf8').includes('key '));
});

test('an enrolment of before there were certificates is none, and is said; the gateway stays the same', async (t) => {
	const { path, events, open } = place(t);
	const gatewayId = newGatewayId();
	const { own: _own, next: _next, ...old } = ENROLMENT;
	writeFileSync(path, JSON.stringify({ gatewayId, enrolment: { ...old, secret: 'a secret' } }));
	const store = await open();
	t.is(store.enrolment(), null);
	t.is(store.gatewayId(), gatewayId);
	t.deepEqual(events, ['enrolment-without-certificate']);
	t.false(readFileSync(path, 'utf8').includes('a secret'));
});

test('a loss that a full disk did not take is written down when there is room again, at the latest at the end', async (t) => {
	const { path, events, open } = place(t);
	const store = await open();
	// Nothing can be put in the place of a folder.
	renameSync(path, `${path}.kept`);
	mkdirSync(join(path, 'full'), { recursive: true });
	const loss = { epoch: 7, reason: 'disk-full', first: 1, last: 9 } as const;
	store.addLoss(loss);
	while (events.length === 0) await sleep(5);
	t.deepEqual(events, ['losses-not-saved']);
	rmSync(path, { recursive: true });
	renameSync(`${path}.kept`, path);
	await store.stop();
	t.deepEqual((await open()).undeclaredLosses(), [loss]);
});
