import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';
import { Updater } from 'tuf-js';

import { epochMs, systemClock } from '../../core/kernel/clock.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { readFactoryTrust } from '../../firmware-ota/trust/factory-trust.ts';
import { createHttpMetadataSource, createHttpTargetSource } from '../../firmware-ota/trust/http-source.ts';
import { chooseRelease, RELEASE_PREFIX } from '../../firmware-ota/trust/release.ts';
import { downloadTarget } from '../../firmware-ota/trust/target-download.ts';
import { openTrust, type TrustedView } from '../../firmware-ota/trust/trust-service.ts';
import { newFolder } from './both-clients.ts';
import { serveRepository } from './repository-server.ts';
import { publishedDesk, PUBLISH, signDesk, type SignDesk } from './sign-desk.ts';

const CUSTOM = {
	product: 'gateway',
	version: '1.4.0',
	seq: 11,
	arch: 'arm64',
	channel: 'stable',
	unpacked_bytes: 1000,
	manifest_sha256: 'a'.repeat(64),
};
const BOX = {
	product: 'gateway',
	arch: 'arm64',
	hardware: 'pi4',
	os: 'debian12',
	seq: 10,
	floorSeq: 10,
	channels: ['stable'],
} as const;

async function addRelease({ ok, path }: SignDesk): Promise<void> {
	writeFileSync(path('release.tar'), 'a release');
	writeFileSync(path('custom.json'), JSON.stringify(CUSTOM));
	await ok(
		'add-target --repository REPOSITORY --role appliance --path appliance/gateway-1.4.0.tar --file HOME/release.tar --custom HOME/custom.json',
	);
	await ok('sign --repository REPOSITORY --role appliance --key @builder');
}

/** A box and the client of tuf-js, from the first root on, each with a memory of its own. */
async function boxes(t: ExecutionContext, desk: SignDesk) {
	const files = new Map(desk.files());
	const server = await serveRepository(t, files);
	const factoryRoot = (files.get('metadata/1.root.json') ?? Buffer.alloc(0)).toString();
	const [folder, peer] = [newFolder(t), newFolder(t)];
	mkdirSync(join(peer, 'targets'));
	writeFileSync(join(peer, 'root.json'), factoryRoot);
	const trust = await openTrust({ folder, factoryRoot, builtAt: epochMs(0), clock: systemClock, log: silentLog });
	const metadataBaseUrl = `${server.url}/metadata`;
	const targetBaseUrl = `${server.url}/targets`;
	return {
		folder,
		targetBaseUrl,
		refresh: async (): Promise<TrustedView> => {
			files.clear();
			for (const [name, bytes] of desk.files()) files.set(name, bytes);
			const source = createHttpMetadataSource({ baseUrl: metadataBaseUrl });
			return trust.refresh({ source, signal: new AbortController().signal });
		},
		peer: () =>
			new Updater({
				metadataDir: peer,
				metadataBaseUrl,
				targetDir: join(peer, 'targets'),
				targetBaseUrl,
				config: { fetchRetry: 0 },
			}),
	};
}

test('what is signed here reaches a box, and the client of tuf-js: metadata, choice and bytes', async (t) => {
	const desk = await publishedDesk(t);
	await addRelease(desk);
	t.regex(
		await desk.ok(PUBLISH),
		/published 2\.appliance\.json\npublished 2\.snapshot\.json\npublished timestamp\.json\n$/,
	);
	const { refresh, folder, targetBaseUrl, peer } = await boxes(t, desk);
	const view = await refresh();
	t.false(view.isDoubtful);
	const { newest } = chooseRelease(view.list(RELEASE_PREFIX), BOX);
	if (newest === null) throw new TypeError('no release');
	t.is(newest.version, '1.4.0');
	const source = createHttpTargetSource({ baseUrl: targetBaseUrl });
	const { path } = await downloadTarget({
		target: newest.target,
		source,
		folder: join(folder, 'downloads'),
		signal: new AbortController().signal,
	});
	t.is(readFileSync(path, 'utf8'), 'a release');
	const updater = peer();
	await updater.refresh();
	const found = await updater.getTargetInfo(newest.target.path);
	if (found === undefined) throw new TypeError('tuf-js finds nothing');
	t.is(readFileSync(await updater.downloadTarget(found), 'utf8'), 'a release');
	const said = await desk.ok('verify --repository REPOSITORY');
	t.regex(said, /root 1 is reached.*\nappliance\/gateway-1\.4\.0\.tar: 9 bytes, signed by appliance/s);
});

