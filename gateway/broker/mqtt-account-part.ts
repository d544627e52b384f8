import { join } from 'node:path';

import type { DeviceService } from '../../core/device/device-service.ts';
import { type HttpPart, part } from '../../core/http/server.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { createKnocking } from './knocking.ts';
import { knockingRoutes } from './knocking-routes.ts';
import { mqttAccountRoutes } from './mqtt-account-routes.ts';
import { createMqttAccountService } from './mqtt-account-service.ts';
import { createMqttAccountStore } from './mqtt-account-store.ts';

export interface MqttAccountPartDeps {
	/** Folder of everything durable. */
	readonly data: string;
	readonly devices: DeviceService;
	readonly clock: Clock;
	readonly log: Logger;
}

/** Logins of the local broker, and who has tried to get in without one. */
export async function openMqttAccounts({ data, devices, clock, log }: MqttAccountPartDeps) {
	const store = await createMqttAccountStore(join(data, 'mqtt-accounts.json'), log);
	const accounts = createMqttAccountService({ accounts: store, devices, clock, log });
	const knocking = createKnocking({
		clock,
		isKnown: (login) => store.find(login) !== null || devices.find(login) !== null,
	});
	const routes: readonly HttpPart[] = [
		part(mqttAccountRoutes, { accounts }, '/api/v1'),
		part(knockingRoutes, { knocking, devices, accounts }, '/api/v1'),
	];
	return { accounts, knocking, routes };
}

export type MqttAccountPart = Awaited<ReturnType<typeof openMqttAccounts>>;
