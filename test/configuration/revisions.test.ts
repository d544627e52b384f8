import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { checksumOf } from '../../core/configuration/canonical-json.ts';
import { GATEWAY } from '../fake/device-box.ts';
import { templateWith } from '../system/kit/read-counter.ts';
import { type Bench, overTcp, startBench } from './bench.ts';
import { managed, meters, OPERATOR, renamed, without } from './scene.ts';

test('what a gateway has becomes revision 1, and nothing is touched for it', async (t) => {
	const bench = await startBench(t);
	await bench.addDevice('one', overTcp(1502));
	await bench.connect();
	t.is(bench.standing(), 'unmanaged');
	const before = bench.devices().get('one');
	const adopted = await bench.hub.adopt(GATEWAY, 'as found', OPERATOR);
	await bench.until('running');
	t.is(adopted.revision, 1);
	t.is(adopted.origin, 'gateway');
	t.deepEqual(bench.devices().get('one'), before, 'the device was not even written');
	t.deepEqual(bench.service().drift(), []);
	t.is((await bench.document(1)).devices['one']?.name, 'one');
});

test('an equal revision restarts nothing on any of 1 000 reconnects', async (t) => {
	const bench = await managed(t);
	const revision = await bench.revise(renamed('one', 'Main feed'));
	await bench.apply(revision);
	await bench.until('running');
	await bench.addDevice('local', overTcp(1600));
	await bench.told();
	t.is(bench.standing(), 'drift');
	const [before, written] = [bench.rearrangements(), bench.devices().all()];
	const outcomes = bench.hub.head(GATEWAY).outcomes.length;
	bench.hub.said.length = 0;
	for (let session = 0; session < 1_000; session += 1) await bench.connect();
	await bench.told();
	t.is(bench.rearrangements(), before);
	t.deepEqual(bench.devices().all(), written);
	t.is(bench.hub.head(GATEWAY).outcomes.length, outcomes);
	t.deepEqual([...new Set(bench.hub.said)], ['order']);
	// What is ordered anew and is there already is nothing to do either.
	await bench.apply(revision);
	await bench.until('drift');
	t.is(bench.rearrangements(), before);
});

test('a revision that is made again is the one that is there', async (t) => {
	const bench = await managed(t);
	t.is(await bench.revise(renamed('one', 'Main')), 2);
	t.is(await bench.revise(renamed('one', 'Main')), 2);
	t.deepEqual(
		bench.hub.revisions(GATEWAY).map(({ revision }) => revision),
		[2, 1],
	);
});

test('a revision waits for a gateway that is away', async (t) => {
	const bench = await managed(t);
	bench.disconnect();
	const revision = await bench.revise(renamed('one', 'Main feed'));
	await bench.apply(revision);
	t.is(bench.standing(), 'waiting');
	await bench.connect();
	await bench.until('running');
	t.deepEqual(meters(bench), ['one Main feed', 'two two']);
});

test('a revision with mistakes changes nothing, and every mistake is named with its path', async (t) => {
	const bench = await managed(t);
	const revision = await bench.revise((document) => {
		const { one } = document.devices;
		if (one?.connection?.driver !== 'modbus') throw new RangeError('no Modbus device');
		return {
			...document,
			devices: {
				...document.devices,
				one: { ...one, name: 'Never seen', connection: { ...one.connection, template: 'unheard-of' } },
				three: { ...one, connection: { ...one.connection, template: 'unknown-too' } },
			},
		};
	});
	const before = bench.rearrangements();
	await bench.apply(revision);
	await bench.until('refused');
	t.is(bench.rearrangements(), before);
	t.deepEqual(meters(bench), ['one one', 'two two']);
	const [outcome] = bench.hub.head(GATEWAY).outcomes;
	t.like(await bench.hub.details(GATEWAY, outcome?.details ?? null), {
		mistakes: [
			{ path: '/devices/one/connection/template', message: 'there is no device template unheard-of' },
			{ path: '/devices/three/connection/template', message: 'there is no device template unknown-too' },
		],
	});
});

