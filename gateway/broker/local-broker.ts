import type { DeviceListener } from '../../core/device/device-events.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { createBroker } from '../../core/mqtt/broker.ts';
import type { Broker, MqttCredentials, MqttRefusal } from '../../core/mqtt/mqtt.ts';
import type { MqttLimits } from '../../core/mqtt/mqtt-limits.ts';
import { DEVICE_TOPICS, deviceRoot } from '../../core/telemetry/telemetry-topics.ts';
import type { DeviceTopics } from './device-topics.ts';
import type { MqttAccountService } from './mqtt-account-service.ts';
import { type LocalAccount, mayPublish, maySubscribe } from './mqtt-account.ts';

export interface LocalBrokerDeps {
	readonly accounts: Pick<MqttAccountService, 'authenticate' | 'onRevoked'>;
	readonly topics: Pick<DeviceTopics, 'receive'>;
	/** Told when a device's connection comes and goes, and when it can be reached on a filter. */
	readonly onConnected?: (account: LocalAccount) => void;
	readonly onDisconnected?: (account: LocalAccount, last: boolean) => void;
	readonly onSubscribed?: (account: LocalAccount, filter: string) => void;
	/** Told of each login that is wrong, without what was tried as password. */
	readonly onWrongLogin?: (credentials: Omit<MqttCredentials, 'password'>) => void;
	readonly onRefused?: (refusal: MqttRefusal) => void;
	readonly limits: MqttLimits;
	readonly clock: Clock;
	readonly log: Logger;
}

/** The broker of the LAN: devices speak below their own root, readers listen. A login that ends takes its connections with it. */
export async function createLocalBroker({
	accounts,
	topics,
	onWrongLogin,
	...deps
}: LocalBrokerDeps): Promise<Broker & { readonly device: DeviceListener }> {
	const broker = await createBroker<LocalAccount>({
		...deps,
		async authenticate({ password, ...login }) {
			const account = accounts.authenticate(login.username, password);
			if (account === null) onWrongLogin?.(login);
			return account;
		},
		authorizePublish: mayPublish,
		authorizeSubscribe: maySubscribe,
		onPublish: topics.receive,
	});
	accounts.onRevoked((username, why) => broker.disconnect(username, why));
	return {
		...broker,
		/** To be added to the listeners of the device service. What a device has retained goes with it: its address may be another's next. */
		device: {
			changed({ uid, deletedAt }) {
				if (deletedAt !== null)
					for (const topic of DEVICE_TOPICS) broker.publish(`${deviceRoot(uid)}/${topic}`, '', { retain: true });
			},
		},
	};
}
