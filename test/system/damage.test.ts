import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { startEnrolled, untilOnline } from './kit/enrolled.ts';
import type { HullProcess } from './kit/hull-process.ts';
import { readCounterDevices, writeReadCounterTemplate } from './kit/read-counter.ts';
import { type Rest, claim, login, member } from './kit/rest.ts';
import { type Stage, createStage } from './kit/stage.ts';
import { differences, heldOf, json, latestOf, ledgerOf, recordsOf, settledLedger, uplinkOf } from './kit/telemetry.ts';
import { settled, waitFor } from './kit/wait-for.ts';

const SOON_MS = 45_000;
const DEVICE = 'counter-0-1';
const GARBAGE = Buffer.alloc(2_000, 'no JSON, no database ');

const overwrite = (path: string): void => writeFileSync(path, GARBAGE);

const zero = (path: string): void => writeFileSync(path, Buffer.alloc(2_000));

const missing = (path: string): void => rmSync(path, { recursive: true, force: true });

/** The only file of a folder, or the first one. */
const firstFile = (folder: string): string => join(folder, readdirSync(folder).toSorted()[0] ?? '');

/** Cuts the newest line of the audit log in two. */
function tearAudit(folder: string): void {
	const path = firstFile(folder);
	truncateSync(path, readFileSync(path).length - 20);
}

/** Makes a document database unreadable the way a broken card does: its table of contents and its newest pages are gone. */
function wreckDatabase(folder: string): void {
	for (const name of readdirSync(folder)) if (/^(CURRENT|MANIFEST|\d+\.log)/.test(name)) overwrite(join(folder, name));
}

interface Damage {
	/** Below the data folder. */
	readonly file: string;
	readonly harm: (path: string) => void;
	/** What the log says; `null`: nothing was lost. */
	readonly said: RegExp | null;
}

/** Kills the hull, harms files, starts it again, and looks whether it says so. Answers REST as the administrator. */
async function suffer(t: ExecutionContext, hull: HullProcess, ...damages: readonly Damage[]): Promise<Rest> {
	await hull.kill9();
	for (const { file, harm } of damages) harm(join(hull.dataFolder, file));
	await hull.start();
	const lines = hull.child().lastLines();
	for (const { file, said } of damages) {
		if (said === null) continue;
		const found = lines.find((line) => /"level":"(error|warn)"/.test(line) && said.test(line));
		t.truthy(found, `${file}: nothing of ${String(said)} in\n${lines.join('\n')}`);
		t.log(`${hull.role} ${file}: ${found ?? ''}`);
	}
	// Accounts that could not be saved are made anew by whoever has the box in hand.
	if (!existsSync(join(hull.dataFolder, 'claim-code'))) return login(hull.url());
	t.log(`the ${hull.role} has to be claimed again`);
	return claim(hull.url(), await hull.claimCode());
}

const hasValues = (rest: Rest): Promise<boolean> =>
	waitFor('values', SOON_MS, async () => typeof member(await latestOf(rest, DEVICE, 'reads'), 'value') === 'number');

async function startMeter(stage: Stage) {
	const simulator = await stage.spawnSimulator('--mode', 'reads', '--tcp', '0:1');
	return { devices: readCounterDevices(simulator, 200), settings: writeReadCounterTemplate(stage.folder) };
}

const GATEWAY_DAMAGES: readonly Damage[] = [
	{ file: 'settings.json', harm: overwrite, said: /settings-lost.*settings\.json|settings\.json.*settings-lost/ },
	{ file: 'mqtt-accounts.json', harm: overwrite, said: /mqtt-accounts/ },
	{ file: 'accounts', harm: wreckDatabase, said: /database-(repaired|lost)/ },
	{ file: 'devices', harm: wreckDatabase, said: /database-(repaired|lost)/ },
];

