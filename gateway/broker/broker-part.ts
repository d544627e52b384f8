import { auditMqtt } from '../../core/audit/audit-mqtt.ts';
import type { AuditLog } from '../../core/audit/audit.ts';
import type { TelemetryPart } from '../../core/box/telemetry-part.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { DEFAULT_MQTT_LIMITS } from '../../core/mqtt/mqtt-limits.ts';
import type { GatewayCommandPart } from '../command/command-part.ts';
import { createDeviceResponses } from '../command/device-responses.ts';
import { type BrokerListenersDeps, openBrokerListeners } from './broker-listeners.ts';
import { createDeviceTopics } from './device-topics.ts';
import { createLocalBroker } from './local-broker.ts';
import type { MqttAccountPart } from './mqtt-account-part.ts';
import { createTelemetryPublisher } from './telemetry-publisher.ts';

export interface BrokerPartDeps extends Omit<BrokerListenersDeps, 'broker'> {
	readonly telemetry: Pick<TelemetryPart, 'devices' | 'listeners' | 'telemetry'>;
	readonly mqttAccounts: Pick<MqttAccountPart, 'accounts' | 'knocking'>;
	readonly commands: Pick<GatewayCommandPart, 'part' | 'subscribed'>;
	readonly audit: Pick<AuditLog, 'refused'>;
	readonly clock: Clock;
}

/** The broker of the LAN: what devices say becomes readings and answers, and every reading is published. */
export async function openBroker(deps: BrokerPartDeps) {
	const { mqttAccounts, commands, lifecycle, clock, log } = deps;
	const { devices, listeners, telemetry } = deps.telemetry;
	const topics = createDeviceTopics({
		devices,
		telemetry,
		clock,
		log,
		onResponse: createDeviceResponses({
			commands: commands.part.commands,
			listeners: commands.part.responses,
			log,
		}),
	});
	devices.listen(topics.device);
	const broker = await createLocalBroker({
		accounts: mqttAccounts.accounts,
		topics,
		onWrongLogin: (login) => mqttAccounts.knocking.refused(login),
		onRefused: auditMqtt(deps.audit),
		onSubscribed: commands.subscribed,
		limits: DEFAULT_MQTT_LIMITS,
		clock,
		log,
	});
	devices.listen(broker.device);
	const publisher = createTelemetryPublisher({ broker, devices });
	listeners.push(publisher.reading);
	devices.listen(publisher.device);
	const { mqtt, mqttTls } = await openBrokerListeners({ ...deps, broker });
	// Stops before its listeners: it finishes what it has begun and ends its connections, for which they would wait.
	lifecycle.own('broker', broker);
	return { broker, mqtt, mqttTls };
}
