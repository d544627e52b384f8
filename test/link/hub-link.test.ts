import test from 'ava';

import type { Standing } from '../../cloud/enrolment/gateway-certificates.ts';
import { createBoots } from '../../cloud/ingest/boots.ts';
import { createLedger } from '../../core/ledger/ledger.ts';
import { createHubLink, type LinkAccount } from '../../cloud/link/hub-link.ts';
import type { Device, DeviceHealth } from '../../core/device/device.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { type DeviceId, type GatewayId, gatewayId } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { type HealthDocument, linkMessage } from '../../core/link/link-messages.ts';
import { downFilter, UP_KINDS, type UpKind, upTopic } from '../../core/link/link-topics.ts';
import { deferred } from '../fake/deferred.ts';
import { deviceOf, GATEWAY } from '../fake/device-box.ts';
import { createManualClock } from '../fake/manual-clock.ts';

const OTHER = gatewayId('9a000000-0000-4000-8000-000000000002');
const account: LinkAccount = { name: GATEWAY, gateway: GATEWAY, certificate: 'AB:CD' };

const healthOf = (device: DeviceId): HealthDocument => ({
	device,
	state: 'offline',
	since: epochMs(1),
	reason: 'silent',
});

interface Options {
	readonly adopt?: (device: Device) => Promise<void>;
	readonly receive?: () => Promise<null>;
	readonly standing?: Standing | null;
}

function hub({ adopt = async () => undefined, receive = async () => null, standing = 'valid' }: Options = {}) {
	const owners = new Map<DeviceId, GatewayId | null>();
	const adopted: string[] = [];
	const healths: [DeviceId, DeviceHealth['state']][] = [];
	const ledger = createLedger();
	const link = createHubLink({
		certificates: {
			standing: () => standing,
			used: async () => undefined,
			expiring: () => null,
			renew: async () => 'the next certificate',
		},
		ingest: { receive },
		ledger,
		saveLedger: async () => undefined,
		async adopt(device) {
			await adopt(device);
			owners.set(device.id, device.gatewayId);
			adopted.push(device.uid);
		},
		ownerOf: (id) => owners.get(id) ?? null,
		setHealth: (id, { state }) => void healths.push([id, state]),
		lossNoted: () => undefined,
		takeHistory: async () => undefined,
		boots: createBoots({ ledger, isOnline: () => true, log: silentLog }),
		features: [],
		clock: createManualClock(),
		log: silentLog,
	});
	const send = (kind: UpKind, payload: Buffer) =>
		link.policy.onPublish(account, {
			topic: upTopic(GATEWAY, kind),
			payload,
			qos: 1,
			retain: false,
			dup: false,
			messageId: 1,
		});
	return { link, owners, adopted, healths, send };
}

test('a gateway tells the health of its own devices and of no other', async (t) => {
	const { owners, healths, send } = hub();
	const own = deviceOf(1, 'own');
	const theirs = deviceOf(2, 'theirs');
	const unknown = deviceOf(3, 'unknown');
	owners.set(theirs.id, OTHER);
	await send(
		'documents',
		linkMessage('documents', { devices: [own], health: [theirs, unknown, own].map(({ id }) => healthOf(id)) }),
	);
	t.deepEqual(healths, [[own.id, 'offline']]);
});

test('one device that the hub refuses does not hide the others of the same message', async (t) => {
	const stolen = deviceOf(1, 'stolen');
	const { adopted, healths, send } = hub({
		async adopt({ uid }) {
			if (uid === 'stolen') throw new Fault('state-conflict', 'device belongs to another gateway');
		},
	});
	const foreign = deviceOf(2, 'foreign', { gatewayId: OTHER });
	const malformed = { ...deviceOf(3, 'malformed'), name: 'n'.repeat(300) };
	const good = deviceOf(4, 'good');
	const health = [{ ...healthOf(good.id), reason: 'x'.repeat(2_000) }, healthOf(good.id)];
	t.is(
		await send('documents', linkMessage('documents', { devices: [stolen, foreign, malformed, good], health })),
		'discard',
	);
	t.deepEqual(adopted, ['good']);
	t.deepEqual(healths, [[good.id, 'offline']]);
});