for (const damage of GATEWAY_DAMAGES) {
	test.serial(`a gateway whose ${damage.file} is damaged says so, starts and reads on`, async (t) => {
		t.timeout(300_000);
		const stage = createStage(t);
		const gateway = await stage.spawnGateway(await startMeter(stage));
		const before = await claim(gateway.url(), await gateway.claimCode());
		await before.post('/api/v1/mqtt/readers', { name: 'dashboard' });
		const rest = await suffer(t, gateway, damage);
		await hasValues(rest);
		t.is((await rest.get('/readiness')).status, 200);
	});
}

/** What people have made, round by round: each is one power cut that harms several files. */
const RECORD_DAMAGES: readonly (readonly Damage[])[] = [
	[
		{ file: 'audit', harm: tearAudit, said: /audit-torn-line/ },
		{ file: 'answers', harm: (folder) => overwrite(firstFile(folder)), said: /kept-answer-dropped/ },
		{ file: 'lan-ca.pem', harm: overwrite, said: /lan-authority-lost/ },
		{ file: 'commands', harm: wreckDatabase, said: /database-(repaired|lost)/ },
	],
	[
		{ file: 'audit', harm: (folder) => zero(firstFile(folder)), said: /audit-torn-line|audit-chain-broken/ },
		{ file: 'answers', harm: (folder) => zero(firstFile(folder)), said: /kept-answer-dropped/ },
		{ file: 'lan-ca.key', harm: zero, said: /lan-authority-lost/ },
		{ file: 'alerts', harm: wreckDatabase, said: /database-(repaired|lost)/ },
		{ file: 'claim-code-reset', harm: overwrite, said: null },
	],
	[
		{ file: 'audit', harm: (folder) => overwrite(firstFile(folder)), said: /audit-torn-line|audit-chain-broken/ },
		{ file: 'answers', harm: missing, said: null },
		{ file: 'lan-ca.key', harm: missing, said: /lan-authority-lost/ },
		{ file: 'alert-rules', harm: wreckDatabase, said: /database-(repaired|lost)/ },
		{ file: 'analytics', harm: wreckDatabase, said: /database-(repaired|lost)/ },
		{ file: 'mqtt-accounts.json', harm: zero, said: /mqtt-accounts/ },
	],
	[
		{ file: 'audit', harm: missing, said: null },
		{ file: 'analytics', harm: missing, said: null },
		{ file: 'reserve', harm: missing, said: null },
	],
];

/** A change in every store. */
async function changeEverything(rest: Rest, mark: string): Promise<void> {
	const posts: readonly (readonly [path: string, body: object])[] = [
		['/api/v1/devices', { name: mark, device_type: 'mqtt', device_uid: mark }],
		[
			'/api/v1/monitoring/alert-rules',
			{ name: mark, metric: 'power', condition: 'gt', threshold: 1, severity: 'info' },
		],
		[`/api/v1/devices/${mark}/telemetry`, { telemetry_type: 'values', payload: { power: 5 } }],
		[`/api/v1/devices/${mark}/commands`, { command_name: 'restart', payload: {} }],
		[`/api/v1/analytics/reports/${mark}`, {}],
		[`/api/v1/devices/${mark}/mqtt-credentials`, {}],
	];
	for (const [index, [path, body]] of posts.entries()) {
		const response = await fetch(`${rest.url}${path}`, {
			method: 'POST',
			headers: {
				authorization: `Bearer ${rest.token ?? ''}`,
				'content-type': 'application/json',
				'idempotency-key': `${mark}-${index}`,
			},
			body: JSON.stringify(body),
		});
		if (response.status >= 300) throw new Error(`${path}: ${response.status} ${await response.text()}`);
	}
}

