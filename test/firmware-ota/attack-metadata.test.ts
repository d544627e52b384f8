import test from 'ava';

import { bothClients } from './both-clients.ts';
import { newTestKey, signedText } from './hostile-repository.ts';

test('an honest repository is accepted, and what follows it', async (t) => {
	const { agree, repository, agreeOnTarget, server } = await bothClients(t);
	await agree('accepted');
	await agreeOnTarget('appliance/gateway-1.tar', 'first release'.length);
	await agreeOnTarget('appliance/gateway-2.tar', null);
	repository.delegation('appliance').targets['appliance/gateway-2.tar'] = Buffer.from('second release');
	repository.delegation('appliance').version += 1;
	repository.next();
	await agree('accepted');
	await agreeOnTarget('appliance/gateway-2.tar', 'second release'.length);
	t.true(server.asked.includes('metadata/2.appliance.json'));
});

test('a repository without news costs the next root and the timestamp, and no write', async (t) => {
	const { refresh, server } = await bothClients(t);
	t.is(await refresh(), 'accepted');
	server.asked.length = 0;
	t.is(await refresh(), 'accepted');
	t.deepEqual(server.asked, ['metadata/2.root.json', 'metadata/timestamp.json']);
});

test('rollback: an older timestamp is refused', async (t) => {
	const { agree, repository } = await bothClients(t);
	const old = repository.recording();
	repository.next();
	await agree('accepted');
	repository.replay(old, ['timestamp.json']);
	await agree('rollback');
});

test('rollback: an older timestamp is refused, though it names the same snapshot', async (t) => {
	const { agree, repository } = await bothClients(t);
	const old = repository.recording();
	repository.world.timestamp.version = 2;
	repository.publish();
	await agree('accepted');
	repository.replay(old, ['timestamp.json']);
	await agree('rollback');
});

test('rollback: a newer timestamp that names an older snapshot is refused', async (t) => {
	const { agree, repository } = await bothClients(t);
	repository.next();
	await agree('accepted');
	repository.world.snapshot.version = 1;
	repository.world.timestamp.version = 3;
	repository.publish();
	await agree('rollback');
});

test('rollback: a newer snapshot that names an older targets file is refused', async (t) => {
	const { agree, repository } = await bothClients(t);
	repository.next();
	await agree('accepted');
	repository.world.targets.version = 1;
	repository.world.snapshot.version = 3;
	repository.world.timestamp.version = 3;
	repository.publish();
	await agree('rollback');
});

test('rollback: a snapshot that was signed anew under its version is looked at again (stricter than tuf-js)', async (t) => {
	const { agree, stricter, repository } = await bothClients(t);
	repository.next();
	await agree('accepted');
	repository.world.targets.version = 1;
	repository.world.timestamp.version = 3;
	repository.publish();
	await stricter('rollback');
});

test('rollback: a newer snapshot that names an older delegated role is refused', async (t) => {
	const { agree, repository } = await bothClients(t);
	repository.delegation('appliance').version = 5;
	repository.next();
	await agree('accepted');
	repository.delegation('appliance').version = 4;
	repository.next();
	await agree('rollback');
});

test('rollback: a snapshot that no longer names a role is refused', async (t) => {
	const { agree, repository } = await bothClients(t);
	await agree('accepted');
	repository.world.delegations = [];
	repository.world.top = [];
	repository.next();
	await agree('rollback');
});

test('rollback: what was seen counts, though the rest of its set never came', async (t) => {
	const { agree, repository } = await bothClients(t);
	await agree('accepted');
	const old = repository.recording();
	repository.next();
	repository.next();
	repository.files.delete('metadata/3.snapshot.json');
	await agree('missing');
	repository.replay(old, ['timestamp.json']);
	await agree('rollback');
});

