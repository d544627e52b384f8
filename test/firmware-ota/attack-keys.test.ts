import test from 'ava';

import { bothClients } from './both-clients.ts';
import { keysOf, newTestKey, roleOf, signedText } from './hostile-repository.ts';

test('threshold: a root that one of two keys has signed is refused', async (t) => {
	const { agree, repository } = await bothClients(t);
	repository.world.root.version = 2;
	repository.publishRoot(repository.world.root.keys.slice(0, 1));
	await agree('threshold');
});

test('threshold: two signatures of one key count as one, or not at all', async (t) => {
	const { agree, repository } = await bothClients(t);
	const [first] = repository.world.root.keys;
	if (first === undefined) throw new TypeError('no key');
	repository.world.root.version = 2;
	repository.publishRoot([first, first]);
	await agree('malformed');
});

test('threshold: one key under two names counts once (stricter than tuf-js)', async (t) => {
	const { stricter, repository } = await bothClients(t);
	const { world } = repository;
	const [first] = world.root.keys;
	if (first === undefined) throw new TypeError('no key');
	const twin = { ...first, id: 'a'.repeat(64) };
	world.root.version = 2;
	const signed = {
		...repository.rootSigned(),
		keys: {
			...keysOf([...world.targets.keys, ...world.snapshot.keys, ...world.timestamp.keys]),
			...keysOf([first, twin]),
		},
		roles: {
			root: roleOf({ keys: [first, twin], threshold: 2 }),
			targets: roleOf(world.targets),
			snapshot: roleOf(world.snapshot),
			timestamp: roleOf(world.timestamp),
		},
	};
	repository.put('metadata/2.root.json', signedText(signed, [...world.root.keys, twin]));
	await stricter('malformed');
});

test('threshold: of a role that demands nobody is refused', async (t) => {
	const { agree, repository } = await bothClients(t);
	repository.world.timestamp.threshold = 0;
	repository.world.root.version = 2;
	repository.publishRoot();
	await agree('malformed');
});

test('arbitrary software: a timestamp of a strange key is refused', async (t) => {
	const { agree, repository } = await bothClients(t);
	repository.world.timestamp.keys = [newTestKey()];
	repository.publish();
	await agree('threshold');
});

test('arbitrary software: targets of a strange key are refused, though the online keys have signed for them', async (t) => {
	const { agree, repository } = await bothClients(t);
	repository.world.targets.keys = [newTestKey()];
	repository.publish();
	await agree('threshold');
});

test('arbitrary software: a signature that does not fit is refused', async (t) => {
	const { agree, repository } = await bothClients(t);
	const { timestamp } = repository.world;
	const honest = repository.files.get('metadata/timestamp.json')?.toString() ?? '';
	repository.put('metadata/timestamp.json', honest.replace('"version":1', '"version":7'));
	await agree('threshold');
	repository.put('metadata/timestamp.json', honest.replace(/"sig":"[0-9a-f]+"/, '"sig":""'));
	await agree('threshold');
	t.is(timestamp.version, 1);
});

const CONFUSIONS = [
	['snapshot', 'timestamp'],
	['timestamp', 'snapshot'],
	['snapshot', 'targets'],
	['targets', 'timestamp'],
] as const;

for (const [signer, role] of CONFUSIONS)
	test(`key confusion: the key of ${signer} does not sign for ${role}`, async (t) => {
		const { agree, repository } = await bothClients(t);
		const { world } = repository;
		const honest = world[role].keys;
		world[role].keys = world[signer].keys;
		repository.publish();
		world[role].keys = honest;
		await agree('threshold');
	});

test('key confusion: a delegated key does not sign for the top-level role, nor the top-level key for a delegated role', async (t) => {
	const { agree, agreeOnTarget, repository } = await bothClients(t);
	const { world } = repository;
	const appliance = repository.delegation('appliance');
	appliance.signers = world.targets.keys;
	repository.publish();
	await agreeOnTarget('appliance/gateway-1.tar', 'refused');
	appliance.signers = appliance.keys;
	const honest = world.targets.keys;
	world.targets.keys = appliance.keys;
	repository.next();
	world.targets.keys = honest;
	await agree('threshold');
});