test.serial(
	'a gateway whose records are damaged one after the other says so, starts, and takes new ones',
	async (t) => {
		t.timeout(300_000);
		const stage = createStage(t);
		const gateway = await stage.spawnGateway({ devices: [] });
		let rest = await claim(gateway.url(), await gateway.claimCode());
		for (const [index, damages] of RECORD_DAMAGES.entries()) {
			await changeEverything(rest, `mark-${index}`);
			rest = await suffer(t, gateway, ...damages);
			t.is((await rest.get('/api/v1/audit/verify')).status, 200);
			t.is((await rest.get('/api/v1/users/me')).status, 200);
			t.is((await rest.get(`/api/v1/devices/mark-${index}`)).status, 200, 'the others are untouched');
		}
		await changeEverything(rest, 'at-last');
	},
);

/** The newest segment of a journal that has frames in it. */
function newestSegment(folder: string): string {
	const names = readdirSync(folder)
		.filter((name) => name.endsWith('.segment'))
		.toSorted();
	return join(folder, names.at(-1) ?? '');
}

/** Where the zeros behind the last commit begin. */
function writtenBytes(path: string): number {
	const bytes = readFileSync(path);
	let end = bytes.length;
	while (end > 0 && bytes[end - 1] === 0) end -= 1;
	return end;
}

const TORN: readonly Damage[] = [
	{
		file: 'journal',
		said: /journal/,
		harm: (folder) => truncateSync(newestSegment(folder), writtenBytes(newestSegment(folder)) - 40),
	},
	{
		file: 'journal',
		said: /journal/,
		harm(folder) {
			const path = newestSegment(folder);
			const bytes = readFileSync(path);
			bytes.fill(0xa5, writtenBytes(path) - 60);
			writeFileSync(path, bytes);
		},
	},
];

test.serial(
	'a journal whose end is torn or overwritten loses that end only, says so, and goes on in a new epoch',
	async (t) => {
		t.timeout(300_000);
		const stage = createStage(t);
		const { devices, settings } = await startMeter(stage);
		const { gateway, hubRest, gatewayRest } = await startEnrolled(stage, devices, settings);
		for (const damage of TORN) {
			await waitFor('history', SOON_MS, async () => (await recordsOf(gatewayRest, DEVICE)).length >= 15);
			const before = await recordsOf(gatewayRest, DEVICE);
			const rest = await suffer(t, gateway, damage);
			const after = await recordsOf(rest, DEVICE);
			const oldest = before.slice(-5);
			t.deepEqual(differences(after, oldest), [], 'what was before the damage is there');
			t.true(Array.isArray(member(await uplinkOf(rest, 'journal'), 'losses')));
			t.log(`losses: ${JSON.stringify(member(await uplinkOf(rest, 'journal'), 'losses'))}`);
			await waitFor(
				'new records',
				SOON_MS,
				async () =>
					Date.parse((await recordsOf(rest, DEVICE))[0]?.recorded_at ?? '') > Date.parse(before[0]?.recorded_at ?? ''),
			);
			await untilOnline(rest);
		}
		// A journal that lost its end leaves a hole, which has its reason and stays.
		const { missing_samples: lacking, holes } = await settled(
			SOON_MS,
			() => ledgerOf(hubRest, gatewayRest),
			(ledger) => ledger.missing_samples === 0 && ledger.holes.every(({ reason }) => reason !== 'in-transit'),
		);
		t.is(lacking, 0);
		t.true(holes.every(({ reason }) => reason !== 'in-transit'));
		t.log(`holes: ${JSON.stringify(holes)}`);
		const own = await recordsOf(gatewayRest, DEVICE);
		t.deepEqual(differences(await heldOf(hubRest, DEVICE, own, SOON_MS), own), []);
	},
);