test('rollback: what was seen counts for the next process too', async (t) => {
	const { agree, repository, reopen } = await bothClients(t);
	await agree('accepted');
	const old = repository.recording();
	repository.next();
	repository.files.delete('metadata/2.targets.json');
	await agree('missing');
	await reopen();
	repository.replay(old, ['timestamp.json']);
	await agree('rollback');
});

test('freeze: an expired timestamp is refused', async (t) => {
	const { agree, repository } = await bothClients(t);
	repository.world.timestamp.days = -1;
	repository.publish();
	await agree('expired');
});

test('freeze: a timestamp that expires while it is served again and again is refused', async (t) => {
	const { agree, repository } = await bothClients(t);
	await agree('accepted');
	repository.world.timestamp.days = -1;
	repository.next();
	await agree('expired');
});

test('expired: a snapshot past its time is refused', async (t) => {
	const { agree, repository } = await bothClients(t);
	repository.world.snapshot.days = -1;
	repository.publish();
	await agree('expired');
});

test('expired: targets past their time are refused', async (t) => {
	const { agree, repository } = await bothClients(t);
	repository.world.targets.days = -1;
	repository.publish();
	await agree('expired');
});

test('expired: a root past its time is refused, though its successor is taken first', async (t) => {
	const { agree, repository } = await bothClients(t);
	const { root } = repository.world;
	root.version = 2;
	root.days = -1;
	repository.publishRoot();
	await agree('expired');
	root.version = 3;
	root.days = 700;
	repository.publishRoot();
	await agree('accepted');
});

test('mix-and-match: targets of another time than the snapshot are refused', async (t) => {
	const { agree, repository } = await bothClients(t);
	const old = repository.recording();
	await agree('accepted');
	repository.next();
	repository.files.set('metadata/2.targets.json', old.get('metadata/1.targets.json') ?? Buffer.alloc(0));
	await agree('mix-and-match');
});

test('mix-and-match: a snapshot of another time than the timestamp is refused', async (t) => {
	const { agree, repository } = await bothClients(t);
	const old = repository.recording();
	await agree('accepted');
	repository.next();
	repository.files.set('metadata/2.snapshot.json', old.get('metadata/1.snapshot.json') ?? Buffer.alloc(0));
	await agree('mix-and-match');
});

test('mix-and-match: a file with the right version and signature, but other bytes, is refused', async (t) => {
	const { agree, repository } = await bothClients(t);
	const { targets } = repository.world;
	const signed = { ...repository.head('targets', targets), targets: {} };
	repository.put('metadata/1.targets.json', signedText(signed, targets.keys));
	await agree('mix-and-match');
});

test('mix-and-match: without hashes the versions alone have to fit', async (t) => {
	const { agree, repository } = await bothClients(t);
	const { world } = repository;
	const write = (targetsVersion: number, snapshotVersion: number): void => {
		const meta = { 'targets.json': { version: targetsVersion }, 'appliance.json': { version: 1 } };
		const snapshot = signedText({ ...repository.head('snapshot', world.snapshot), meta }, world.snapshot.keys);
		repository.put(`metadata/${snapshotVersion}.snapshot.json`, snapshot);
		const stamp = {
			...repository.head('timestamp', world.timestamp),
			meta: { 'snapshot.json': { version: snapshotVersion } },
		};
		repository.put('metadata/timestamp.json', signedText(stamp, world.timestamp.keys));
	};
	write(1, 2);
	await agree('mix-and-match');
	world.snapshot.version = 3;
	write(2, 3);
	repository.files.set('metadata/2.targets.json', repository.files.get('metadata/1.targets.json') ?? Buffer.alloc(0));
	world.timestamp.version = 2;
	write(2, 3);
	await agree('mix-and-match');
	world.timestamp.version = 3;
	world.snapshot.version = 4;
	write(2, 4);
	world.targets.version = 2;
	const { targets } = world;
	repository.put(
		'metadata/2.targets.json',
		signedText({ ...repository.head('targets', targets), targets: {} }, targets.keys),
	);
	await agree('accepted');
});