test('a document that has not the form of one never becomes a revision', async (t) => {
	const bench = await managed(t);
	const document = await bench.document(1);
	const wrong = {
		...document,
		history: { ...document.history, retention_days: 0 },
		devices: { 'a b': {} },
		password: 'x',
	};
	const wanted = { document: wrong, patch: null, base: null, templates: {}, comment: '' };
	const fault = await t.throwsAsync(bench.hub.create(GATEWAY, wanted, OPERATOR), { name: 'Fault' });
	for (const path of ['/history/retention_days', '/devices/a b', '/password'])
		t.true(fault?.message.includes(path), path);
});

test('a revision that the hub cannot be reached under rolls back by itself, and says why', async (t) => {
	const bench = await managed(t);
	const revision = await bench.revise((document) => ({
		...renamed('one', 'Main feed')(document),
		uplink: { ...document.uplink, link_host: '192.0.2.1' },
	}));
	bench.disconnect();
	await bench.apply(revision);
	await bench.connect();
	// The address is another one: the line goes down before anything more is said.
	await bench.untilTrial();
	t.is(bench.relinks(), 1);
	t.is(bench.gateway().opened.now().uplink.link_host, '192.0.2.1');
	t.deepEqual(meters(bench), ['one Main feed', 'two two']);
	bench.timer.advance(600_000);
	await bench.told();
	t.is(bench.relinks(), 2);
	t.is(bench.gateway().opened.now().uplink.link_host, '');
	t.deepEqual(meters(bench), ['one one', 'two two']);
	await bench.connect();
	await bench.until('rolled-back');
	t.like(bench.hub.head(GATEWAY).outcomes[0], {
		revision,
		outcome: 'rolled-back',
		reason: `under revision ${revision} the hub was not reached within 600 s`,
	});
	// It is not tried again by itself.
	await bench.connect();
	await bench.told();
	t.is(bench.relinks(), 2);
});

test('a revision under which a device falls silent that worked before rolls back', async (t) => {
	const bench = await managed(t);
	for (const uid of ['one', 'two']) {
		const device = bench.devices().get(uid);
		bench.devices().setHealth(device.id, { state: 'ok', since: device.createdAt, reason: null });
	}
	const revision = await bench.revise((document) => {
		const { one } = document.devices;
		if (one?.connection?.driver !== 'modbus') throw new RangeError('no Modbus device');
		return {
			...document,
			devices: { ...document.devices, one: { ...one, connection: { ...one.connection, unit_id: 9 } } },
		};
	});
	await bench.apply(revision);
	await bench.until('trial');
	bench.read('two');
	bench.timer.advance(600_000);
	await bench.until('rolled-back');
	t.is(
		bench.hub.head(GATEWAY).outcomes[0]?.reason,
		`under revision ${revision} nothing was read for 600 s from what worked before: one`,
	);
	// The same revision is kept when both answer.
	await bench.apply(revision);
	await bench.until('trial');
	bench.read('two');
	bench.read('one');
	await bench.until('running');
	t.like(bench.devices().get('one').connection, { unitId: 9 });
});

test('a revision that was kept can be taken back by hand, and a device that comes back is the same', async (t) => {
	const bench = await managed(t);
	const before = bench.devices().get('two');
	const revision = await bench.revise((document) => renamed('one', 'Main feed')(without('two')(document)));
	bench.disconnect();
	await bench.apply(revision, { requireDevices: false });
	await bench.connect();
	await bench.until('running');
	await bench.hub.rollBack(GATEWAY, OPERATOR);
	await bench.until('rolled-back');
	t.deepEqual(meters(bench), ['one one', 'two two']);
	t.is(bench.devices().get('two').id, before.id, 'a device that comes back is the same device');
	await bench.apply(revision, { discardDrift: true });
	await bench.until('running');
	t.deepEqual(meters(bench), ['one Main feed']);
});

/** What a power cut leaves behind that comes while a change is `stage`, with the devices as they are. */
function cutDuring({ folder }: Bench, stage: string): void {
	const path = join(folder, 'configuration.json');
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the product has just written it
	const saved = JSON.parse(readFileSync(path, 'utf8')) as { change: object | null };
	if (saved.change === null) throw new RangeError('there is no change to be cut');
	writeFileSync(path, JSON.stringify({ ...saved, change: { ...saved.change, stage } }));
}