test.serial(
	'a gateway that has lost its enrolment is enrolled again as the same gateway, with devices and history',
	async (t) => {
		t.timeout(300_000);
		const stage = createStage(t);
		const { devices, settings } = await startMeter(stage);
		const { hub, gateway, gatewayRest, hubRest } = await startEnrolled(stage, devices, settings);
		await waitFor(
			'values at the hub',
			SOON_MS,
			async () => (await hubRest.get(`/api/v1/devices/${DEVICE}`)).status === 200,
		);
		// Within ten minutes the used code of the settings would let this gateway in again by itself.
		await hub.stop();
		rmSync(join(hub.dataFolder, 'enrolment-codes.json'));
		await hub.start();
		await untilOnline(gatewayRest);
		// What is owed when the enrolment is lost may be let go before there is another: declared, but no matter of this test.
		await waitFor('nothing owed', SOON_MS, async () => {
			const own = await recordsOf(gatewayRest, DEVICE);
			return differences(await recordsOf(hubRest, DEVICE), own).length === 0;
		});
		const rest = await suffer(t, gateway, { file: 'uplink.json', harm: overwrite, said: /settings-lost/ });
		t.is(await uplinkOf(rest, 'state'), 'not-enrolled');
		await waitFor('history without a hub', SOON_MS, async () => (await recordsOf(rest, DEVICE)).length >= 15);
		const gateway_id = await uplinkOf(rest, 'gateway_id');
		const codeFor = async (payload: object): Promise<unknown> =>
			member((await hubRest.post('/api/v1/gateways/enrolment-codes', payload)).body, 'code');
		const enrolWith = (code: unknown) => rest.post('/api/v1/uplink/enrol', { hub_url: hub.url(), code });
		t.is((await enrolWith(await codeFor({}))).status, 409, 'a code for anybody is none for a gateway that is enrolled');
		const enrolled = await enrolWith(await codeFor({ gateway_id }));
		t.true(enrolled.status < 300, JSON.stringify(enrolled.body));
		await untilOnline(rest);
		const own = await recordsOf(rest, DEVICE);
		await waitFor(
			'all history at the hub',
			SOON_MS,
			async () => differences(await recordsOf(hubRest, DEVICE), own).length === 0,
		);
		const gateways = await json(hubRest, '/api/v1/gateways');
		t.is(Array.isArray(gateways) && gateways.length, 1, 'it is the same gateway');
	},
);

const HUB_DAMAGES: readonly Damage[] = [
	{ file: 'ledger/snapshot', harm: overwrite, said: /ledger-damaged/ },
	{ file: 'settings.json', harm: overwrite, said: /settings-lost/ },
	{ file: 'hub.json', harm: overwrite, said: /settings-lost/ },
	{ file: 'devices', harm: wreckDatabase, said: /database-(repaired|lost)/ },
	{ file: 'accounts', harm: wreckDatabase, said: /database-(repaired|lost)/ },
	{ file: 'enrolment-codes.json', harm: overwrite, said: /settings-lost/ },
	{ file: 'enrolment-codes.json', harm: zero, said: /settings-lost/ },
	{ file: 'enrolment-codes.json', harm: missing, said: null },
	{ file: 'commands', harm: wreckDatabase, said: /database-(repaired|lost)/ },
	{ file: 'lan-ca.key', harm: overwrite, said: /lan-authority-lost/ },
];

test.serial(
	'a hub whose files are damaged one after the other says so, starts, and holds everything once again',
	async (t) => {
		t.timeout(300_000);
		const stage = createStage(t);
		const { devices, settings } = await startMeter(stage);
		const { hub, gatewayRest } = await startEnrolled(stage, devices, settings);
		for (const damage of HUB_DAMAGES) {
			const rest = await suffer(t, hub, damage);
			await untilOnline(gatewayRest);
			const own = await recordsOf(gatewayRest, DEVICE);
			await waitFor(
				`everything at the hub after ${damage.file}`,
				SOON_MS,
				async () => differences(await recordsOf(rest, DEVICE), own).length === 0,
			);
			const { missing_samples: lacking, holes } = await settledLedger(rest, gatewayRest, SOON_MS);
			t.is(lacking, 0);
			t.deepEqual(holes, []);
		}
	},
);
