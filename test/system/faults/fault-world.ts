import { readdirSync, rmSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { systemClock } from '../../../core/kernel/clock.ts';
import { type LinkProxy, startLinkProxy } from '../../../demo/link-proxy.ts';
import { mountSmallDisk } from '../../fake/small-disk.ts';
import type { HullProcess, Role } from '../kit/hull-process.ts';
import { readCounterDevices, writeReadCounterTemplate } from '../kit/read-counter.ts';
import { type Rest, claim, login, member } from '../kit/rest.ts';
import { createStage } from '../kit/stage.ts';
import { untilOnline } from '../kit/enrolled.ts';
import { type CountedSlave, startCountedSlave } from './counted-slave.ts';
import { type LinkMiddle, startLinkMiddle } from './link-middle.ts';
import { type MqttSender, startMqttSender } from './mqtt-sender.ts';
import { type DeviceTruth, senderTruth, slaveTruth } from './truth.ts';

/** Whose start it is. */
export interface PreloadPlace {
	readonly role: Role;
	readonly dataFolder: string;
	/** Says how far its clock is to stand from the true time. */
	readonly clockFile: string;
}

/** How a world is built; some faults need what others would rather not have in their way. */
export interface WorldOptions {
	/** Data folders are disks of their own, in memory, which can be filled. */
	readonly hasDisks: boolean;
	/** Something between link and hub that repeats and reorders. */
	readonly hasMiddle: boolean;
	/** Added to the environment of each start: what is preloaded into the process. */
	readonly preload: (place: PreloadPlace) => Readonly<Record<string, string>>;
	/** The gateway's journal is too small for a long outage. */
	readonly isSmall: boolean;
	readonly log: (text: string) => void;
	/** Hears of each message that was acknowledged, in the turn in which it was. */
	readonly acked?: (uid: string, n: number) => void;
}

/** A hull and what can be done to it. */
export interface Subject {
	readonly role: Role;
	readonly hull: HullProcess;
	/** Its disk; null: it has none of its own. */
	readonly disk: string | null;
	/** Sets its clock that far from the true time, ms. */
	setClock(offsetMs: number): void;
	/** Copies the data folder of a stopped hull away, or back. */
	copy(direction: 'save' | 'restore'): void;
}

/** Everything between the registers and the hub's answers, as real processes. */
export interface World {
	readonly options: WorldOptions;
	readonly subjects: Readonly<Record<Role, Subject>>;
	readonly link: LinkProxy;
	readonly middle: LinkMiddle | null;
	readonly slaves: readonly CountedSlave[];
	readonly senders: readonly MqttSender[];
	readonly truths: readonly DeviceTruth[];
	/** REST of both as their administrator; a login of its own each time, because clocks jump. */
	rest(role: Role): Promise<Rest>;
	/** Ends every process, keeps the folders below this path, and says where. Only before `stop`. */
	keep(folder: string): Promise<void>;
	stop(): Promise<void>;
}

const UNITS = [1, 2, 3, 4];
const SENDERS = ['sender-1', 'sender-2'];
const READ_PERIOD_MS = 120;
/** Longer than most freezes: what is answered in time is not thrown away. */
const READ_TIMEOUT_MS = 5_000;
const SEND_PERIOD_MS = 70;
const PADDING_BYTES = 1_200;
const DISK_MEBIBYTES = 160;
const KIB = 1024;

const JOURNAL = { segment_bytes: 256 * KIB, min_free_bytes: 4 * KIB * KIB };
const SMALL_JOURNAL = { ...JOURNAL, max_bytes: KIB * KIB };

function emptyFolder(folder: string): void {
	for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
}

/** The contents, because the folder itself may be a disk. */
function copyContents(from: string, to: string): void {
	mkdirSync(to, { recursive: true });
	emptyFolder(to);
	for (const name of readdirSync(from)) cpSync(join(from, name), join(to, name), { recursive: true });
}

async function addSender(rest: Rest, uid: string, port: () => number, acked: (n: number) => void): Promise<MqttSender> {
	const added = await rest.post('/api/v1/devices', {
		device_uid: uid,
		name: uid,
		device_type: 'sensor',
		connection: { driver: 'mqtt' },
	});
	if (added.status !== 201) throw new Error(`${uid}: ${added.status} ${JSON.stringify(added.body)}`);
	const { body } = await rest.post(`/api/v1/devices/${uid}/mqtt-credentials`, {});
	return startMqttSender({
		uid,
		port,
		username: String(member(body, 'username')),
		password: String(member(body, 'password')),
		periodMs: SEND_PERIOD_MS,
		paddingBytes: PADDING_BYTES,
		clock: systemClock,
		acked,
	});
}

/** Starts everything and waits until values flow. The caller stops it. */
export async function startWorld(options: WorldOptions): Promise<World> {
	const endings: (() => Promise<void> | void)[] = [];
	const ending = { teardown: (end: () => Promise<void> | void) => void endings.push(end), log: options.log };
	async function stop(): Promise<void> {
		for (const end of endings.splice(0).toReversed()) await end();
	}

	async function start(): Promise<World> {
		const stage = createStage(ending);
		const clockFile = (role: Role): string => join(stage.folder, `${role}.clock`);
		/** The stage names folders by role and number of start. */
		const dataFolder: Readonly<Record<Role, string>> = {
			hub: join(stage.folder, 'hub-1', 'data'),
			gateway: join(stage.folder, 'gateway-2', 'data'),
		};
		const envOf = (role: Role) => (): Readonly<Record<string, string>> =>
			options.preload({ role, dataFolder: dataFolder[role], clockFile: clockFile(role) });
		const mountFor = (role: Role): string | null =>
			options.hasDisks ? mountSmallDisk(ending, DISK_MEBIBYTES, dataFolder[role]) : null;

		function subjectOf(role: Role, hull: HullProcess, disk: string | null): Subject {
			const saved = join(stage.folder, `${role}-copy`);
			return {
				role,
				hull,
				disk,
				setClock: (offsetMs) =>
					writeFileSync(clockFile(role), `${offsetMs < 0 ? '-' : '+'}${Math.abs(offsetMs) / 1000}\n`),
				copy: (direction) =>
					direction === 'save' ? copyContents(hull.dataFolder, saved) : copyContents(saved, hull.dataFolder),
			};
		}

		for (const role of ['hub', 'gateway'] as const) writeFileSync(clockFile(role), '+0\n');
		const slaves: CountedSlave[] = [];
		for (const unit of UNITS) {
			const slave = await startCountedSlave(systemClock, unit);
			ending.teardown(() => slave.stop());
			slaves.push(slave);
		}
		const devices = readCounterDevices({ lines: slaves.map(({ line }) => line) }, READ_PERIOD_MS, READ_TIMEOUT_MS, {
			tuning: { timeout_mode: 'fixed' },
		});
		const hubDisk = mountFor('hub');
		const hub = await stage.spawnHub({ journal: JOURNAL }, envOf('hub'));
		const gatewayDisk = mountFor('gateway');
		const middle = options.hasMiddle
			? await startLinkMiddle({
					hubFolder: hub.dataFolder,
					gatewayFolder: () => dataFolder.gateway,
					hubPort: hub.port('link_port'),
					clock: systemClock,
				})
			: null;
		if (middle !== null) ending.teardown(() => middle.stop());
		const link = await startLinkProxy({ clock: systemClock, targetPort: middle?.port ?? hub.port('link_port') });
		ending.teardown(() => link.stop());
		const gateway = await stage.spawnGateway({
			devices,
			uplink: { hub, link },
			settings: {
				...writeReadCounterTemplate(stage.folder),
				journal: options.isSmall ? SMALL_JOURNAL : JOURNAL,
			},
			env: envOf('gateway'),
		});
		const subjects = {
			hub: subjectOf('hub', hub, hubDisk),
			gateway: subjectOf('gateway', gateway, gatewayDisk),
		};
		await claim(hub.url(), await hub.claimCode());
		const gatewayRest = await claim(gateway.url(), await gateway.claimCode());
		await untilOnline(gatewayRest);
		const senders: MqttSender[] = [];
		for (const uid of SENDERS) {
			const sender = await addSender(
				gatewayRest,
				uid,
				() => gateway.port('mqtt_port'),
				(n) => options.acked?.(uid, n),
			);
			ending.teardown(() => sender.stop());
			senders.push(sender);
		}
		const truths = [
			...slaves.map((slave, index) => slaveTruth(devices[index]?.uid ?? '', slave)),
			...senders.map(senderTruth),
		];
		return {
			options,
			subjects,
			link,
			middle,
			slaves,
			senders,
			truths,
			rest: (role) => login(subjects[role].hull.url()),
			async keep(folder) {
				for (const { hull } of Object.values(subjects)) await hull.kill9();
				rmSync(folder, { recursive: true, force: true });
				cpSync(stage.folder, folder, { recursive: true });
			},
			stop,
		};
	}

	try {
		return await start();
	} catch (error) {
		await stop();
		throw error;
	}
}
