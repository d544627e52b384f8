import test from 'ava';

import { bothClients } from './both-clients.ts';
import { type HostileRepository, newTestKey } from './hostile-repository.ts';

const bytes = (text: string): Buffer => Buffer.from(text);

/** The product's own layout: the appliance, and two vendors. */
function withVendors(repository: HostileRepository): void {
	repository.delegate('appliance', { targets: { 'appliance/gateway-1.tar': bytes('release') } });
	repository.delegate('acme', { paths: ['firmware/acme/*'], targets: { 'firmware/acme/meter-1.bin': bytes('meter') } });
	repository.delegate('bolt', { paths: ['firmware/bolt/*'], targets: { 'firmware/bolt/relay-1.bin': bytes('relay') } });
}

const PREPARED = { prepare: withVendors };

test('each role is found for its own paths', async (t) => {
	const { agreeOnTarget, view } = await bothClients(t, PREPARED);
	await agreeOnTarget('appliance/gateway-1.tar', 7);
	await agreeOnTarget('firmware/acme/meter-1.bin', 5);
	await agreeOnTarget('firmware/bolt/relay-1.bin', 5);
	t.deepEqual(
		view()
			.list('firmware/')
			.map(({ path, role }) => [path, role]),
		[
			['firmware/acme/meter-1.bin', 'acme'],
			['firmware/bolt/relay-1.bin', 'bolt'],
		],
	);
});

test('outside its paths: a vendor who signs a release of the appliance is not heard', async (t) => {
	const { agreeOnTarget, repository, view } = await bothClients(t, PREPARED);
	const acme = repository.delegation('acme');
	acme.targets['appliance/gateway-99.tar'] = bytes('evil');
	acme.targets['appliance/gateway-1.tar'] = bytes('evil');
	repository.publish();
	await agreeOnTarget('appliance/gateway-99.tar', null);
	await agreeOnTarget('appliance/gateway-1.tar', 7);
	t.deepEqual(
		view()
			.list('appliance/')
			.map(({ path, role }) => [path, role]),
		[['appliance/gateway-1.tar', 'appliance']],
	);
});

test('outside its paths: neither folders below nor names that begin alike are delegated', async (t) => {
	const { agreeOnTarget, repository } = await bothClients(t, PREPARED);
	const acme = repository.delegation('acme');
	for (const path of [
		'firmware/acme/deep/meter.bin',
		'firmware/acme',
		'firmware/acme-2/meter.bin',
		'firmware/meter.bin',
	])
		acme.targets[path] = bytes('evil');
	repository.publish();
	for (const path of Object.keys(acme.targets).slice(1)) await agreeOnTarget(path, null);
});

test('outside its paths: a vendor cannot delegate what is not his', async (t) => {
	const { agreeOnTarget, repository } = await bothClients(t, PREPARED);
	repository.delegate('helper', {
		paths: ['*/*', 'firmware/bolt/*'],
		targets: { 'appliance/gateway-2.tar': bytes('evil') },
	});
	repository.world.top = ['appliance', 'acme', 'bolt'];
	const helper = repository.delegation('helper');
	helper.targets['firmware/bolt/relay-2.bin'] = bytes('evil');
	helper.targets['firmware/acme/meter-2.bin'] = bytes('fine');
	helper.paths = ['*/*', 'firmware/bolt/*', 'firmware/acme/*'];
	repository.delegation('acme').children = ['helper'];
	repository.publish();
	await agreeOnTarget('appliance/gateway-2.tar', null);
	await agreeOnTarget('firmware/bolt/relay-2.bin', null);
	await agreeOnTarget('firmware/acme/meter-2.bin', 4);
});

