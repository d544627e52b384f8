import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ExecutionContext } from 'ava';

import { createConfigurationLink } from '../../cloud/configuration/configuration-link.ts';
import { createGatewayConfigurations } from '../../cloud/configuration/gateway-configurations.ts';
import { openRevisionStore } from '../../cloud/configuration/revision-store.ts';
import { standingOf } from '../../cloud/configuration/revision.ts';
import { readSettings } from '../../config/read-settings.ts';
import { parseTemplate } from '../../config/template/template-schema.ts';
import { type ConfigurationDocument, documentOf } from '../../core/configuration/configuration.ts';
import { createDeviceService } from '../../core/device/device-service.ts';
import { createDeviceStore } from '../../core/device/device-store.ts';
import type { Connection } from '../../config/connection/connection.ts';
import type { Device } from '../../core/device/device.ts';
import { deviceUid } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { type ConfigDown, configMessage } from '../../core/link/config-messages.ts';
import { openDatabase } from '../../core/storage/pouch.ts';
import { openConfiguration } from '../../gateway/configuration/open-configuration.ts';
import { GATEWAY } from '../fake/device-box.ts';
import { createManualTimer } from '../fake/manual-timer.ts';
import { waitFor } from '../system/kit/wait-for.ts';
import { templateWith } from '../system/kit/read-counter.ts';

const TEMPLATE = templateWith([
	{ key: 'a', name: 'a', function: 4, address: 0, count: 1, type: 'uint16', byte_order: 'AB' },
]);

export const overTcp = (port: number, unitId = 1, template = 'plain'): Connection => ({
	driver: 'modbus',
	line: { transport: 'tcp', host: '127.0.0.1', port },
	unitId,
	template,
	periodMs: 1_000,
	timeoutMs: 500,
});

const WITHIN_MS = 10_000;

/** What a person decides who applies a revision and says nothing else. */
export const PLAIN = {
	prefer: null,
	decisions: {},
	discardDrift: false,
	trialMs: 600_000,
	requireDevices: true,
} as const;

