import test, { type ExecutionContext } from 'ava';
import mqtt, { type MqttClient } from 'mqtt';

import { createLedger } from '../../core/ledger/ledger.ts';
import { createHubLink, LINK_LIMITS } from '../../cloud/link/hub-link.ts';
import { listenWithRetry } from '../../core/http/listen.ts';
import { newGatewayId } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { LINK_SERVER_NAME } from '../../core/link/enrolment.ts';
import { linkMessage, parseLinkMessage } from '../../core/link/link-messages.ts';
import { downFilter, upTopic } from '../../core/link/link-topics.ts';
import { createBroker } from '../../core/mqtt/broker.ts';
import { mqttServer } from '../../core/mqtt/mqtt-listener.ts';
import { ALWAYS, type Authority, issueClient, issueServer, makeAuthority } from '../../core/pki/authority.ts';
import { type Credential, isSignedBy, requestCertificate } from '../../core/pki/certificate.ts';
import { DAY_MS, enrolmentBox, fingerprintOf, request } from './enrolment-box.ts';

type Box = Awaited<ReturnType<typeof enrolmentBox>>;

/** The link of a hub on a port of loopback, as the hub makes it. */
async function link(t: ExecutionContext) {
	const box = await enrolmentBox(t);
	const received: string[] = [];
	const hubLink = createHubLink({
		certificates: box.certificates,
		ingest: { receive: async (gateway) => (received.push(gateway), null) },
		ledger: createLedger(),
		saveLedger: async () => undefined,
		adopt: async () => undefined,
		ownerOf: () => null,
		setHealth: () => undefined,
		lossNoted: () => undefined,
		takeHistory: async (gateway) => void received.push(gateway),
		boots: { hello: () => undefined, isPossible: () => true },
		features: [],
		clock: box.clock,
		log: silentLog,
	});
	const broker = await createBroker({ log: silentLog, clock: box.clock, limits: LINK_LIMITS, ...hubLink.policy });
	hubLink.attach(broker);
	const server = await issueServer(box.authority, {
		commonName: 'hub',
		names: [LINK_SERVER_NAME],
		notBefore: ALWAYS,
		notAfter: new Date(Date.now() + DAY_MS),
	});
	const tls = { key: server.keyPem, cert: server.certPem, ca: box.authority.caPem };
	const listening = await listenWithRetry({
		name: 'link',
		listener: mqttServer({ ...broker, log: silentLog, tls }),
		host: '127.0.0.1',
		port: 0,
		log: silentLog,
	});
	t.teardown(async () => {
		await broker.stop();
		await listening.stop();
	});
	return { ...box, received, broker, port: listening.state().port };
}

async function enrol({ service }: Pick<Box, 'service'>) {
	const { asked, proof, keyPem } = await request((await service.openCode()).code);
	const { certPem } = await service.enrol(asked, proof);
	return { id: asked.gatewayId, own: { certPem, keyPem } };
}

interface Dial {
	readonly port: number;
	readonly authority: Authority;
	readonly username: string;
	readonly credential: Credential | null;
	readonly password?: string;
}

function dial(t: ExecutionContext, { port, authority, username, credential, password }: Dial): MqttClient {
	const client = mqtt.connect({
		protocol: 'mqtts',
		host: '127.0.0.1',
		port,
		servername: LINK_SERVER_NAME,
		ca: authority.caPem,
		protocolVersion: 4,
		clientId: username,
		username,
		reconnectPeriod: 0,
		...(password !== undefined && { password }),
		...(credential !== null && { cert: credential.certPem, key: credential.keyPem }),
	});
	client.on('error', () => undefined);
	t.teardown(() => client.endAsync(true));
	return client;
}

/** What becomes of a connection. */
const outcome = (client: MqttClient): Promise<'in' | 'refused'> =>
	new Promise((resolve) => {
		client.once('connect', () => resolve('in'));
		client.once('close', () => resolve('refused'));
	});

const closeOf = (client: MqttClient): Promise<void> => new Promise((resolve) => void client.once('close', resolve));

