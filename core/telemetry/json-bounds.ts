/** Bounds of structured values from outside. */
export interface JsonBounds {
	/** Nesting; a plain value has depth 0. */
	readonly depth: number;
	/** Values of all levels, containers included. */
	readonly nodes: number;
}

/** True when a JSON value is neither deeper nor larger than the bounds. Stops at the first excess. */
export function isWithinBounds(value: unknown, { depth, nodes }: JsonBounds): boolean {
	let left = nodes;
	function fits(node: unknown, deeper: number): boolean {
		left -= 1;
		if (left < 0) return false;
		if (typeof node !== 'object' || node === null) return true;
		if (deeper === 0) return false;
		const children: readonly unknown[] = Array.isArray(node) ? node : Object.values(node);
		return children.every((child) => fits(child, deeper - 1));
	}
	return fits(value, depth);
}