test('fast-forward: versions that were counted to the top are forgotten with the keys that did it', async (t) => {
	const { agree, repository } = await bothClients(t);
	const { world } = repository;
	await agree('accepted');
	world.timestamp.version = 2 ** 31;
	world.snapshot.version = 2 ** 31;
	world.targets.version = 2 ** 31;
	repository.publish();
	await agree('accepted');
	// The keys are taken back; the repository goes on counting where it was.
	world.timestamp = { ...world.timestamp, keys: [newTestKey()], version: 2 };
	world.snapshot = { ...world.snapshot, keys: [newTestKey()], version: 2 };
	world.targets = { ...world.targets, version: 2 };
	repository.publish();
	await agree('threshold');
	world.root.version = 2;
	repository.publishRoot();
	await agree('accepted');
});

test('fast-forward: revoking the key of the snapshot alone forgets both (stricter than tuf-js, TUF 5.3.11)', async (t) => {
	const { refresh, repository } = await bothClients(t);
	const { world } = repository;
	world.snapshot.version = 1000;
	repository.publish();
	t.is(await refresh(), 'accepted');
	world.snapshot = { ...world.snapshot, keys: [newTestKey()], version: 2 };
	world.timestamp.version = 2;
	world.root.version = 2;
	repository.publishRoot();
	repository.publish();
	t.is(await refresh(), 'accepted');
});

test('a file that the timestamp names and nobody has ends the update, and nothing is lost', async (t) => {
	const { agree, repository, view } = await bothClients(t);
	await agree('accepted');
	repository.next();
	repository.files.delete('metadata/2.targets.json');
	await agree('missing');
	t.is(view().timestampVersion, 1);
	t.not(view().find('appliance/gateway-1.tar'), null);
});

const FORMS: readonly (readonly [name: string, text: string])[] = [
	['nothing', ''],
	['half a document', '{"signed": {'],
	['a list', '[]'],
	['null', 'null'],
	[
		'another type',
		'{"signed":{"_type":"snapshot","spec_version":"1.0.31","version":1,"expires":"2099-01-01T00:00:00Z","meta":{}},"signatures":[]}',
	],
	['a deep nest', `{"signed":${'['.repeat(5000)}${']'.repeat(5000)},"signatures":[]}`],
];

for (const [name, text] of FORMS)
	test(`malformed: ${name} in the place of the timestamp is refused`, async (t) => {
		const { agree, repository } = await bothClients(t);
		await agree('accepted');
		repository.put('metadata/timestamp.json', text);
		await agree('malformed');
	});

test('malformed: bytes that are no text are refused', async (t) => {
	const { refresh, repository } = await bothClients(t);
	repository.put('metadata/timestamp.json', Buffer.from([0xff, 0xfe, 0x00]));
	t.is(await refresh(), 'malformed');
});

test('malformed: an instant that is none does not mean "for ever" (stricter than tuf-js)', async (t) => {
	const { stricter, repository } = await bothClients(t);
	const { timestamp } = repository.world;
	for (const expires of ['never', '2099-13-45T00:00:00Z', '2099-01-01', '']) {
		const meta = { 'snapshot.json': { version: 1 } };
		const signed = { ...repository.head('timestamp', timestamp), expires, meta };
		repository.put('metadata/timestamp.json', signedText(signed, timestamp.keys));
		await stricter('malformed');
	}
});

test('malformed: versions are whole and positive (stricter than tuf-js)', async (t) => {
	const { stricter, repository } = await bothClients(t);
	const { timestamp } = repository.world;
	for (const version of [-1, 0, 2 ** 40]) {
		const signed = { ...repository.head('timestamp', timestamp), version, meta: { 'snapshot.json': { version: 1 } } };
		repository.put('metadata/timestamp.json', signedText(signed, timestamp.keys));
		await stricter('malformed');
	}
});
