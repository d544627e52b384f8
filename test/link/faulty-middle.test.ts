import { setTimeout as sleep } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';

import { createAcknowledger } from '../../cloud/link/acknowledger.ts';
import { createHubLink } from '../../cloud/link/hub-link.ts';
import { createLinkLanes } from '../../cloud/link/link-lanes.ts';
import { encodeBlock } from '../../core/journal/block-codec.ts';
import { openJournal } from '../../core/journal/file-journal.ts';
import { type Clock, epochMs, systemClock } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { newDeviceId } from '../../core/kernel/id.ts';
import { createLifecycle } from '../../core/kernel/lifecycle.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { openLedger } from '../../core/ledger/ledger-store.ts';
import { downTopic, type UpKind, upTopic } from '../../core/link/link-topics.ts';
import type { Broker } from '../../core/mqtt/mqtt.ts';
import type { Reading } from '../../core/telemetry/reading.ts';
import type { Link, LinkConnectionDeps } from '../../gateway/uplink/link-connection.ts';
import { createUplink } from '../../gateway/uplink/uplink.ts';
import { openUplinkStore } from '../../gateway/uplink/uplink-store.ts';
import { createPowerCutFiles } from '../fake/power-cut-files.ts';
import { createRandom, type Random } from '../system/kit/random.ts';
import { waitFor } from '../system/kit/wait-for.ts';
import { enrolmentBox, request } from './enrolment-box.ts';

/** Times as fast as the clock on the wall, so that timeouts of seconds end in a test. */
const HASTE = 20;
const fastClock: Clock = { now: () => systemClock.now(), monotonicMs: () => systemClock.monotonicMs() * HASTE };

const POINTS = Array.from({ length: 20 }, (_, index) => `p${index}`);
const READINGS = 1_500;
const device = newDeviceId();

interface Faults {
	/** Chance of each message. */
	readonly twice: number;
	readonly liveLost: number;
	readonly bitFlipped: number;
	/** The connection ends with the message. */
	readonly cut: number;
	readonly mostDelayMs: number;
}

/** The line between a gateway and its hub, which does to messages what lines do. */
function createMiddle(random: Random, faults: Faults, deliver: (kind: UpKind, payload: Buffer) => Promise<unknown>) {
	let events: LinkConnectionDeps['events'] | null = null;
	let credential: ReturnType<LinkConnectionDeps['credentials']>[number] | undefined;
	let session = 0;
	let cuts = 0;
	let isOver = false;
	const happens = (chance: number): boolean => !isOver && random.below(1) < chance;
	const delay = (): Promise<void> => sleep(isOver ? 0 : random.below(faults.mostDelayMs));

	function up(): void {
		if (credential !== undefined) events?.up(credential);
	}

	function cut(): void {
		session += 1;
		cuts += 1;
		events?.down();
		setTimeout(up, 5);
	}

	function damaged(payload: Buffer): Buffer {
		const bytes = Buffer.from(payload);
		const at = Math.floor(random.below(bytes.length));
		bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << Math.floor(random.below(8))), at);
		return bytes;
	}

	async function carry(kind: UpKind, payload: Buffer, qos: 0 | 1): Promise<void> {
		const of = session;
		if (qos === 0 && happens(faults.liveLost)) return;
		const isBlock = kind === 'live' || kind === 'backfill';
		const arriving = isBlock && happens(faults.bitFlipped) ? damaged(payload) : payload;
		await delay();
		if (of !== session) throw new Fault('unreachable', 'the line was cut');
		if (happens(faults.twice)) void deliver(kind, arriving).catch(() => undefined);
		await deliver(kind, arriving);
		if (happens(faults.cut)) cut();
		await delay();
		if (of !== session) throw new Fault('unreachable', 'the line was cut');
	}

	const link: Link = {
		publish: (kind, payload, qos) => carry(kind, Buffer.from(payload), qos),
		waitingBytes: () => 0,
		renew: cut,
		state: () => ({ state: 'online', since: epochMs(0), lastError: null }),
		roundTripMs: () => null,
	};
	return {
		cuts: () => cuts,
		/** From here on it is a good line. */
		heal: (): void => void (isOver = true),
		async down(kind: string, payload: Buffer): Promise<void> {
			const of = session;
			const times = happens(faults.twice) ? 2 : 1;
			for (let index = 0; index < times; index += 1) {
				await delay();
				// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the hub names only kinds of its own
				if (of === session) events?.message(kind as Parameters<LinkConnectionDeps['events']['message']>[0], payload);
			}
		},
		make(deps: LinkConnectionDeps) {
			({ events } = deps);
			[credential] = deps.credentials();
			setTimeout(up, 1);
			return { ...link, stop: async () => void (events = null) };
		},
	};
}

