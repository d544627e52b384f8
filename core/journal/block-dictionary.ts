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
	// Drivers share one array of points per plan: identity answers nearly always, the text only for a new array.
	const byIdentity = new WeakMap<readonly string[], number>();
	const byText = new Map<string, number>();
	let nextId = 0;

	function pointsNumber(points: readonly string[]): number {
		const known = byIdentity.get(points);
		if (known !== undefined) return known;
		const text = JSON.stringify(points);
		const number = byText.get(text) ?? byText.size;
		byText.set(text, number);
		byIdentity.set(points, number);
		return number;
	}

	const keyOf = (shape: Shape): string =>
		`${shape.origin}${shape.device}${pointsNumber(shape.points)}:${shape.telemetryType}`;

	function define(id: number, shape: Shape): void {
		shapes.set(id, shape);
		ids.set(keyOf(shape), id);
		nextId = Math.max(nextId, id + 1);
	}

	return {
		idOf(reading) {
			const known = ids.get(keyOf(reading));
			if (known !== undefined) return known;
			const { origin, device, telemetryType, points } = reading;
			const id = nextId;
			define(id, { origin, device, telemetryType, points });
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