test('the first root goes from hand to hand, and nothing goes out before enough have signed', async (t) => {
	const { ok, run, path, repository } = await signDesk(t, ['alice', 'bob', 'carol', 'snap', 'stamp']);
	await ok(
		'init --repository REPOSITORY --root-key @alice.pub --root-key @bob.pub --root-key @carol.pub --root-threshold 2 ' +
			'--targets-key @alice.pub --targets-key @bob.pub --targets-threshold 2 --snapshot-key @snap.pub --timestamp-key @stamp.pub',
	);
	t.regex(await ok('status --repository REPOSITORY'), /root 1\n {6}root 1: 0 of 2, alice or bob or carol can sign/);
	const early = await run(PUBLISH);
	t.is(early.code, 65);
	t.regex(early.err, /root was signed by 0\/2 keys/);
	for (const role of ['root', 'targets']) {
		await ok(`export --repository REPOSITORY --role ${role} --to HOME/${role}.request`);
		// Somewhere else, with nothing but the request and a key.
		const said = await ok(`sign --request HOME/${role}.request --key @alice`);
		t.regex(said, new RegExp(`^${role} 1, until `));
		t.regex(said, /1 of 2/);
		if (role === 'root') t.regex(said, /timestamp: 1 of stamp [0-9a-f]{12}\n/);
		t.regex(await ok(`sign --request HOME/${role}.request --key @bob`), /2 of 2\n$/);
		t.regex(await ok(`import --repository REPOSITORY --from HOME/${role}.request`), /2 of 2\n$/);
	}
	t.regex(await ok(PUBLISH), /published 1\.root\.json/);
	t.regex(await ok('verify --repository REPOSITORY'), /root 1 is reached/);
	t.regex(await ok('status --repository REPOSITORY'), /staged\n {2}nothing/);
	// Whoever hands it out may read it, as far as this machine lets anybody read.
	mkdirSync(path('plain'), { mode: 0o755 });
	for (const folder of ['.', 'metadata']) t.is(statSync(join(repository, folder)).mode, statSync(path('plain')).mode);
});

test('two people who sign copies of a request at the same time are both counted', async (t) => {
	const { ok, path } = await publishedDesk(t);
	await ok('renew --repository REPOSITORY --role root');
	await ok('export --repository REPOSITORY --role root --to HOME/one.request');
	writeFileSync(path('other.request'), readFileSync(path('one.request')));
	await ok('sign --request HOME/one.request --key @alice');
	await ok('sign --request HOME/other.request --key @carol');
	t.regex(await ok('import --repository REPOSITORY --from HOME/one.request'), /root 1: 1 of 2/);
	t.regex(await ok('import --repository REPOSITORY --from HOME/other.request'), /root 1: 2 of 2\nroot 2: 2 of 2/);
});

test('a request that was changed on its way is refused: content, signature, signer', async (t) => {
	const { ok, run, path } = await publishedDesk(t);
	await ok('renew --repository REPOSITORY --role root');
	await ok('export --repository REPOSITORY --role root --to HOME/root.request');
	const stranger = await run('sign --request HOME/root.request --key @builder');
	t.is(stranger.code, 65);
	t.regex(stranger.err, /the key of builder .* does not sign for root/);
	await ok('sign --request HOME/root.request --key @alice');
	const request = JSON.parse(readFileSync(path('root.request'), 'utf8'));
	const write = (change: object): void =>
		writeFileSync(path('evil.request'), JSON.stringify({ ...request, document: { ...request.document, ...change } }));
	write({ signed: { ...request.document.signed, expires: '2199-01-01T00:00:00Z' } });
	t.regex((await run('import --repository REPOSITORY --from HOME/evil.request')).err, /is not what is staged here/);
	const [signature] = request.document.signatures;
	write({ signatures: [{ ...signature, sig: `00${signature.sig.slice(2)}` }] });
	t.regex((await run('import --repository REPOSITORY --from HOME/evil.request')).err, /does not fit/);
	write({ signatures: [{ ...signature, keyid: 'f'.repeat(64) }] });
	t.regex((await run('import --repository REPOSITORY --from HOME/evil.request')).err, /does not fit/);
	writeFileSync(path('evil.request'), '{}');
	t.regex((await run('import --repository REPOSITORY --from HOME/evil.request')).err, /is no signing request/);
});