for (const stage of ['applying', 'undoing'])
	for (const isDone of [true, false])
		test(`a power cut while ${stage}, ${isDone ? 'after' : 'before'} the devices were changed, ends with what was before`, async (t) => {
			const bench = await managed(t);
			const { id } = bench.devices().get('two');
			const revision = await bench.revise((document) => ({
				...renamed('one', 'Main feed')(without('two')(document)),
				uplink: { ...document.uplink, link_port: 9 },
			}));
			await bench.apply(revision);
			await bench.untilTrial();
			if (!isDone) {
				await bench.devices().patch('one', { name: 'one' });
				await bench.addDevice('three', overTcp(1502, 3));
			}
			await bench.restart(() => cutDuring(bench, stage));
			t.deepEqual(meters(bench), ['one one', ...(isDone ? [] : ['three three']), 'two two']);
			t.is(bench.devices().get('two').id, id);
			t.is(bench.gateway().opened.now().uplink.link_port, 0);
			t.is(bench.service().state(false).revision, 1);
			await bench.connect();
			await bench.until('rolled-back');
		});

test('a gateway that starts again and again under a revision without reaching the hub leaves it', async (t) => {
	const bench = await managed(t);
	const revision = await bench.revise((document) => ({
		...without('two')(document),
		uplink: { ...document.uplink, link_port: 9 },
	}));
	bench.disconnect();
	await bench.apply(revision);
	await bench.connect();
	await bench.untilTrial();
	for (const start of [1, 2, 3]) {
		await bench.restart();
		t.deepEqual(meters(bench), ['one one'], `start ${start}`);
	}
	await bench.restart();
	t.deepEqual(meters(bench), ['one one', 'two two']);
	await bench.connect();
	await bench.until('rolled-back');
	t.regex(bench.hub.head(GATEWAY).outcomes[0]?.reason ?? '', /started 3 times/);
});

test('the login of a device that a revision deletes goes only when there is no way back by itself', async (t) => {
	const bench = await managed(t);
	await bench.addDevice('sensor', { driver: 'mqtt' });
	await bench.told();
	await bench.hub.adopt(GATEWAY, '', OPERATOR);
	await bench.until('running');
	const revision = await bench.revise((document) => ({
		...without('sensor')(document),
		uplink: { ...document.uplink, link_port: 9 },
	}));
	bench.disconnect();
	await bench.apply(revision);
	await bench.connect();
	await bench.untilTrial();
	t.is(bench.devices().find('sensor'), null);
	t.deepEqual(bench.droppedLogins, []);
	bench.timer.advance(600_000);
	await bench.told();
	t.not(bench.devices().find('sensor'), null);
	t.deepEqual(bench.droppedLogins, []);
	await bench.connect();
	await bench.apply(revision);
	await bench.untilTrial();
	await bench.connect();
	await bench.until('running');
	t.deepEqual(bench.droppedLogins, ['sensor']);
});

test('a template travels with the revision that names it, once, and is in force with it', async (t) => {
	const bench = await managed(t);
	const content = JSON.parse(
		templateWith([{ key: 'b', name: 'b', function: 3, address: 7, count: 1, type: 'uint16', byte_order: 'AB' }]),
	);
	const document = await bench.document(1);
	const wanted = {
		document: { ...document, templates: {} },
		patch: null,
		base: null,
		templates: { 'site-meter': content },
		comment: '',
	};
	const { revision } = await bench.hub.create(GATEWAY, wanted, OPERATOR);
	t.deepEqual(revision.templates, [checksumOf(content)]);
	await bench.apply(revision.revision);
	await bench.until('running');
	t.is(bench.gateway().opened.templates.get('site-meter')?.points[0]?.key, 'b');
	t.is(bench.hub.said.filter((type) => type === 'template').length, 1);
	await bench.restart();
	t.is(bench.gateway().opened.templates.get('site-meter')?.points[0]?.key, 'b');
	await bench.connect();
	await bench.hub.rollBack(GATEWAY, OPERATOR);
	await bench.until('rolled-back');
	t.false(bench.gateway().opened.templates.has('site-meter'));
});