async function stage(t: ExecutionContext, seed: number, faults: Faults) {
	const lifecycle = createLifecycle(silentLog);
	t.teardown(() => lifecycle.stop());
	const files = createPowerCutFiles();
	const log = silentLog;
	const common = { clock: fastClock, log };
	const box = await enrolmentBox(t);
	const { asked, proof, keyPem } = await request((await box.service.openCode()).code);
	const { certPem } = await box.service.enrol(asked, proof);

	const store = await openUplinkStore({ path: `${box.folder}/uplink.json`, log });
	const gateway = store.gatewayId();
	const { caPem } = box.place;
	await store.setEnrolment({ hubUrl: '', linkHost: '', linkPort: 1, caPem, own: { certPem, keyPem }, next: null });

	const journalOptions = { clock: systemClock, log, files, flushIntervalMs: 30, segmentBytes: 64 * 1024 };
	const hubJournal = await openJournal({ ...journalOptions, folder: '/hub', holders: ['ledger'], givesUpHeld: false });
	const ledgerFile = lifecycle.own('ledger', await openLedger({ folder: '/ledger', journal: hubJournal, log, files }));
	const stored: Reading[] = [];
	const lanes = createLinkLanes({
		async *find() {},
		ledgerFile,
		journal: hubJournal,
		telemetry: {
			acceptStamped(readings, _lane, urgency) {
				return hubJournal.append(readings, urgency).then(() => void stored.push(...readings));
			},
		},
		deviceOf: () => null,
		verdictOn: () => 'possible',
		acknowledge: (range) => acknowledger.received(range),
		send: (...message) => hubLink.send(...message),
		online: () => [gateway],
		isOnline: () => true,
		lifecycle,
		...common,
	});
	const acknowledger = lifecycle.own(
		'acknowledger',
		createAcknowledger((to, ack) => hubLink.acknowledge(to, ack)),
	);
	const hubLink = createHubLink({
		certificates: {
			standing: () => 'valid',
			used: async () => undefined,
			expiring: () => null,
			renew: async () => '',
		},
		ingest: lanes.ingest,
		ledger: ledgerFile.ledger,
		saveLedger: () => ledgerFile.save(),
		adopt: async () => undefined,
		ownerOf: () => gateway,
		setHealth: () => undefined,
		lossNoted: acknowledger.lossNoted,
		takeHistory: (...block) => lanes.takeHistory(...block),
		boots: lanes.boots,
		features: [lanes.feature],
		...common,
	});
	const account = { name: gateway, gateway, certificate: 'AB' };
	await hubLink.policy.authenticate({
		username: gateway,
		password: Buffer.alloc(0),
		clientId: gateway,
		remoteAddress: '',
		encrypted: true,
		certificate: 'AB',
	});
	const middle = createMiddle(createRandom(seed), faults, (kind, payload) =>
		hubLink.policy.onPublish(account, {
			topic: upTopic(gateway, kind),
			payload,
			qos: 1,
			retain: false,
			dup: false,
			messageId: 1,
		}),
	);
	const prefix = downTopic(gateway, 'ack').slice(0, -'ack'.length);
	const broker: Pick<Broker, 'publish' | 'isConnected'> = {
		publish: (topic, payload) => void middle.down(topic.slice(prefix.length), Buffer.from(payload)),
		isConnected: () => true,
	};
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the link asks for nothing else
	hubLink.attach(broker as Broker);

	const journal = await openJournal({ ...journalOptions, folder: '/gateway', holders: ['uplink'] });
	let lastSeq = 0;
	const declared: unknown[] = [];
	const uplink = lifecycle.own(
		'uplink',
		createUplink({
			store,
			journal,
			encode: (readings, level) => encodeBlock(readings, undefined, level),
			lastSeq: () => lastSeq,
			devices: () => [],
			healthOf: () => null,
			reachedAt: () => ({ link_host: '', link_port: 0 }),
			name: () => 'g',
			version: '1',
			backfillBytesPerSecond: 10_000_000,
			settle: (reading) => reading,
			async *findSealed() {},
			known: () => [],
			readAt: () => null,
			declared: (...loss) => void declared.push(loss),
			bootsOf: () => [],
			makeLink: (link) => middle.make(link),
			random: () => 0,
			features: [],
			...common,
		}),
	);
	async function read(index: number): Promise<void> {
		const reading: Reading = {
			device,
			readAt: epochMs(Date.UTC(2026, 5, 1) + index * 100),
			telemetryType: 'default',
			points: POINTS,
			values: POINTS.map((_, point) => index * 20 + point),
			qualities: null,
			origin: gateway,
			epoch: journal.epoch,
			firstSeq: lastSeq + 1,
		};
		lastSeq += POINTS.length;
		uplink.offer(reading);
		await journal.append([reading], 'group');
	}
	const counts = { ...lanes.ingest, cuts: middle.cuts };
	return { read, stored, uplink, middle, counts, declared, ledger: ledgerFile.ledger, gateway, lastSeq: () => lastSeq };
}