test('priority: of two roles for a path the first is heard, and the second where the first is silent', async (t) => {
	const { agreeOnTarget, repository } = await bothClients(t, {
		prepare: (made) => {
			made.delegate('first', { paths: ['shared/*'], terminating: false, targets: { 'shared/a': bytes('1') } });
			made.delegate('second', { paths: ['shared/*'], targets: { 'shared/a': bytes('22'), 'shared/b': bytes('22') } });
			made.delegate('third', { paths: ['shared/*'], targets: { 'shared/c': bytes('333') } });
		},
	});
	await agreeOnTarget('shared/a', 1);
	await agreeOnTarget('shared/b', 2);
	await agreeOnTarget('shared/c', null);
	t.is(repository.world.top.length, 3);
});

test('priority: behind a terminating role nobody is asked, not even by its delegator', async (t) => {
	const { agreeOnTarget } = await bothClients(t, {
		prepare: (made) => {
			made.delegate('outer', { paths: ['shared/*'], terminating: false });
			made.delegate('last', { paths: ['shared/*'], targets: { 'shared/a': bytes('1') } });
			made.delegate('inner', { paths: ['shared/*'], terminating: true });
			made.world.top = ['outer', 'last'];
			made.delegation('outer').children = ['inner'];
		},
	});
	await agreeOnTarget('shared/a', null);
});

test('a circle of delegations ends', async (t) => {
	const { agreeOnTarget } = await bothClients(t, {
		prepare: (made) => {
			made.delegate('one', { paths: ['shared/*'] });
			made.delegate('two', { paths: ['shared/*'] });
			made.world.top = ['one'];
			made.delegation('one').children = ['two'];
			made.delegation('two').children = ['one'];
		},
	});
	await agreeOnTarget('shared/a', null);
});

test('a role whose signature is missing costs only what is delegated to it', async (t) => {
	const { agree, agreeOnTarget, repository, view, events } = await bothClients(t, PREPARED);
	repository.delegation('acme').signers = repository.delegation('bolt').keys;
	repository.publish();
	await agree('accepted');
	await agreeOnTarget('firmware/acme/meter-1.bin', 'refused');
	await agreeOnTarget('firmware/bolt/relay-1.bin', 5);
	await agreeOnTarget('appliance/gateway-1.tar', 7);
	t.is(view().refusedRoles.get('acme')?.refusal, 'threshold');
	t.true(events.includes('trust-role-refused'));
	repository.delegation('acme').signers = repository.delegation('acme').keys;
	repository.next();
	await agreeOnTarget('firmware/acme/meter-1.bin', 5);
});

test('a role that has expired costs only what is delegated to it', async (t) => {
	const { agree, agreeOnTarget, repository, view } = await bothClients(t, PREPARED);
	repository.delegation('acme').days = -1;
	repository.publish();
	await agree('accepted');
	await agreeOnTarget('firmware/acme/meter-1.bin', 'refused');
	await agreeOnTarget('appliance/gateway-1.tar', 7);
	t.is(view().refusedRoles.get('acme')?.refusal, 'expired');
});

test('a role of another version than the snapshot names is refused', async (t) => {
	const { agreeOnTarget, repository, view } = await bothClients(t, PREPARED);
	const old = repository.recording();
	repository.delegation('acme').version = 2;
	repository.next();
	repository.files.set('metadata/2.acme.json', old.get('metadata/1.acme.json') ?? Buffer.alloc(0));
	await agreeOnTarget('firmware/acme/meter-1.bin', 'refused');
	t.is(view().refusedRoles.get('acme')?.refusal, 'mix-and-match');
});

test('a role that nobody has is refused, and taken when it is there', async (t) => {
	const { agreeOnTarget, repository, view } = await bothClients(t, PREPARED);
	const file = repository.files.get('metadata/1.bolt.json') ?? Buffer.alloc(0);
	repository.files.delete('metadata/1.bolt.json');
	await agreeOnTarget('firmware/bolt/relay-1.bin', 'refused');
	t.is(view().refusedRoles.get('bolt')?.refusal, 'missing');
	repository.files.set('metadata/1.bolt.json', file);
	await agreeOnTarget('firmware/bolt/relay-1.bin', 5);
	t.is(view().refusedRoles.size, 0);
});