/** The configuration's parts of a gateway and of a hub with real stores, and between them a link that is up or down as told. */
export async function startBench(t: ExecutionContext, environment: Readonly<Record<string, string>> = {}) {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-configuration-'));
	const templateFolder = join(folder, 'own-templates');
	mkdirSync(templateFolder);
	writeFileSync(join(templateFolder, 'plain.json'), TEMPLATE);
	const timer = createManualTimer();
	const { clock, setTimer } = timer;
	const closers: (() => Promise<void>)[] = [];
	let hubCa: string | null = 'authority of the hub';
	/** Times that whatever polls had to look at its devices. */
	let rearrangements = 0;
	let relinks = 0;
	const droppedLogins: string[] = [];

	const store = await openRevisionStore(join(folder, 'hub'), silentLog);
	const hubSend = (_gateway: typeof GATEWAY, message: ConfigDown): boolean => {
		if (session === null) return false;
		hub.said.push(message.type);
		gateway.configuration.uplink.hears.config?.(configMessage(message));
		return true;
	};
	const configurations = createGatewayConfigurations({ repository: store, send: hubSend, parseTemplate, clock });
	const link = createConfigurationLink({ configurations, repository: store, send: hubSend, clock, log: silentLog });
	const hub = { ...configurations, store, said: [] as string[] };
	let session: AbortController | null = null;

	async function openGateway() {
		const database = openDatabase<Device>(join(folder, 'devices'));
		const repository = await createDeviceStore(database);
		const opened = await openConfiguration({
			data: folder,
			settings: readSettings({ role: 'gateway', environment }),
			templateFolders: [templateFolder],
			log: silentLog,
		});
		const devices = createDeviceService({
			devices: repository,
			node: GATEWAY,
			gatewayId: GATEWAY,
			templates: opened.templates,
			users: { exists: async () => true },
			clock,
			log: silentLog,
		});
		const configuration = opened.start({
			devices,
			deviceRepository: repository,
			rearranged: async () => void (rearrangements += 1),
			linkMoved: async () => {
				relinks += 1;
				session?.abort();
				session = null;
			},
			loginsOf: ({ uid, deletedAt }) => void (deletedAt !== null && droppedLogins.push(uid)),
			hubCa: () => hubCa,
			clock,
			setTimer,
			log: silentLog,
		});
		devices.listen(configuration.device);
		await configuration.recover();
		configuration.resume();
		closers.push(async () => {
			await configuration.stop();
			await devices.stop();
			await database.close();
		});
		return { devices, configuration, opened };
	}

	let gateway = await openGateway();

	async function close(): Promise<void> {
		for (const end of closers.splice(0)) await end();
	}

	t.teardown(async () => {
		session?.abort();
		await close();
		await store.stop();
		rmSync(folder, { recursive: true, force: true });
	});

	/** As the link does it: the hub speaks first, the gateway when it has its turn. */
	async function connect(): Promise<void> {
		session?.abort();
		const controller = new AbortController();
		session = controller;
		link.begin(GATEWAY);
		await gateway.configuration.uplink.begin(async (_kind, payload) => {
			if (controller.signal.aborted) throw new Error('the line is down');
			await link.hears.config?.(GATEWAY, payload);
		}, controller.signal);
	}

	const idle = (): Promise<void> => gateway.configuration.inTurn(async () => undefined);

	return {
		folder,
		timer,
		hub,
		gateway: () => gateway,
		devices: () => gateway.devices,
		service: () => gateway.configuration.configuration,
		rearrangements: () => rearrangements,
		relinks: () => relinks,
		droppedLogins,
		enrolElsewhere(): void {
			hubCa = 'authority of another hub';
		},
		connect,
		disconnect(): void {
			session?.abort();
			session = null;
		},
		/** The gateway's process ends as by a power cut, and starts again. */
		async restart(meanwhile = (): void => undefined): Promise<void> {
			session?.abort();
			session = null;
			await close();
			meanwhile();
			gateway = await openGateway();
		},
		/** Changes at the gateway have reached the hub. */
		async told(): Promise<void> {
			await idle();
			timer.advance(600);
			await idle();
			await idle();
		},
		standing: () => standingOf(hub.head(GATEWAY)),
		until: (standing: string) =>
			waitFor(`the gateway is ${standing}`, WITHIN_MS, async () => {
				await idle();
				return standingOf(hub.head(GATEWAY)) === standing;
			}).catch((error: unknown) => {
				throw new Error(JSON.stringify([hub.head(GATEWAY).state, hub.head(GATEWAY).outcomes[0]]), { cause: error });
			}),
		/** The gateway runs something on trial, whether the hub knows or not. */
		untilTrial: () =>
			waitFor('the gateway is on trial', WITHIN_MS, async () => {
				await idle();
				return gateway.configuration.configuration.state(false).trial !== null;
			}),
		addDevice: (uid: string, connection: Connection | null, name = uid) =>
			gateway.devices.register({ uid: deviceUid(uid), name, deviceType: 'meter', connection }),
		/** A good value was read from the device. */
		read(uid: string): void {
			const { id } = gateway.devices.get(uid);
			gateway.configuration.reading(
				// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as much of a reading as is looked at
				{ device: id, qualities: null } as Parameters<typeof gateway.configuration.reading>[0],
			);
		},
		document: async (name: number | 'running' | 'current'): Promise<ConfigurationDocument> =>
			documentOf(await hub.read(GATEWAY, name)),
		/** Makes a revision of what the gateway runs, changed. */
		async revise(change: (document: ConfigurationDocument) => ConfigurationDocument): Promise<number> {
			const document = change(
				documentOf(await hub.read(GATEWAY, hub.revisions(GATEWAY).length > 0 ? 'running' : 'current')),
			);
			const wanted = { document, patch: null, base: null, templates: {}, comment: '' };
			return (await hub.create(GATEWAY, wanted, 'operator@example.com')).revision.revision;
		},
		apply: (revision: number, options: Partial<Parameters<typeof hub.apply>[2]> = {}) =>
			hub.apply(GATEWAY, revision, { ...PLAIN, ...options }, 'operator@example.com'),
	};
}

export type Bench = Awaited<ReturnType<typeof startBench>>;