async function runThrough(t: ExecutionContext, seed: number, faults: Faults) {
	const { read, stored, uplink, middle, counts, declared, ledger, gateway, lastSeq } = await stage(t, seed, faults);
	const reading: Promise<void>[] = [];
	for (let index = 0; index < READINGS; index += 1) {
		reading.push(read(index));
		if (index % 6 === 0) await sleep(10);
	}
	await Promise.all(reading);
	middle.heal();
	await waitFor('the hub has everything', 30_000, async () => {
		const { missingSamples, receivedSamples } = ledger.completeness(gateway);
		return missingSamples === 0 && receivedSamples === lastSeq() && uplink.status().backlogSamples === 0;
	});
	const numbers = stored.flatMap(({ firstSeq, values }) => values.map((_, index) => firstSeq + index));
	t.is(numbers.length, lastSeq(), 'each once');
	t.is(new Set(numbers).size, lastSeq());
	// A value stands under the number under which it was read.
	t.true(stored.every(({ firstSeq, values }) => values.every((value, index) => value === firstSeq + index - 1)));
	t.deepEqual(declared, []);
	return { cuts: counts.cuts(), ...counts.counts() };
}

const GENTLE: Faults = { twice: 0, liveLost: 0, bitFlipped: 0, cut: 0, mostDelayMs: 2 };

test('messages that come twice, late and out of order lose nothing and double nothing', async (t) => {
	await runThrough(t, 1, { ...GENTLE, twice: 0.3, liveLost: 0.3, mostDelayMs: 60 });
});

test('connections that end in the middle of a message lose nothing and double nothing', async (t) => {
	const { cuts } = await runThrough(t, 2, { ...GENTLE, twice: 0.1, liveLost: 0.2, cut: 0.15, mostDelayMs: 20 });
	t.true(cuts > 3, `${cuts} cuts`);
});

test('blocks that arrive damaged lose nothing and double nothing', async (t) => {
	const { damagedBlocks } = await runThrough(t, 3, { ...GENTLE, liveLost: 0.5, bitFlipped: 0.3, mostDelayMs: 5 });
	t.true(damagedBlocks > 3, `${damagedBlocks} damaged blocks`);
});
