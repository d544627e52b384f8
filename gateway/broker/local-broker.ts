import type { Clock } from '../../core/kernel/clock.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { createBroker } from '../../core/mqtt/broker.ts';
import type { Broker } from '../../core/mqtt/mqtt.ts';
import type { MqttLimits } from '../../core/mqtt/mqtt-limits.ts';
import type { DeviceTopics } from './device-topics.ts';
import type { MqttAccountService } from './mqtt-account-service.ts';
import { type LocalAccount, mayPublish, maySubscribe } from './mqtt-account.ts';

export interface LocalBrokerDeps {
	readonly accounts: Pick<MqttAccountService, 'authenticate' | 'onRevoked'>;
	readonly topics: Pick<DeviceTopics, 'receive'>;
	readonly limits: MqttLimits;
	readonly clock: Clock;
	readonly log: Logger;
}

/** The broker of the LAN: devices speak below their own root, readers listen. A login that ends takes its connections with it. */
export async function createLocalBroker({ accounts, topics, limits, clock, log }: LocalBrokerDeps): Promise<Broker> {
	const broker = await createBroker<LocalAccount>({
		limits,
		clock,
		log,
		authenticate: async ({ username, password }) => accounts.authenticate(username, password),
		authorizePublish: mayPublish,
		authorizeSubscribe: maySubscribe,
		onPublish: topics.receive,
	});
	accounts.onRevoked((username, why) => broker.disconnect(username, why));
	return broker;
}
