import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readSettings } from '../../config/read-settings.ts';
import { openAlarms } from '../../core/box/alarm-part.ts';
import type { TelemetryPart } from '../../core/box/telemetry-part.ts';
import { type FileJournal, openJournal } from '../../core/journal/file-journal.ts';
import { systemTimer } from '../../core/journal/set-timer.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { type GatewayId, newGatewayId } from '../../core/kernel/id.ts';
import { createLifecycle, type Stoppable } from '../../core/kernel/lifecycle.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { DEFAULT_MQTT_LIMITS } from '../../core/mqtt/mqtt-limits.ts';
import { createRealtimeServer, DEFAULT_REALTIME_LIMITS } from '../../core/realtime/realtime-server.ts';
import { createTelemetryRealtime } from '../../core/telemetry/telemetry-realtime.ts';
import type { Stamp } from '../../core/time/settle.ts';
import { createDeviceTopics, type DeviceTopics } from '../../gateway/broker/device-topics.ts';
import { createLocalBroker } from '../../gateway/broker/local-broker.ts';
import { createTelemetryPublisher } from '../../gateway/broker/telemetry-publisher.ts';
import { actorOfRole } from '../../test/fake/actor-of-role.ts';
import { openGatewayTelemetry } from './gateway-telemetry.ts';

export interface IngestRigOptions {
	/** The only device template there is. */
	readonly template: string;
	/** Each of these points has a rule that is compared and never true. */
	readonly watched: readonly string[];
}

/** What takes samples on a gateway, without drivers, accounts and subscribers. */
export interface IngestRig extends Stoppable {
	readonly part: TelemetryPart;
	readonly topics: DeviceTopics;
	/** A journal by itself, for comparison. */
	readonly alone: FileJournal;
	readonly origin: GatewayId;
}

const ACTOR = actorOfRole('admin', 'bench');

function refuseAll(): never {
	throw new Error('nobody connects');
}

/** Composes it in a temporary folder, which goes with it. */
export async function openIngestRig({ template, watched }: IngestRigOptions): Promise<IngestRig> {
	const settings = readSettings({ role: 'gateway', environment: {} });
	const data = await mkdtemp(join(tmpdir(), 'ingest-bench-'));
	const lifecycle = createLifecycle(silentLog);
	const common = { clock: systemClock, log: silentLog, lifecycle };
	const origin = newGatewayId();
	const part = await openGatewayTelemetry(data, origin, new Set([template]), lifecycle);
	const { devices, telemetry, listeners, latest } = part;
	const noAccounts = { all: () => [], byId: () => undefined };
	const box = { node: origin, gatewayId: origin, hasHub: () => false, audit: { record: async () => undefined } };
	const time = { settleInstant: ({ at }: Stamp) => at, listen: () => undefined };
	const { alarms } = await openAlarms({ data, time, telemetry: part, accounts: noAccounts, ...box, ...common });
	for (const metric of watched)
		await alarms.addRule(
			{
				name: metric,
				description: '',
				metric,
				condition: 'gt',
				threshold: 1_000,
				hysteresis: 5,
				durationSeconds: 10,
				severity: 'warning',
				groupId: null,
				deviceId: null,
				isActive: true,
			},
			ACTOR,
		);
	const topics = createDeviceTopics({ devices, telemetry, ...common, onResponse: () => undefined });
	const broker = await createLocalBroker({
		accounts: { authenticate: () => null, onRevoked: () => undefined },
		topics,
		limits: DEFAULT_MQTT_LIMITS,
		...common,
	});
	lifecycle.own('broker', broker);
	listeners.push(createTelemetryPublisher({ broker, devices }).reading);
	const realtime = createRealtimeServer({
		listener: createServer(),
		tokens: { verify: refuseAll, expiresAt: () => systemClock.now() },
		audit: { refused: () => undefined },
		setTimer: systemTimer,
		limits: DEFAULT_REALTIME_LIMITS,
		...common,
	});
	lifecycle.own('realtime', realtime);
	listeners.push(createTelemetryRealtime({ realtime, devices, latest, pointFactsOf: () => null, ...common }).reading);
	const alone = await openJournal({ ...settings.journal, folder: join(data, 'alone'), ...common });
	lifecycle.own('journal alone', alone);
	return {
		part,
		topics,
		alone,
		origin,
		async stop() {
			await lifecycle.stop();
			await rm(data, { recursive: true, force: true });
		},
	};
}
