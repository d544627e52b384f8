/** Random numbers that a seed brings back. */
export interface Random {
	readonly seed: number;
	/** A number from 0 to below the limit. */
	below(limit: number): number;
}

/** The generator called mulberry32: 32 bits of state, good enough to choose moments. */
export function createRandom(seed: number): Random {
	let state = seed;
	return {
		seed,
		below(limit) {
			state = (state + 0x6d2b79f5) | 0;
			let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
			mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
			return (((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * limit;
		},
	};
}
