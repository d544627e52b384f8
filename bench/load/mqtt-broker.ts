import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Aedes } from 'aedes';

import { systemClock } from '../../core/kernel/clock.ts';
import { deviceUid, newGatewayId } from '../../core/kernel/id.ts';
import { createLifecycle } from '../../core/kernel/lifecycle.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { mqttServer } from '../../core/mqtt/mqtt-listener.ts';
import { DEFAULT_MQTT_LIMITS } from '../../core/mqtt/mqtt-limits.ts';
import { listenOnLoopback } from '../../gateway/simulator/listen.ts';
import { createDeviceTopics, type DeviceTopics } from '../../gateway/broker/device-topics.ts';
import { createLocalBroker } from '../../gateway/broker/local-broker.ts';
import { createMqttAccountService } from '../../gateway/broker/mqtt-account-service.ts';
import { createMqttAccountStore } from '../../gateway/broker/mqtt-account-store.ts';
import { createTelemetryPublisher } from '../../gateway/broker/telemetry-publisher.ts';
import { requiredArguments } from './arguments.ts';
import { openGatewayTelemetry } from './gateway-telemetry.ts';
import { openRawLog } from './raw-log.ts';

/**
 * Program: a broker in a process of its own. `drawbridge` is the local broker as the gateway composes it, with its journal in a
 * temporary folder and a login for each of `devices`, plus one for a reader. `broker` is the same broker with the same logins and rules, which
 * only puts each message into a file as it came; both acknowledge after the commit. `stock` is aedes with its defaults and noDelay. A line
 * `memory` on standard input is answered with the resident memory after a collection (needs `--expose-gc`).
 */
interface Started {
	readonly server: Server;
	/** Passwords of the devices `bench-<n>`, then that of the reader `reader`. */
	readonly passwords: readonly string[];
	stop(): Promise<void>;
}

async function startStock(): Promise<Started> {
	const broker = await Aedes.createBroker();
	return { server: createServer({ noDelay: true }, broker.handle), passwords: [], stop: async () => undefined };
}

/** Takes every message as it is; acknowledged when it is on disk. */
async function rawTopics(data: string): Promise<Pick<DeviceTopics, 'receive'>> {
	const log = await openRawLog(join(data, 'raw.log'));
	return {
		async receive(_account, { payload }) {
			await log.append(payload);
			return 'deliver';
		},
	};
}

async function startProduct(kind: string, devices: number): Promise<Started> {
	const data = await mkdtemp(join(tmpdir(), 'mqtt-bench-'));
	const lifecycle = createLifecycle(silentLog);
	const common = { clock: systemClock, log: silentLog };
	const part = await openGatewayTelemetry(data, newGatewayId(), new Set(), lifecycle);
	const accounts = createMqttAccountService({
		accounts: await createMqttAccountStore(join(data, 'mqtt-accounts.json'), silentLog),
		devices: part.devices,
		...common,
	});
	const topics =
		kind === 'broker' ? await rawTopics(data) : createDeviceTopics({ ...part, ...common, onResponse: () => undefined });
	const broker = await createLocalBroker({ accounts, topics, limits: DEFAULT_MQTT_LIMITS, ...common });
	const publisher = createTelemetryPublisher({ broker, devices: part.devices });
	part.listeners.push(publisher.reading);
	lifecycle.own('broker', broker);
	const passwords: string[] = [];
	for (let index = 0; index < devices; index += 1) {
		const uid = deviceUid(`bench-${index}`);
		await part.devices.register({ uid, name: uid, deviceType: 'bench', connection: { driver: 'mqtt' } });
		passwords.push((await accounts.issueForDevice(uid)).password);
	}
	passwords.push((await accounts.addReader('reader')).password);
	const server = mqttServer({
		admit: (socket) => broker.admit(socket),
		handle: (socket) => broker.handle(socket),
		log: silentLog,
	});
	return {
		server,
		passwords,
		async stop() {
			await lifecycle.stop();
			await rm(data, { recursive: true, force: true });
		},
	};
}

const { kind, devices } = requiredArguments(['kind', 'devices']);
const started = await (kind === 'stock' ? startStock() : startProduct(kind, Number(devices)));
const mqttPort = await listenOnLoopback(started.server, 0);
process.stdin.on('data', () => {
	globalThis.gc?.();
	const { rss, heapUsed, external } = process.memoryUsage();
	console.log(JSON.stringify({ event: 'memory', rss_bytes: rss, used_bytes: heapUsed + external }));
});
console.log(JSON.stringify({ event: 'ready', mqtt_port: mqttPort, passwords: started.passwords }));
process.once('SIGTERM', () => void started.stop().finally(() => process.exit(0)));
