/** A set whose first item is found at once: adding, removing and replacing take O(log n). An item is in it at most once. */
export interface Heap<T> {
	readonly first: T | undefined;
	/** Adds an item, or moves one that is in it and whose order has changed. */
	put(item: T): void;
	/** @returns whether it was in it */
	remove(item: T): boolean;
}

/** @param isBefore whether the left item comes before the right one; must not change for items that are in the heap */
export function createHeap<T>(isBefore: (left: T, right: T) => boolean): Heap<T> {
	const items: T[] = [];
	const places = new Map<T, number>();

	function set(at: number, item: T): void {
		items[at] = item;
		places.set(item, at);
	}

	function rise(item: T, from: number): number {
		let at = from;
		while (at > 0) {
			const above = (at - 1) >> 1;
			const parent = items[above];
			if (parent === undefined || !isBefore(item, parent)) break;
			set(at, parent);
			at = above;
		}
		set(at, item);
		return at;
	}

	function sink(item: T, from: number): void {
		let at = from;
		for (;;) {
			const left = 2 * at + 1;
			let next = left;
			let child = items[left];
			const right = items[left + 1];
			if (child !== undefined && right !== undefined && isBefore(right, child)) {
				next = left + 1;
				child = right;
			}
			if (child === undefined || !isBefore(child, item)) break;
			set(at, child);
			at = next;
		}
		set(at, item);
	}

	return {
		get first() {
			return items[0];
		},
		put(item) {
			sink(item, rise(item, places.get(item) ?? items.length));
		},
		remove(item) {
			const at = places.get(item);
			if (at === undefined) return false;
			places.delete(item);
			const last = items.pop();
			if (last !== undefined && last !== item) sink(last, rise(last, at));
			return true;
		},
	};
}
