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

const over = (): void => undefined;

export function createTurns(): Turns {
	let last: Promise<void> = Promise.resolve();
	return {
		run(work) {
			const turn = last.then(work);
			// What the work has made is its caller's: nothing of it is kept here.
			last = turn.then(over, over);
			return turn;
		},
		async settled() {
			await last;
		},
	};
}
