import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createAcknowledger } from '../../cloud/link/acknowledger.ts';
import { createHubLink, LINK_LIMITS } from '../../cloud/link/hub-link.ts';
import { createLinkLanes } from '../../cloud/link/link-lanes.ts';
import { listenWithRetry } from '../../core/http/listen.ts';
import { openJournal } from '../../core/journal/file-journal.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { type GatewayId, newGatewayId } from '../../core/kernel/id.ts';
import { createLifecycle } from '../../core/kernel/lifecycle.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { openLedger } from '../../core/ledger/ledger-store.ts';
import { LINK_SERVER_NAME } from '../../core/link/enrolment.ts';
import { createBroker } from '../../core/mqtt/broker.ts';
import { mqttServer } from '../../core/mqtt/mqtt-listener.ts';
import { ALWAYS, issueClient, issueServer, makeAuthority } from '../../core/pki/authority.ts';
import { type Credential, requestCertificate } from '../../core/pki/certificate.ts';
import { requiredArguments } from './arguments.ts';

/**
 * Program: the link of a hub - TLS, certificates, broker, lanes, ledger and journal on a disk - without documents and pages. Names a file with the
 * certificates of `gateways` gateways. A line on standard input is answered with what was stored and how old live values were.
 */
const given = requiredArguments(['gateways']);
const DAY_MS = 86_400_000;
const common = { clock: systemClock, log: silentLog };
const folder = await mkdtemp(join(tmpdir(), 'fleet-bench-'));
const lifecycle = createLifecycle(silentLog);
const authority = await makeAuthority('bench authority');

const fleet: { readonly id: GatewayId; readonly own: Credential }[] = [];
for (let index = 0; index < Number(given.gateways); index += 1) {
	const id = newGatewayId();
	const { csrPem, keyPem } = await requestCertificate(id);
	const certPem = await issueClient(authority, { commonName: id, csrPem, now: systemClock.now(), days: 1 });
	fleet.push({ id, own: { certPem, keyPem } });
}

const journal = lifecycle.own(
	'journal',
	await openJournal({ ...common, folder: join(folder, 'journal'), holders: ['ledger'], givesUpHeld: false }),
);
const ledgerFile = lifecycle.own(
	'ledger',
	await openLedger({ folder: join(folder, 'ledger'), journal, log: silentLog }),
);
let liveAges: number[] = [];
const storedOf = new Map<GatewayId, number>();
const lanes = createLinkLanes({
	async *find() {},
	...common,
	ledgerFile,
	journal,
	telemetry: {
		acceptStamped(readings, lane, urgency) {
			const now = systemClock.now();
			for (const { origin, readAt, values } of readings) {
				storedOf.set(origin, (storedOf.get(origin) ?? 0) + values.length);
				if (lane === 'live') liveAges.push(now - readAt);
			}
			return journal.append(readings, urgency);
		},
	},
	deviceOf: () => null,
	verdictOn: () => 'possible',
	acknowledge: (range) => acknowledger.received(range),
	send: (...message) => link.send(...message),
	isOnline: (gateway) => link.presence(gateway).online,
	online: () => fleet.map(({ id }) => id),
	lifecycle,
});
const acknowledger = lifecycle.own(
	'acknowledger',
	createAcknowledger((to, ack) => link.acknowledge(to, ack)),
);
const link = createHubLink({
	...common,
	certificates: { standing: () => 'valid', used: async () => undefined, expiring: () => null, renew: async () => '' },
	ingest: lanes.ingest,
	ledger: ledgerFile.ledger,
	saveLedger: () => ledgerFile.save(),
	adopt: async () => undefined,
	ownerOf: () => null,
	setHealth: () => undefined,
	lossNoted: acknowledger.lossNoted,
	takeHistory: (...block) => lanes.takeHistory(...block),
	boots: lanes.boots,
	features: [lanes.feature],
});
const broker = await createBroker({ ...common, limits: LINK_LIMITS, ...link.policy });
link.attach(broker);
const server = await issueServer(authority, {
	commonName: 'hub',
	names: [LINK_SERVER_NAME],
	notBefore: ALWAYS,
	notAfter: new Date(systemClock.now() + DAY_MS),
});
const listening = await listenWithRetry({
	name: 'link',
	listener: mqttServer({
		...broker,
		log: silentLog,
		tls: { key: server.keyPem, cert: server.certPem, ca: authority.caPem },
	}),
	host: '127.0.0.1',
	port: 0,
	log: silentLog,
});
const credentialsPath = join(folder, 'credentials.json');
await writeFile(credentialsPath, JSON.stringify({ caPem: authority.caPem, fleet }));
process.stdin.on('data', () => {
	const stored = [...storedOf.values()];
	console.log(JSON.stringify({ event: 'stats', stored, live_ages: liveAges }));
	liveAges = [];
});
console.log(JSON.stringify({ event: 'ready', link_port: listening.state().port, credentials: credentialsPath }));
process.once('SIGTERM', () => {
	void broker
		.stop()
		.then(() => listening.stop())
		.then(() => lifecycle.stop())
		.then(() => rm(folder, { recursive: true, force: true }))
		.finally(() => process.exit(0));
});
