/** Work that is done one piece after the other, in the order in which it came. */
export interface Turns {
	/**
	 * Settles as the work does. What fails does not keep the next from its turn. There is no limit to what waits, which is the
	 * caller's matter; work from outside goes through a gate first.
	 */
	readonly run: <T>(work: () => Promise<T>) => Promise<T>;
	/** Resolves when everything that was given so far is over, whatever has become of it. */
	readonly settled: () => Promise<void>;
}

export function createTurns(): Turns {
	let last: Promise<unknown> = Promise.resolve();
	return {
		run(work) {
			const turn = last.then(work);
			last = turn.catch(() => undefined);
			return turn;
		},
		async settled() {
			await last;
		},
	};
}