test('the daily timestamp goes out while a root waits for its signatures', async (t) => {
	const desk = await publishedDesk(t);
	const { ok } = desk;
	const { refresh } = await boxes(t, desk);
	await ok('renew --repository REPOSITORY --role root');
	await ok('sign --repository REPOSITORY --role root --key @alice');
	const said = await ok('publish --repository REPOSITORY --timestamp-key @stamp');
	t.regex(said, /^published timestamp\.json\nwaiting: .*root was signed by 1\/2 keys\n$/);
	t.is((await refresh()).rootVersion, 1);
	await ok('sign --repository REPOSITORY --role root --key @carol');
	t.is(
		await ok('publish --repository REPOSITORY --timestamp-key @stamp'),
		'published 2.root.json\npublished timestamp.json\n',
	);
	t.is((await refresh()).rootVersion, 2);
});

test('a lost root key is replaced: the old keys and the new ones sign, and boxes follow', async (t) => {
	const desk = await publishedDesk(t);
	const { ok, run, keyId } = desk;
	const { refresh, peer } = await boxes(t, desk);
	t.is((await refresh()).rootVersion, 1);
	await ok('new-key --key @dave --name dave');
	await ok(
		`rotate --repository REPOSITORY --role root --add-key @dave.pub --remove-key ${keyId('carol').slice(0, 10)}`,
	);
	await ok('sign --repository REPOSITORY --role root --key @dave');
	t.regex(
		await ok('sign --repository REPOSITORY --role root --key @alice'),
		/root 1: 1 of 2, bob or carol can sign\nroot 2: 2 of 2/,
	);
	t.regex(await ok('publish --repository REPOSITORY --timestamp-key @stamp'), /waiting: /);
	await ok('sign --repository REPOSITORY --role root --key @bob');
	t.regex(await ok('publish --repository REPOSITORY --timestamp-key @stamp'), /published 2\.root\.json/);
	t.is((await refresh()).rootVersion, 2);
	await peer().refresh();
	await ok('renew --repository REPOSITORY --role root');
	t.regex((await run('sign --repository REPOSITORY --role root --key @carol')).err, /does not sign for root/);
});

test('other keys for the targets: the root waits until the targets are signed with them', async (t) => {
	const desk = await publishedDesk(t);
	const { ok, keyId } = desk;
	const { refresh, peer } = await boxes(t, desk);
	await refresh();
	await ok(`rotate --repository REPOSITORY --role targets --add-key @bob.pub --remove-key ${keyId('alice')}`);
	await ok('sign --repository REPOSITORY --role root --key @alice');
	await ok('sign --repository REPOSITORY --role root --key @bob');
	t.notRegex(await ok('publish --repository REPOSITORY --timestamp-key @stamp'), /root\.json/);
	t.is((await refresh()).rootVersion, 1);
	await ok('sign --repository REPOSITORY --role targets --key @bob');
	t.regex(await ok(PUBLISH), /published 2\.targets\.json.*published 2\.root\.json/s);
	t.is((await refresh()).rootVersion, 2);
	await peer().refresh();
});

test('other keys for a delegated role: the targets wait until it is signed with them', async (t) => {
	const desk = await publishedDesk(t);
	const { ok } = desk;
	await addRelease(desk);
	await ok(PUBLISH);
	const { refresh } = await boxes(t, desk);
	await ok('new-key --key @erin --name erin');
	await ok('delegate --repository REPOSITORY --role appliance --path appliance/* --key @erin.pub');
	await ok('sign --repository REPOSITORY --role targets --key @alice');
	const said = await ok('publish --repository REPOSITORY --timestamp-key @stamp');
	t.regex(said, /waiting: targets\.json waits until appliance is signed by its new keys/);
	t.not((await refresh()).find('appliance/gateway-1.4.0.tar'), null);
	await ok('sign --repository REPOSITORY --role appliance --key @erin');
	await ok(PUBLISH);
	const view = await refresh();
	t.not(view.find('appliance/gateway-1.4.0.tar'), null);
	t.is(view.refusedRoles.size, 0);
});

test('a vendor is let in, signs on his own, and is taken back; boxes follow all of it', async (t) => {
	const desk = await publishedDesk(t);
	const { ok, path } = desk;
	const { refresh, peer } = await boxes(t, desk);
	await ok('new-key --key @acme --name acme');
	await ok('delegate --repository REPOSITORY --role acme --path firmware/acme/* --key @acme.pub');
	await ok('sign --repository REPOSITORY --role targets --key @alice');
	// His first file is not signed yet: everything else goes out.
	t.regex(await ok(PUBLISH), /published 2\.targets\.json/);
	t.is((await refresh()).refusedRoles.get('acme')?.refusal, 'missing');
	writeFileSync(path('meter.bin'), 'firmware');
	await ok('add-target --repository REPOSITORY --role acme --path firmware/acme/meter.bin --file HOME/meter.bin');
	await ok('sign --repository REPOSITORY --role acme --key @acme');
	await ok(PUBLISH);
	t.is((await refresh()).find('firmware/acme/meter.bin')?.role, 'acme');
	await ok('undelegate --repository REPOSITORY --role acme');
	await ok('sign --repository REPOSITORY --role targets --key @alice');
	await ok(PUBLISH);
	t.is((await refresh()).find('firmware/acme/meter.bin'), null);
	await peer().refresh();
	await ok('verify --repository REPOSITORY');
});

