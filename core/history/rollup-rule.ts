import type { Device } from '../device/device.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { PointFactsOf } from '../telemetry/point-facts.ts';
import type { CounterRule } from './rollup-counter.ts';
import type { CounterRuleOf } from './rollup-hour.ts';

/** Of a point that nobody has described it is not known that it is no counter. */
const UNKNOWN: CounterRule = { isCounter: false, range: null };

export interface CounterRuleDeps {
	readonly devices: { readonly find: (reference: string) => Pick<Device, 'connection'> | null };
	readonly pointFactsOf: PointFactsOf;
}

/** How the increase of a device's points is read: by its template, where it has one that knows the point. */
export function counterRules({ devices, pointFactsOf }: CounterRuleDeps): CounterRuleOf {
	return (device: DeviceId, point: string) => {
		const connection = devices.find(device)?.connection;
		const hasTemplate = connection !== null && connection !== undefined && connection.driver !== 'mqtt';
		const facts = hasTemplate ? pointFactsOf(connection, point) : null;
		if (facts === null) return UNKNOWN;
		const counter = facts.counter ?? null;
		return counter === null ? null : { isCounter: true, range: counter.range };
	};
}
