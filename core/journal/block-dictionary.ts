import type { DeviceId, GatewayId } from '../kernel/id.ts';
import type { Reading } from '../telemetry/reading.ts';

/** What many readings have in common and a block says once. */
export interface Shape {
	readonly origin: GatewayId;
	readonly device: DeviceId;
	readonly telemetryType: string;
	readonly points: readonly string[];
}

/**
 * Numbers for shapes. A standalone block starts with an empty one; the commits of a journal segment share one, so that
 * each shape is written once per segment. Ids only grow; definitions are never changed.
 */
export interface BlockDictionary {
	/** The id of the reading's shape; a new one gets the next id. */
	idOf(reading: Reading): number;
	shape(id: number): Shape | undefined;
	define(id: number, shape: Shape): void;
	/** The id the next new shape will get. */
	nextId(): number;
	/** Forgets the ids from `nextId` on: their definitions did not reach the disk. */
	rollBack(nextId: number): void;
}

export function createBlockDictionary(): BlockDictionary {
	const shapes = new Map<number, Shape>();
	const ids = new Map<string, number>();
	// Drivers share one array of points per plan, devices that speak say the same names each time: identity answers nearly always.
	const byIdentity = new WeakMap<readonly string[], Map<DeviceId, { readonly id: number; readonly shape: Shape }>>();
	const byText = new Map<string, number>();
	let nextId = 0;

	function pointsNumber(points: readonly string[]): number {
		const text = JSON.stringify(points);
		const number = byText.get(text) ?? byText.size;
		byText.set(text, number);
		return number;
	}

	const keyOf = (shape: Shape): string =>
		`${shape.origin}${shape.device}${pointsNumber(shape.points)}:${shape.telemetryType}`;

	function define(id: number, shape: Shape): void {
		shapes.set(id, shape);
		ids.set(keyOf(shape), id);
		nextId = Math.max(nextId, id + 1);
	}

	/** The id of a shape under which this list of points was seen before; undefined: it was not, or that id was taken back. */
	function seenBefore({ origin, device, telemetryType, points }: Shape): number | undefined {
		const seen = byIdentity.get(points)?.get(device);
		const isSame = seen?.shape.telemetryType === telemetryType && seen.shape.origin === origin;
		return isSame && shapes.get(seen.id) === seen.shape ? seen.id : undefined;
	}

	function note(id: number, { device, points }: Shape): void {
		const shape = shapes.get(id);
		if (shape === undefined) return;
		const byDevice = byIdentity.get(points) ?? new Map<DeviceId, { readonly id: number; readonly shape: Shape }>();
		byIdentity.set(points, byDevice.set(device, { id, shape }));
	}

	return {
		idOf(reading) {
			const seen = seenBefore(reading);
			if (seen !== undefined) return seen;
			const id = ids.get(keyOf(reading)) ?? nextId;
			const { origin, device, telemetryType, points } = reading;
			if (id === nextId) define(id, { origin, device, telemetryType, points });
			note(id, reading);
			return id;
		},
		shape: (id) => shapes.get(id),
		define,
		nextId: () => nextId,
		rollBack(to) {
			for (let id = to; id < nextId; id += 1) {
				const shape = shapes.get(id);
				if (shape !== undefined) ids.delete(keyOf(shape));
				shapes.delete(id);
			}
			nextId = to;
		},
	};
}