test('stolen online keys: a root takes them back, and boxes that were led astray come home', async (t) => {
	const desk = await publishedDesk(t);
	const { ok, keyId, repository } = desk;
	const { refresh } = await boxes(t, desk);
	const before = desk.files();
	for (let day = 0; day < 5; day += 1) await ok('publish --repository REPOSITORY --timestamp-key @stamp');
	t.is((await refresh()).timestampVersion, 6);
	// The repository is restored from before the theft, and counts from there.
	for (const [name, bytes] of before) writeFileSync(join(repository, name), bytes);
	await t.throwsAsync(refresh(), { message: /older than 6/ });
	for (const name of ['snap2', 'stamp2']) await ok(`new-key --key @${name} --name ${name}`);
	await ok(`rotate --repository REPOSITORY --role timestamp --add-key @stamp2.pub --remove-key ${keyId('stamp')}`);
	await ok(`rotate --repository REPOSITORY --role snapshot --add-key @snap2.pub --remove-key ${keyId('snap')}`);
	await ok('sign --repository REPOSITORY --role root --key @alice');
	await ok('sign --repository REPOSITORY --role root --key @bob');
	await ok('publish --repository REPOSITORY --snapshot-key @snap2 --timestamp-key @stamp2');
	const view = await refresh();
	t.is(view.rootVersion, 2);
	t.is(view.timestampVersion, 2);
});

test('a publisher with the wrong keys writes nothing', async (t) => {
	const { run, files } = await publishedDesk(t);
	const before = [...files().keys()];
	for (const line of [
		'publish --repository REPOSITORY --timestamp-key @snap',
		'publish --repository REPOSITORY --timestamp-key @alice --snapshot-key @alice',
	]) {
		const { code, err } = await run(line);
		t.is(code, 65);
		t.regex(err, /timestamp was signed by 0\/1 keys/);
	}
	t.deepEqual([...files().keys()], before);
});

test('a snapshot is made anew when a third of its life is left, and asks for its key', async (t) => {
	const { ok, run, wait } = await publishedDesk(t);
	wait(19);
	t.notRegex(await ok('publish --repository REPOSITORY --timestamp-key @stamp'), /snapshot/);
	wait(2);
	t.regex(
		(await run('publish --repository REPOSITORY --timestamp-key @stamp')).err,
		/snapshot was signed by 0\/1 keys/,
	);
	t.regex(await ok(PUBLISH), /published 2\.snapshot\.json/);
});

test('the status says what runs out, and who can prevent it', async (t) => {
	const { ok, run, wait } = await publishedDesk(t);
	t.notRegex(await ok('status --repository REPOSITORY'), /renew|EXPIRED/);
	wait(11);
	t.regex(await ok('status --repository REPOSITORY'), /timestamp .*\(2 days\) {2}renew soon/);
	wait(300);
	const said = await ok('status --repository REPOSITORY');
	t.regex(said, /appliance .* renew soon/);
	t.regex(said, /timestamp .* EXPIRED/);
	t.regex((await run('verify --repository REPOSITORY')).err, /timestamp\.json: it was valid until/);
	await ok('renew --repository REPOSITORY --role appliance --days 100');
	t.regex(await ok('status --repository REPOSITORY'), /appliance 2\n {6}targets 1: 0 of 1, builder can sign/);
});

test('a file of a target that was changed on the server is found by looking it over', async (t) => {
	const desk = await publishedDesk(t);
	await addRelease(desk);
	await desk.ok(PUBLISH);
	const name = [...desk.files().keys()].find((path) => path.endsWith('.gateway-1.4.0.tar')) ?? '';
	writeFileSync(join(desk.repository, name), 'a rElease');
	const { code, err } = await desk.run('verify --repository REPOSITORY');
	t.is(code, 65);
	t.regex(err, /gateway-1\.4\.0\.tar: the file is not the one that is signed/);
});

