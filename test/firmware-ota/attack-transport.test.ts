import { mkdirSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';

import { dirname, join } from 'node:path';

import test from 'ava';

import { createFolderMetadataSource } from '../../firmware-ota/trust/folder-source.ts';
import { createHttpMetadataSource } from '../../firmware-ota/trust/http-source.ts';
import { createManualClock } from '../fake/manual-clock.ts';
import { createManualTimer } from '../fake/manual-timer.ts';
import { bothClients, newFolder } from './both-clients.ts';

/** Writes as long as somebody reads. */
function endless(response: ServerResponse): void {
	const chunk = Buffer.alloc(65_536, 0x20);
	response.writeHead(200);
	const more = (): void => {
		if (!response.destroyed) response.write(chunk, more);
	};
	more();
}

for (const name of ['2.root.json', 'timestamp.json', '1.snapshot.json', '1.targets.json'])
	test(`endless data: ${name} without an end is refused`, async (t) => {
		const { agree, server } = await bothClients(t);
		server.behaviours.set(`metadata/${name}`, (_request, response) => endless(response));
		await agree('too-large');
	});

test('endless data: a delegated role without an end costs only what is delegated to it', async (t) => {
	const { agreeOnTarget, server, view } = await bothClients(t);
	server.behaviours.set('metadata/1.appliance.json', (_request, response) => endless(response));
	await agreeOnTarget('appliance/gateway-1.tar', 'refused');
	t.is(view().refusedRoles.get('appliance')?.refusal, 'too-large');
});

test('endless data: a file that says that it is too long is not even begun', async (t) => {
	const { refresh, server } = await bothClients(t);
	server.behaviours.set('metadata/timestamp.json', (_request, response) => {
		response.writeHead(200, { 'content-length': 10 ** 12 });
		response.flushHeaders();
	});
	t.is(await refresh(), 'too-large');
});

test('endless data: no more than the signed length of a file is read', async (t) => {
	const { refresh, repository } = await bothClients(t);
	const honest = repository.files.get('metadata/1.snapshot.json') ?? Buffer.alloc(0);
	repository.put('metadata/1.snapshot.json', Buffer.concat([honest, Buffer.from(' ')]));
	t.is(await refresh(), 'too-large');
});

test('slow retrieval: a file that trickles is given up when its time is over', async (t) => {
	const timer = createManualTimer();
	const { refresh, server } = await bothClients(t, { setTimer: timer.setTimer });
	const began = new Promise<void>((resolve) => {
		server.behaviours.set('metadata/timestamp.json', (_request, response) => {
			response.writeHead(200).write('{');
			resolve();
		});
	});
	const verdict = refresh();
	await began;
	timer.advance(59_999);
	timer.advance(2);
	t.is(await verdict, 'too-slow');
	t.is(timer.clock.monotonicMs(), 60_001);
});

test('slow retrieval: a server that takes the question and says nothing is given up', async (t) => {
	const timer = createManualTimer();
	const { refresh, server } = await bothClients(t, { setTimer: timer.setTimer });
	const began = new Promise<void>((resolve) => {
		server.behaviours.set('metadata/2.root.json', () => resolve());
	});
	const verdict = refresh();
	await began;
	timer.advance(60_000);
	t.is(await verdict, 'too-slow');
});

test('slow retrieval of a delegated role ends the update: the set before is not changed for a worse one', async (t) => {
	const timer = createManualTimer();
	const { refresh, server, repository, view } = await bothClients(t, { setTimer: timer.setTimer });
	t.is(await refresh(), 'accepted');
	repository.delegation('appliance').version = 2;
	repository.next();
	const began = new Promise<void>((resolve) => {
		server.behaviours.set('metadata/2.appliance.json', () => resolve());
	});
	const verdict = refresh();
	await began;
	timer.advance(60_000);
	t.is(await verdict, 'too-slow');
	t.is(view().timestampVersion, 1);
	t.not(view().find('appliance/gateway-1.tar'), null);
});

test('a server that breaks off, is not there, or sends elsewhere is not reachable', async (t) => {
	const { agree, server } = await bothClients(t);
	server.behaviours.set('metadata/timestamp.json', (_request, response) => {
		response.writeHead(200, { 'content-length': 500 }).write('{');
		setImmediate(() => response.destroy());
	});
	await agree('unreachable');
	server.behaviours.set('metadata/timestamp.json', (_request, response) => void response.writeHead(503).end());
	await agree('unreachable');
});

test('a redirection is not followed, and packed content not unpacked (stricter than tuf-js)', async (t) => {
	const { refresh, server } = await bothClients(t);
	server.behaviours.set('metadata/timestamp.json', (_request, response) => {
		response.writeHead(302, { location: `${server.url}/metadata/other.json` }).end();
	});
	t.is(await refresh(), 'unreachable');
	server.behaviours.set('metadata/timestamp.json', (_request, response) => {
		response.writeHead(200, { 'content-encoding': 'gzip' }).end('x');
	});
	t.is(await refresh(), 'unreachable');
	t.false(server.asked.includes('metadata/other.json'));
});

test('an update that is called off ends', async (t) => {
	const { trust, server } = await bothClients(t);
	const stop = new AbortController();
	server.behaviours.set('metadata/timestamp.json', () => stop.abort(new Error('the box stops')));
	const source = createHttpMetadataSource({ baseUrl: `${server.url}/metadata` });
	await t.throwsAsync(trust().refresh({ source, signal: stop.signal }), { message: /the box stops/ });
});

test('a folder is a source under the same rules', async (t) => {
	const { trust, repository } = await bothClients(t);
	const folder = newFolder(t);
	const write = (): void => {
		for (const [name, bytes] of repository.files) {
			mkdirSync(dirname(join(folder, name)), { recursive: true });
			writeFileSync(join(folder, name), bytes);
		}
	};
	write();
	const source = createFolderMetadataSource(join(folder, 'metadata'));
	const refresh = () => trust().refresh({ source, signal: new AbortController().signal });
	t.not((await refresh()).find('appliance/gateway-1.tar'), null);
	const old = repository.recording();
	repository.next();
	write();
	t.is((await refresh()).timestampVersion, 2);
	repository.replay(old, ['timestamp.json']);
	write();
	await t.throwsAsync(refresh(), { message: /older than 2/ });
	writeFileSync(join(folder, 'metadata', 'timestamp.json'), Buffer.alloc(20_000, 0x20));
	await t.throwsAsync(refresh(), { message: /more than 16384 bytes/ });
});

test('slow retrieval: files that each come just in time do not make an update last for ever', async (t) => {
	const clock = createManualClock(Date.now());
	const { refresh, server, repository } = await bothClients(t, { clock, limits: { refreshMs: 200_000 } });
	for (let version = 2; version <= 9; version += 1) {
		repository.world.root.version = version;
		const text = repository.publishRoot();
		server.behaviours.set(`metadata/${version}.root.json`, (_request, response) => {
			clock.advance(59_000);
			response.writeHead(200).end(text);
		});
	}
	t.is(await refresh(), 'too-slow');
	t.true(server.asked.includes('metadata/5.root.json'));
	t.false(server.asked.includes('metadata/6.root.json'));
	t.is(await refresh(), 'too-slow');
	t.is(await refresh(), 'accepted');
});
