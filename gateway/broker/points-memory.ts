import type { DeviceId } from '../../core/kernel/id.ts';

/**
 * Remembers the names of each device's last message. A device says the same names each time, and everything behind that works on a
 * list of names recognises a list that it has seen without reading it.
 */
export interface PointsMemory {
	/** The list that was handed in before, when it had the same names in the same order. */
	shared(device: DeviceId, points: readonly string[]): readonly string[];
}

/** More devices than a gateway takes; forgetting costs nothing but time. */
const MOST_DEVICES = 20_000;

export function createPointsMemory(): PointsMemory {
	const last = new Map<DeviceId, readonly string[]>();
	return {
		shared(device, points) {
			const before = last.get(device);
			if (before?.length === points.length && before.every((name, at) => name === points[at])) return before;
			if (last.size >= MOST_DEVICES) last.clear();
			last.set(device, points);
			return points;
		},
	};
}