test('key confusion: the content of one key under the name of another is refused', async (t) => {
	const { agree, repository } = await bothClients(t);
	const { world } = repository;
	const [honest] = world.timestamp.keys;
	if (honest === undefined) throw new TypeError('no key');
	world.root.version = 2;
	const swapped = { ...newTestKey(), id: honest.id };
	const signed = repository.rootSigned();
	const keys = { ...keysOf([...world.root.keys, ...world.targets.keys, ...world.snapshot.keys]), ...keysOf([swapped]) };
	repository.put('metadata/2.root.json', signedText({ ...signed, keys }, world.root.keys));
	await agree('malformed');
});

test('rotation: three roots in a row, each with other keys, are followed', async (t) => {
	const { agree, repository, view, reopen } = await bothClients(t);
	const { world } = repository;
	for (let version = 2; version <= 4; version += 1) {
		const before = world.root.keys;
		world.root.keys = [newTestKey(), newTestKey(), newTestKey()];
		world.root.version = version;
		repository.publishRoot([...before.slice(0, 2), ...world.root.keys]);
	}
	await agree('accepted');
	t.is(view().rootVersion, 4);
	await reopen();
	t.is(view().rootVersion, 4);
	await agree('accepted');
});

test('rotation: a root that only its own new keys have signed is refused', async (t) => {
	const { agree, repository } = await bothClients(t);
	repository.world.root.keys = [newTestKey(), newTestKey(), newTestKey()];
	repository.world.root.version = 2;
	repository.publishRoot();
	await agree('threshold');
});

test('rotation: a root that only the old keys have signed is refused', async (t) => {
	const { agree, repository } = await bothClients(t);
	const before = repository.world.root.keys;
	repository.world.root.keys = [newTestKey(), newTestKey(), newTestKey()];
	repository.world.root.version = 2;
	repository.publishRoot(before);
	await agree('threshold');
});

test('rotation: a root that leaves a version out is refused', async (t) => {
	const { agree, repository } = await bothClients(t);
	repository.world.root.version = 3;
	const text = repository.publishRoot();
	repository.put('metadata/2.root.json', text);
	await agree('rollback');
});

test('rotation: the same root again under the next name is refused', async (t) => {
	const { agree, repository, factoryRoot } = await bothClients(t);
	repository.put('metadata/2.root.json', factoryRoot);
	await agree('rollback');
});

test('rotation: keys that were revoked sign nothing any more, for the root nor for others', async (t) => {
	const { agree, repository } = await bothClients(t);
	const { world } = repository;
	await agree('accepted');
	const [lost, ...others] = world.root.keys;
	if (lost === undefined) throw new TypeError('no key');
	const stolen = world.timestamp.keys;
	world.root.keys = [...others, newTestKey()];
	world.timestamp.keys = [newTestKey()];
	world.root.version = 2;
	repository.publishRoot([lost, ...world.root.keys]);
	repository.next();
	await agree('accepted');
	// The thief goes on with what he has.
	world.timestamp.keys = stolen;
	repository.next();
	await agree('threshold');
	world.timestamp.keys = [];
	world.root.version = 3;
	repository.publishRoot([lost, ...others.slice(0, 1)]);
	await agree('threshold');
});

test('rotation: roots that were followed stay, though the rest of the update fails', async (t) => {
	const { agree, repository, reopen, refresh, server } = await bothClients(t);
	repository.world.root.version = 2;
	repository.publishRoot();
	repository.files.delete('metadata/timestamp.json');
	t.is(await refresh(), 'missing');
	await reopen();
	server.asked.length = 0;
	repository.publish();
	await agree('accepted');
	t.is(server.asked[0], 'metadata/3.root.json');
});

test('rotation: more roots than one update follows are followed by the next ones', async (t) => {
	const { refresh, repository, view } = await bothClients(t, { limits: { roots: 3 } });
	for (let version = 2; version <= 6; version += 1) {
		repository.world.root.version = version;
		repository.publishRoot();
	}
	t.is(await refresh(), 'too-many');
	t.is(await refresh(), 'accepted');
	t.is(view().rootVersion, 6);
});