test('a role that was signed anew under its old version is fetched anew', async (t) => {
	const { agreeOnTarget, repository } = await bothClients(t, PREPARED);
	await agreeOnTarget('firmware/bolt/relay-1.bin', 5);
	repository.delegation('bolt').targets = { 'firmware/bolt/relay-2.bin': bytes('other relay') };
	repository.next();
	await agreeOnTarget('firmware/bolt/relay-1.bin', null);
	await agreeOnTarget('firmware/bolt/relay-2.bin', 11);
});

test('two delegators of one role each trust the keys that they name', async (t) => {
	const { agreeOnTarget, repository } = await bothClients(t, {
		prepare: (made) => {
			made.delegate('one', { paths: ['a/*'] });
			made.delegate('shared', { paths: ['b/*', 'a/*'], targets: { 'b/x': bytes('1'), 'a/x': bytes('22') } });
			made.world.top = ['one', 'shared'];
			made.delegation('one').children = ['shared'];
		},
	});
	await agreeOnTarget('b/x', 1);
	await agreeOnTarget('a/x', 2);
	t.is(repository.world.delegations.length, 2);
});

test('a role that one delegator trusts is refused where another names other keys for it', async (t) => {
	const { agreeOnTarget, repository } = await bothClients(t, {
		prepare: (made) => {
			made.delegate('one', { paths: ['a/*'] });
			made.delegate('shared', { paths: ['b/*', 'a/*'], targets: { 'b/x': bytes('1'), 'a/x': bytes('22') } });
			made.delegation('one').children = ['shared'];
			made.delegation('one').childKeys = { shared: [newTestKey()] };
		},
	});
	await agreeOnTarget('b/x', 1);
	await agreeOnTarget('a/x', 'refused');
	t.is(repository.world.top.length, 2);
});

test('more roles than are followed cost those beyond, not the appliance', async (t) => {
	const { refresh, view } = await bothClients(t, { ...PREPARED, limits: { roles: 2 } });
	t.is(await refresh(), 'accepted');
	t.is(view().refusedRoles.get('bolt')?.refusal, 'too-many');
	t.not(view().find('appliance/gateway-1.tar'), null);
});

test('more bytes of roles than are kept cost those beyond, not the appliance', async (t) => {
	const { refresh, view } = await bothClients(t, { ...PREPARED, limits: { delegatedBytes: 1_000 } });
	t.is(await refresh(), 'accepted');
	t.is(view().refusedRoles.get('bolt')?.refusal, 'too-large');
	t.not(view().find('appliance/gateway-1.tar'), null);
});

const PATTERNS = [
	'!appliance/*',
	'{a,b}/*',
	'a/**/../b',
	'../*',
	'/etc/*',
	'a//b',
	'*a*a*a*',
	'[ab]/*',
	'#x',
	'.hidden/*',
];

test('a pattern that means more than a path with stars is refused with the file (stricter than tuf-js)', async (t) => {
	const { refresh, repository } = await bothClients(t, PREPARED);
	for (const pattern of PATTERNS) {
		repository.delegation('acme').paths = [pattern];
		repository.next();
		t.is(await refresh(), 'malformed', pattern);
	}
});

const NAMES = ['../root', 'root', 'timestamp', '7', 'Role', 'a/b'];

test('a role cannot be named like a path, a top-level role, or a number that would change its place', async (t) => {
	for (const name of NAMES) {
		const { refresh, repository } = await bothClients(t);
		repository.delegate(name, { paths: ['x/*'] });
		repository.next();
		t.is(await refresh(), 'malformed', name);
	}
});

test('a target cannot have a path that climbs or hides', async (t) => {
	const { refresh, repository } = await bothClients(t);
	for (const path of [
		'../passwd',
		'/etc/passwd',
		'appliance/../x',
		'appliance//x',
		'appliance/.x',
		'a b',
		'x'.repeat(300),
	]) {
		repository.world.topTargets = { [path]: bytes('x') };
		repository.next();
		t.is(await refresh(), 'malformed', path);
	}
});
