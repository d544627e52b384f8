/** Hands news on to a part that is made later than what has them. */
export interface Relay<T> {
	/** News, kept in order until there is somebody to tell; told at once from then on. */
	readonly tell: (news: readonly T[]) => void;
	/** Tells the part what was kept, all at once, and from now on what comes. */
	readonly attach: (hear: (news: readonly T[]) => void) => void;
}

/** For news that are few: those of a start wait in memory without a bound. */
export function createRelay<T>(): Relay<T> {
	const kept: T[] = [];
	let hear = (news: readonly T[]): void => void kept.push(...news);
	return {
		tell: (news) => hear(news),
		attach(listener) {
			hear = listener;
			listener(kept.splice(0));
		},
	};
}
