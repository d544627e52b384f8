import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';
import fc from 'fast-check';

import { epochMs, systemClock } from '../../core/kernel/clock.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { createHttpMetadataSource } from '../../firmware-ota/trust/http-source.ts';
import { nodeTrustFiles, type TrustFiles } from '../../firmware-ota/trust/trust-set-store.ts';
import { openTrust } from '../../firmware-ota/trust/trust-service.ts';
import { bothClients, newFolder } from './both-clients.ts';
import { newTestKey } from './hostile-repository.ts';

/** Two updates, so that both slots are there; `set-b` is the newer. */
async function twice(t: Parameters<typeof bothClients>[0]) {
	const clients = await bothClients(t);
	const old = clients.repository.recording();
	t.is(await clients.refresh(), 'accepted');
	clients.repository.next();
	t.is(await clients.refresh(), 'accepted');
	t.deepEqual(readdirSync(clients.folder).toSorted(), ['set-a', 'set-b']);
	return { ...clients, old, newer: join(clients.folder, 'set-b'), older: join(clients.folder, 'set-a') };
}

test('what was trusted is there in the next process, without asking anybody', async (t) => {
	const { reopen, view } = await twice(t);
	await reopen();
	t.is(view().timestampVersion, 2);
	t.is(view().find('appliance/gateway-1.tar')?.role, 'appliance');
});

test('an update without news writes nothing', async (t) => {
	const { refresh, newer, older } = await twice(t);
	const before = [readFileSync(newer, 'utf8'), readFileSync(older, 'utf8')];
	t.is(await refresh(), 'accepted');
	t.deepEqual([readFileSync(newer, 'utf8'), readFileSync(older, 'utf8')], before);
});

test('torn metadata: the newer set is damaged, so the one before is trusted, and no older timestamp than its', async (t) => {
	const { reopen, view, newer, events, repository, old, agree } = await twice(t);
	repository.next();
	writeFileSync(newer, readFileSync(newer).subarray(0, 700));
	await reopen();
	t.is(view().timestampVersion, 1);
	t.true(events.includes('trust-damaged'));
	t.true(existsSync(`${newer}.damaged`));
	repository.replay(old, ['timestamp.json']);
	t.is(view().timestampVersion, 1);
	repository.world.timestamp.version = 9;
	repository.publish();
	await agree('accepted');
	await reopen();
	t.is(view().timestampVersion, 9);
});

test('torn metadata: both sets are damaged, so the root of the factory is trusted, and updates go on', async (t) => {
	const { reopen, trust, newer, older, refresh, view } = await twice(t);
	writeFileSync(newer, '');
	writeFileSync(older, Buffer.alloc(4096));
	await reopen();
	t.is(trust().view(), null);
	t.is(await refresh(), 'accepted');
	t.is(view().timestampVersion, 2);
});

const forged = (body: string): string => `drawbridge-trust 1 ${'0'.repeat(64)}\n${body}\n`;

test('a missing, foreign or forged set never stops the box', async (t) => {
	const { reopen, trust, newer, older, refresh } = await twice(t);
	for (const text of ['{}', forged('{}'), 'drawbridge-trust 1', readFileSync(newer, 'utf8').slice(1)]) {
		writeFileSync(newer, text);
		rmSync(older, { force: true });
		await reopen();
		t.is(trust().view(), null);
		t.is(await refresh(), 'accepted');
	}
});

test('any damage of any byte is noticed, or changes nothing that counts', async (t) => {
	const { folder, factoryRoot, newer, older } = await twice(t);
	const [whole, second] = [readFileSync(newer), readFileSync(older)];
	const open = () => openTrust({ folder, factoryRoot, builtAt: epochMs(0), clock: systemClock, log: silentLog });
	await fc.assert(
		fc.asyncProperty(
			fc.nat(whole.length - 1),
			fc.integer({ min: 1, max: 255 }),
			fc.constantFrom('flip', 'cut', 'zero'),
			async (at, mask, way) => {
				const bytes = Buffer.from(whole);
				if (way === 'flip') bytes.writeUInt8(bytes.readUInt8(at) ^ mask, at);
				if (way === 'zero') bytes.fill(0, at);
				writeFileSync(newer, way === 'cut' ? bytes.subarray(0, at) : bytes);
				writeFileSync(older, second);
				const view = (await open()).view();
				t.is(view?.timestampVersion, 1);
			},
		),
		{ numRuns: 60 },
	);
});

test('a build with a newer root of the factory trusts that, and what it still vouches for', async (t) => {
	const { repository, folder, refresh, view, reopen } = await bothClients(t);
	t.is(await refresh(), 'accepted');
	repository.world.root.version = 5;
	const text = repository.publishRoot();
	const shipped = (factoryRoot: string) =>
		openTrust({ folder, factoryRoot, builtAt: epochMs(0), clock: systemClock, log: silentLog });
	t.is((await shipped(text)).view()?.rootVersion, 5);
	// Where the new root revokes the online keys, their files have to come anew.
	repository.world.timestamp.keys = [newTestKey()];
	t.is((await shipped(repository.publishRoot())).view(), null);
	await reopen();
	t.is(view().rootVersion, 1);
});

test('a build without a root that is signed as it demands does not start to trust', async (t) => {
	const { repository } = await bothClients(t);
	repository.world.root.version = 2;
	for (const factoryRoot of ['', '{}', repository.publishRoot(repository.world.root.keys.slice(0, 1))])
		await t.throwsAsync(
			openTrust({ folder: newFolder(t), factoryRoot, builtAt: epochMs(0), clock: systemClock, log: silentLog }),
			{ message: /no root to begin with/ },
		);
});

test('a disk that takes nothing leaves what was trusted, and the next update tries again', async (t) => {
	const { server, factoryRoot, repository } = await bothClients(t);
	const folder = newFolder(t);
	let isFull = false;
	const files: TrustFiles = {
		...nodeTrustFiles,
		write: (path, text) =>
			isFull
				? Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }))
				: nodeTrustFiles.write(path, text),
	};
	const trust = await openTrust({
		folder,
		factoryRoot,
		builtAt: epochMs(0),
		clock: systemClock,
		log: silentLog,
		files,
	});
	const source = createHttpMetadataSource({ baseUrl: `${server.url}/metadata` });
	const refresh = () => trust.refresh({ source, signal: new AbortController().signal });
	t.is((await refresh()).timestampVersion, 1);
	isFull = true;
	repository.next();
	await t.throwsAsync(refresh(), { message: /the disk takes no change/ });
	t.is(trust.view()?.timestampVersion, 1, 'nothing is trusted that is not on disk');
	isFull = false;
	t.is((await refresh()).timestampVersion, 2);
});

test('updates that are asked for at the same time happen one after the other, and not too many wait', async (t) => {
	const { trust, server } = await bothClients(t);
	const source = createHttpMetadataSource({ baseUrl: `${server.url}/metadata` });
	const all = await Promise.allSettled(
		Array.from({ length: 8 }, () => trust().refresh({ source, signal: new AbortController().signal })),
	);
	t.is(all.filter(({ status }) => status === 'fulfilled').length, 5);
	t.is(server.asked.filter((path) => path === 'metadata/1.snapshot.json').length, 1);
});
