import type { ConnectionView, FoundUnitView } from '../wire-field.ts';
import type { DeviceView } from '../wire.ts';
import type { Kind } from './device-body.ts';

/** What the form of a device begins with. */
export interface DevicePreset {
	readonly name: string;
	readonly deviceType: string;
	readonly kind: Kind;
	/** `null`: nothing is known of it. */
	readonly connection: ConnectionView | null;
}

/** A device of which nothing is known. */
export const BLANK: DevicePreset = { name: '', deviceType: 'meter', kind: 'tcp', connection: null };

/** A unit as a scan found it. */
export function presetOfFound({ identification, line, unit_id: unit, candidates }: FoundUnitView): DevicePreset {
	const { sunspec } = identification;
	const [likeliest] = candidates;
	return {
		name: sunspec === null ? '' : `${sunspec.manufacturer} ${sunspec.model}`.trim(),
		deviceType: 'meter',
		kind: line.transport,
		connection: {
			driver: 'modbus',
			line,
			unit_id: unit,
			...(likeliest !== undefined && { template: likeliest.template }),
		},
	};
}

/** A device as it is. */
export function presetOfDevice({ name, device_type: deviceType, connection = null }: DeviceView): DevicePreset {
	return { name, deviceType, kind: connection?.line?.transport ?? 'mqtt', connection };
}
