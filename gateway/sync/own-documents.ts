import type { DeviceRepository } from '../../core/device/device-repository.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import type { DeviceUplinkDeps } from './device-uplink.ts';

/** The devices of this gateway as its hub is told of them: with what is known since the start, deleted ones too. */
export const ownDocuments = (
	devices: Pick<DeviceService, 'find' | 'health'>,
	repository: Pick<DeviceRepository, 'all'>,
): Pick<DeviceUplinkDeps, 'devices' | 'healthOf'> => ({
	devices: () => [...repository.all()].map((device) => devices.find(device.id) ?? device),
	healthOf(id) {
		const device = devices.find(id);
		return device === null ? null : devices.health(device);
	},
});
