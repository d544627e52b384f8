import { mayCommand } from '../device/device-access.ts';
import type { DeviceService } from '../device/device-service.ts';
import type { Device } from '../device/device.ts';
import type { Actor } from '../identity/role.ts';
import { Fault } from '../kernel/fault.ts';

/**
 * The device, for somebody who wants to command it.
 * @throws Fault `not-found` when the actor does not see it, `forbidden` when it is neither the actor's nor the actor has the permission
 */
export function commandable(devices: Pick<DeviceService, 'get'>, reference: string, actor: Actor): Device {
	const device = devices.get(reference, actor);
	if (!mayCommand(actor, device))
		throw new Fault('forbidden', 'this needs the permission devices:command, or to be the owner of the device');
	return device;
}