test('documents that could not be stored are not acknowledged, so that the gateway sends them again', async (t) => {
	const { send } = hub({ adopt: () => Promise.reject(new Error('ENOSPC')) });
	await t.throwsAsync(send('documents', linkMessage('documents', { devices: [deviceOf(1, 'a')], health: [] })));
});

test('a message that is wrong for ever is acknowledged and does no harm', async (t) => {
	const { send } = hub();
	for (const kind of ['hello', 'documents', 'losses'] as const)
		t.is(await send(kind, Buffer.from('{"half')), 'discard');
	const backwards = { losses: [{ epoch: 1, first: 9, last: 3, reason: 'disk-full' as const }] };
	t.is(await send('losses', linkMessage('losses', backwards)), 'discard');
});

test('a gateway that floods the live lane waits for the disk', async (t) => {
	const disk = deferred<null>();
	let isHeld = true;
	const { send } = hub({ receive: () => (isHeld ? disk.promise : Promise.resolve(null)) });
	for (let block = 0; block < 31; block += 1) await send('live', Buffer.from('block'));
	let isTaken = false;
	const next = send('live', Buffer.from('block')).then(() => (isTaken = true));
	await new Promise((resolve) => setImmediate(resolve));
	t.false(isTaken);
	isHeld = false;
	disk.resolve(null);
	await next;
	t.is(await send('live', Buffer.from('block')), 'discard');
});

test('a gateway publishes below its own root and hears its own answers only', (t) => {
	const { authorizePublish, authorizeSubscribe } = hub().link.policy;
	t.true(authorizePublish(account, upTopic(GATEWAY, 'live')));
	t.true(authorizeSubscribe(account, downFilter(GATEWAY)));
	const topics = [
		upTopic(OTHER, 'live'),
		`drawbridge/v1/${GATEWAY.toUpperCase()}/up/live`,
		`drawbridge/v1/${GATEWAY}/up/unknown`,
		`drawbridge/v1/${GATEWAY}/up/live/more`,
		`drawbridge/v1/${GATEWAY}/down/ack`,
		`drawbridge/v1/${'-'.repeat(36)}/up/live`,
	];
	for (const topic of topics) t.false(authorizePublish(account, topic), topic);
	const filters = [
		downFilter(OTHER),
		'#',
		'drawbridge/v1/+/down/+',
		'drawbridge/v1/#',
		`drawbridge/v1/${GATEWAY}/down/#`,
		`$share/all/${downFilter(GATEWAY)}`,
		`$share/all/drawbridge/v1/+/down/+`,
		downFilter(GATEWAY).toUpperCase(),
	];
	for (const filter of filters) t.false(authorizeSubscribe(account, filter), filter);
});

test('a gateway whose certificate has expired may say who it is and ask for another, and nothing else; one that is shut out may nothing', (t) => {
	const expired = hub({ standing: 'expired' }).link.policy;
	for (const kind of ['hello', 'renew'] as const)
		t.true(expired.authorizePublish(account, upTopic(GATEWAY, kind)), kind);
	for (const kind of ['live', 'backfill', 'documents', 'losses'] as const)
		t.false(expired.authorizePublish(account, upTopic(GATEWAY, kind)), kind);
	t.true(expired.authorizeSubscribe(account, downFilter(GATEWAY)));
	const shutOut = hub({ standing: null }).link.policy;
	for (const kind of UP_KINDS) t.false(shutOut.authorizePublish(account, upTopic(GATEWAY, kind)), kind);
	t.false(shutOut.authorizeSubscribe(account, downFilter(GATEWAY)));
});