const REFUSED: readonly (readonly [line: string, reason: RegExp])[] = [
	[
		'init --repository REPOSITORY --root-key @bob.pub --targets-key @bob.pub --snapshot-key @bob.pub --timestamp-key @bob.pub',
		/holds a repository already/,
	],
	['rotate --repository REPOSITORY --role root --threshold 4', /root has 3 keys, so 4 is not possible/],
	['rotate --repository REPOSITORY --role root --remove-key 0000', /not the beginning of one key id/],
	['rotate --repository REPOSITORY --role timestamp --remove-key 00000000', /not the beginning of one key id/],
	['delegate --repository REPOSITORY --role snapshot --path a/* --key @bob.pub', /not a name for a delegated role/],
	['delegate --repository REPOSITORY --role x --path ../* --key @bob.pub', /is not a relative path/],
	['delegate --repository REPOSITORY --role x --path a/* --key @bob.pub --threshold 2', /x has 1 keys/],
	['undelegate --repository REPOSITORY --role nobody', /delegated to nobody/],
	['add-target --repository REPOSITORY --role appliance --path ../x --file HOME/x', /not a path for a target/],
	['add-target --repository REPOSITORY --role appliance --path a/x --file HOME/nothing', /cannot be read/],
	['add-target --repository REPOSITORY --role nobody --path a/x --file @bob', /delegated to nobody/],
	['remove-target --repository REPOSITORY --role appliance --path appliance/none', /not a target of appliance/],
	['export --repository REPOSITORY --role root --to HOME/x', /nothing of root is staged/],
	['sign --repository REPOSITORY --role root --key @nobody', /nothing of root is staged/],
	['new-key --key @bob --name bob', /is there already/],
	['publish --repository REPOSITORY --timestamp-key @stamp.pub', /is no key file/],
	['verify --repository REPOSITORY --root @bob.pub', /malformed|signed/],
	['status --repository HOME/nowhere --more', /Unknown option/],
];

test('what cannot be is refused with a sentence that names it', async (t) => {
	const { run } = await publishedDesk(t);
	for (const [line, reason] of REFUSED) {
		const { code, err } = await run(line);
		t.true(code === 65 || code === 64, line);
		t.regex(err, reason, line);
	}
});

test('a release that no appliance would take is not even staged', async (t) => {
	const { run, path, files } = await publishedDesk(t);
	writeFileSync(path('release.tar'), 'x');
	writeFileSync(path('custom.json'), JSON.stringify({ ...CUSTOM, seq: 0 }));
	const line =
		'add-target --repository REPOSITORY --role appliance --path appliance/x.tar --file HOME/release.tar --custom HOME/custom.json';
	t.regex((await run(line)).err, /seq/);
	t.false(files().has('staged/appliance.json'));
});

test('a build brings the newest root and its time along, and takes no updates without them', async (t) => {
	const desk = await publishedDesk(t);
	const { ok, run, path } = desk;
	t.regex(await ok('factory --repository REPOSITORY --to HOME/build'), /root 1 is in/);
	const { factoryRoot, builtAt } = await readFactoryTrust(path('build'));
	t.is(factoryRoot, desk.files().get('metadata/1.root.json')?.toString() ?? '');
	t.true(Math.abs(builtAt - Date.now()) < 60_000);
	await openTrust({ folder: newFolder(t), factoryRoot, builtAt, clock: systemClock, log: silentLog });
	await t.throwsAsync(readFactoryTrust(path('nothing')), { message: /brings no root/ });
	writeFileSync(path('build/build.json'), '{"built_at":"yesterday"}');
	await t.throwsAsync(readFactoryTrust(path('build')), { message: /built_at/ });
	writeFileSync(path('build/root.json'), factoryRoot.replace('"version":1', '"version":9'));
	await t.throwsAsync(readFactoryTrust(path('build')), { message: /signed by 0\/2/ });
	t.regex((await run('factory --repository HOME/none --to HOME/build')).err, /no root is published/);
});

test('a machine whose clock cannot be right publishes nothing and stamps no build', async (t) => {
	const { ok, run, wait, files } = await publishedDesk(t);
	const before = files();
	const lines = [PUBLISH, 'factory --repository REPOSITORY --to HOME/build'];
	wait(-1);
	for (const line of lines) t.regex((await run(line)).err, /something was signed later already/);
	wait(101);
	for (const line of lines) t.regex((await run(line)).err, /look at its clock, then use --time-is-right/);
	t.deepEqual(files(), before);
	for (const line of lines) await ok(`${line} --time-is-right`);
});
