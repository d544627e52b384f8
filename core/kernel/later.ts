/** A part that others are given before it is made, because it needs them too. They may ask for it once it is there. */
export interface Later<T> {
	/** From now on this is it. */
	readonly set: (made: T) => void;
	/** @throws Error while it is not made: it was asked for too early */
	readonly get: () => T;
	/** `null` while it is not made. */
	readonly find: () => T | null;
}

/** @param what the part's name, for the error of whoever asks too early */
export function createLater<T extends object>(what: string): Later<T> {
	let made: T | null = null;
	return {
		set(part) {
			made = part;
		},
		get() {
			if (made === null) throw new Error(`${what} is asked for before it is made`);
			return made;
		},
		find: () => made,
	};
}
