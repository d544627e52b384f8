import type { DeviceService } from '../../core/device/device-service.ts';
import type { Device } from '../../core/device/device.ts';
import { type Actor, ownerFor } from '../../core/identity/role.ts';
import { fieldFault, notFound } from '../../core/kernel/fault.ts';
import { deviceUid } from '../../core/kernel/id.ts';
import type { Knocking } from './knocking.ts';
import type { MqttAccountService } from './mqtt-account-service.ts';
import type { IssuedLogin } from './mqtt-account.ts';

export interface AdoptionDeps {
	readonly knocking: Pick<Knocking, 'find' | 'forget'>;
	readonly devices: Pick<DeviceService, 'register' | 'remove'>;
	readonly accounts: Pick<MqttAccountService, 'issueForDevice'>;
}

/** What a person says of the device; what is left out follows from its name. */
export interface Adoption {
	readonly name?: string;
	readonly deviceType?: string;
}

export interface Adopted {
	readonly device: Device;
	readonly credentials: IssuedLogin;
}

const DEFAULT_TYPE = 'mqtt';

/**
 * Makes a knocking name a device with a login, both or neither.
 * @throws Fault `not-found` (nobody knocks under the name), `rule-violation` (it cannot be a device's address), `duplicate`
 */
export function createAdoption({ knocking, devices, accounts }: AdoptionDeps) {
	return async function adopt(knocker: string, wanted: Adoption, caller: Actor): Promise<Adopted> {
		const known = knocking.find(knocker);
		if (known === null) throw notFound('knocking device', knocker);
		if (!known.isAdoptable) throw fieldFault('rule-violation', 'name', `${knocker} cannot be the address of a device`);
		const uid = deviceUid(known.name);
		const device = await devices.register({
			uid,
			name: wanted.name ?? known.name,
			deviceType: wanted.deviceType ?? DEFAULT_TYPE,
			connection: { driver: 'mqtt' },
			ownerId: ownerFor(caller),
			tenantId: caller.tenantId,
		});
		try {
			const credentials = await accounts.issueForDevice(uid);
			knocking.forget(known.name);
			return { device, credentials };
		} catch (error) {
			await devices.remove(device.id);
			throw error;
		}
	};
}