test('a gateway comes in with its certificate, without any password, and under its own name only', async (t) => {
	const { service, authority, port } = await link(t);
	const a = await enrol({ service });
	const b = await enrol({ service });
	t.is(await outcome(dial(t, { port, authority, username: a.id, credential: a.own })), 'in');
	t.is(await outcome(dial(t, { port, authority, username: b.id, credential: a.own })), 'refused', "A's as B");
	const key = await requestCertificate(a.id);
	const withoutKey = { certPem: a.own.certPem, keyPem: key.keyPem };
	t.throws(() => dial(t, { port, authority, username: a.id, credential: withoutKey }), undefined, "without A's key");
});

test('whoever has no certificate of this hub does not get in, whatever name and password are given', async (t) => {
	const { service, authority, port, broker, clock } = await link(t);
	const a = await enrol({ service });
	const forged = async (by: Authority, days: number): Promise<Credential> => {
		const { csrPem, keyPem } = await requestCertificate(a.id);
		const certPem = await issueClient(by, { commonName: a.id, csrPem, now: clock.now(), days });
		return { certPem, keyPem };
	};
	const namesake = await makeAuthority('test authority');
	const peers = {
		'no certificate': null,
		'another authority of the same name': await forged(namesake, 100),
		'another authority, expired': await forged(namesake, -1),
		'signed by the hub, in no record': await forged(authority, 100),
		'signed by the hub, expired, in no record': await forged(authority, -1),
	};
	for (const [what, credential] of Object.entries(peers)) {
		const client = dial(t, { port, authority, username: a.id, credential, password: 'a password' });
		t.is(await outcome(client), 'refused', what);
	}
	t.is(broker.clients().length, 0);
});

test('a certificate that has expired renews itself, and brings no telemetry', async (t) => {
	const { service, certificates, authority, port, clock, received } = await link(t);
	clock.jumpTo(Date.now() - 370 * DAY_MS);
	const { id, own } = await enrol({ service });
	clock.jumpTo(Date.now());
	t.is(certificates.standing(id, fingerprintOf(own.certPem)), 'expired');

	const thief = dial(t, { port, authority, username: id, credential: own });
	t.is(await outcome(thief), 'in');
	const closed = closeOf(thief);
	thief.publish(upTopic(id, 'live'), 'a block', { qos: 1 });
	await closed;
	t.deepEqual(received, []);

	const client = dial(t, { port, authority, username: id, credential: own });
	t.is(await outcome(client), 'in');
	await client.subscribeAsync(downFilter(id), { qos: 1 });
	const heard = new Map<string, Buffer>();
	const answered = new Promise<void>((resolve) => {
		client.on('message', (topic, payload) => {
			const kind = topic.split('/').at(-1) ?? '';
			heard.set(kind, payload);
			if (kind === 'certificate') resolve();
		});
	});
	const hello = { name: 'roof', version: '1', epoch: 1, lastSeq: 0, oldestEpoch: 1, boots: [] };
	await client.publishAsync(upTopic(id, 'hello'), linkMessage('hello', hello), { qos: 1 });
	const { csrPem, keyPem } = await requestCertificate(id);
	await client.publishAsync(upTopic(id, 'renew'), linkMessage('renew', { csrPem }), { qos: 1 });
	await answered;
	t.deepEqual([...heard.keys()], ['expiring', 'certificate'], 'no welcome');
	const { certPem } = parseLinkMessage('certificate', heard.get('certificate') ?? Buffer.alloc(0));
	t.true(isSignedBy(certPem, authority.caPem));
	client.end(true);

	const renewed = dial(t, { port, authority, username: id, credential: { certPem, keyPem } });
	t.is(await outcome(renewed), 'in');
	await renewed.publishAsync(upTopic(id, 'backfill'), 'a block', { qos: 1 });
	t.deepEqual(received, [id]);
	t.is(await outcome(dial(t, { port, authority, username: id, credential: own })), 'refused', 'the old one is over');
});

test('a revocation ends what is connected, and refuses what comes', async (t) => {
	const { service, authority, port, broker } = await link(t);
	const { id, own } = await enrol({ service });
	const client = dial(t, { port, authority, username: id, credential: own });
	t.is(await outcome(client), 'in');
	const closed = closeOf(client);
	await service.revoke(id);
	broker.disconnect(id, 'revoked');
	await closed;
	t.is(await outcome(dial(t, { port, authority, username: id, credential: own })), 'refused');
	t.is(await outcome(dial(t, { port, authority, username: newGatewayId(), credential: own })), 'refused');
});
