import test from 'ava';

import { GATEWAY } from '../fake/device-box.ts';
import { overTcp } from './bench.ts';
import { managed, meters, OPERATOR, renamed, without } from './scene.ts';

test('what was changed at the gateway survives a revision that does not contradict it', async (t) => {
	const bench = await managed(t);
	bench.disconnect();
	await bench.addDevice('local', overTcp(1600), 'Local');
	await bench.devices().patch('two', { metadata: { room: 'cellar' } });
	const revision = await bench.revise(renamed('two', 'Heat pump'));
	await bench.apply(revision);
	await bench.connect();
	await bench.until('drift');
	t.deepEqual(meters(bench), ['local Local', 'one one', 'two Heat pump']);
	t.deepEqual(bench.devices().get('two').metadata, { room: 'cellar' });
	t.deepEqual(
		(await bench.hub.drift(GATEWAY)).map(({ op, path }) => `${op} ${path}`),
		['add /devices/local', 'add /devices/two/metadata/room'],
	);
	t.deepEqual(bench.service().drift(), await bench.hub.drift(GATEWAY));
	const adopted = await bench.hub.adopt(GATEWAY, '', OPERATOR);
	await bench.until('running');
	t.is(adopted.revision, revision + 1);
	t.deepEqual(await bench.document('current'), await bench.document(adopted.revision));
});

test('a device that is added while a revision is put into force is not lost', async (t) => {
	const bench = await managed(t);
	const revision = await bench.revise((document) => renamed('one', 'Main feed')(without('two')(document)));
	await bench.apply(revision);
	const added = Array.from({ length: 20 }, (_, index) => `late-${index}`);
	for (const uid of added) await bench.addDevice(uid, null);
	await bench.until('drift');
	t.deepEqual(meters(bench), [...added.map((uid) => `${uid} ${uid}`), 'one Main feed'].toSorted());
});

test('contradictions wait for a decision, and what is given up can be looked up', async (t) => {
	const bench = await managed(t);
	await bench.devices().patch('one', { name: 'By the installer' });
	await bench.devices().patch('two', { name: 'Also by the installer' });
	await bench.told();
	const revision = await bench.revise((document) =>
		renamed('one', 'By the hub')(renamed('two', 'Also by the hub')(document)),
	);
	await bench.apply(revision);
	await bench.until('conflict');
	t.deepEqual(meters(bench), ['one By the installer', 'two Also by the installer']);
	const details = await bench.hub.details(GATEWAY, bench.hub.head(GATEWAY).outcomes[0]?.details ?? null);
	t.like(details, {
		conflicts: [
			{ path: '/devices/one/name', base: 'one', gateway: 'By the installer', hub: 'By the hub', taken: null },
			{ path: '/devices/two/name', base: 'two', gateway: 'Also by the installer', hub: 'Also by the hub' },
		],
	});
	await bench.apply(revision, { prefer: 'hub', decisions: { '/devices/two/name': 'gateway' } });
	await bench.until('drift');
	t.deepEqual(meters(bench), ['one By the hub', 'two Also by the installer']);
	t.like(await bench.hub.details(GATEWAY, bench.hub.head(GATEWAY).outcomes[0]?.details ?? null), {
		overwritten: [{ path: '/devices/one/name', value: 'By the installer' }],
	});
});

test('drift can be given up whole, and every value of it can be looked up', async (t) => {
	const bench = await managed(t);
	await bench.addDevice('local', overTcp(1600), 'Local');
	await bench.told();
	t.is(bench.standing(), 'drift');
	await bench.apply(1, { discardDrift: true });
	await bench.until('running');
	t.deepEqual(meters(bench), ['one one', 'two two']);
	t.like(await bench.hub.details(GATEWAY, bench.hub.head(GATEWAY).outcomes[0]?.details ?? null), {
		overwritten: [{ path: '/devices/local' }],
	});
	await bench.hub.rollBack(GATEWAY, OPERATOR);
	await bench.until('rolled-back');
	t.deepEqual(meters(bench), ['local Local', 'one one', 'two two']);
});

test('what somebody changes at the gateway during a trial is there after the way back', async (t) => {
	const bench = await managed(t);
	const revision = await bench.revise((document) => ({
		...renamed('one', 'Main feed')(document),
		uplink: { ...document.uplink, link_port: 9 },
	}));
	bench.disconnect();
	await bench.apply(revision);
	await bench.connect();
	await bench.untilTrial();
	await bench.addDevice('late', overTcp(1700), 'Late');
	await bench.service().rollBack('installer@example.com');
	t.deepEqual(meters(bench), ['late Late', 'one one', 'two two']);
	await bench.connect();
	await bench.until('rolled-back');
	t.is(bench.hub.head(GATEWAY).outcomes[0]?.reason, 'rolled back at the gateway by installer@example.com');
});

test('an edit of the settings file is a change at the gateway, and takes effect', async (t) => {
	const bench = await managed(t, { DRAWBRIDGE_SITE_NAME: 'By the file' });
	const revision = await bench.revise((document) => ({
		...document,
		history: { ...document.history, retention_days: 30 },
	}));
	await bench.apply(revision);
	await bench.until('running');
	t.like(bench.gateway().opened.now().history, { retention_days: 30 });
	t.deepEqual(bench.service().state(false).restartNeeded, ['history.retention_days']);
	await bench.restart();
	t.is(bench.gateway().opened.settings.history.retentionDays, 30);
	t.is(bench.gateway().opened.settings.site.name, 'By the file');
	t.deepEqual(bench.service().state(false).restartNeeded, []);
});

test('the revisions of one hub say nothing at another, and what they have made stays', async (t) => {
	const bench = await managed(t);
	const revision = await bench.revise(renamed('one', 'Main feed'));
	await bench.apply(revision);
	await bench.until('running');
	bench.enrolElsewhere();
	await bench.connect();
	t.is(bench.service().state(false).revision, 0);
	t.deepEqual(meters(bench), ['one Main feed', 'two two']);
});

test('a hub that has lost its revisions asks for the whole configuration and counts on', async (t) => {
	const bench = await managed(t);
	const revision = await bench.revise(renamed('one', 'Main feed'));
	await bench.apply(revision);
	await bench.until('running');
	const head = bench.hub.head(GATEWAY);
	await bench.hub.store.save({
		head: { ...head, lastRevision: 0, order: null, state: null, outcomes: [] },
		removed: bench.hub.revisions(GATEWAY),
		needed: new Set(),
	});
	await bench.connect();
	await bench.told();
	t.is((await bench.document('current')).devices['one']?.name, 'Main feed');
	await bench.devices().patch('two', { name: 'Two' });
	await bench.told();
	const adopted = await bench.hub.adopt(GATEWAY, '', OPERATOR);
	t.is(adopted.revision, revision + 1);
	await bench.until('running');
});
