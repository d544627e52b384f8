/** Scales and offsets in device manuals have a few decimals; one with more is a measured factor and needs no exact form. */
const MAX_DECIMALS = 12;

/**
 * value = raw x scale + offset, without the noise of binary fractions: 2301 at scale 0.1 is 230.1, not 230.10000000000002.
 * With scale and offset as whole numbers over a power of ten, everything up to the one division is exact.
 */
export function linearScale(scale: number, offset: number): (raw: number) => number {
	for (let decimals = 0; decimals <= MAX_DECIMALS; decimals++) {
		const denominator = 10 ** decimals;
		const numerator = Math.round(scale * denominator);
		const addend = Math.round(offset * denominator);
		if (numerator / denominator === scale && addend / denominator === offset) {
			return (raw) => (raw * numerator + addend) / denominator;
		}
	}
	return (raw) => raw * scale + offset;
}

/** The whole raw number that is nearest to a value; `linearScale` of it tells whether it is the value. */
export function nearestRaw(scale: number, offset: number): (value: number) => number {
	return (value) => Math.round((value - offset) / scale);
}
