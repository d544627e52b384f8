const EXPONENT_BIAS = 15;
const FRACTION_BITS = 10;
const LARGEST = 65_504;

/** The number in 16 bits (IEEE 754-2008 binary16), infinities and NaN included. */
export function float16Of(bits: number): number {
	const sign = (bits & 0x8000) === 0 ? 1 : -1;
	const exponent = (bits >> FRACTION_BITS) & 0x1f;
	const fraction = bits & 0x3ff;
	if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
	if (exponent === 0) return sign * fraction * 2 ** (1 - EXPONENT_BIAS - FRACTION_BITS);
	return sign * (1 + fraction / 2 ** FRACTION_BITS) * 2 ** (exponent - EXPONENT_BIAS);
}

/** Halves go to the even neighbour, as the hardware rounds (IEEE 754, 4.3.1). */
function roundEven(value: number): number {
	const floor = Math.floor(value);
	const rest = value - floor;
	if (rest === 0.5) return floor % 2 === 0 ? floor : floor + 1;
	return Math.round(value);
}

/** The nearest 16 bits to a number; `null` when it is beyond the largest one. */
export function toFloat16(value: number): number | null {
	const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
	const size = Math.abs(value);
	const exponent = size === 0 ? -EXPONENT_BIAS : Math.max(Math.floor(Math.log2(size)), 1 - EXPONENT_BIAS);
	const step = 2 ** (Math.max(exponent, 1 - EXPONENT_BIAS) - FRACTION_BITS);
	const rounded = roundEven(size / step) * step;
	if (!(rounded <= LARGEST)) return null;
	if (rounded < 2 ** (1 - EXPONENT_BIAS)) return sign | (rounded / 2 ** (1 - EXPONENT_BIAS - FRACTION_BITS));
	const power = Math.floor(Math.log2(rounded));
	return sign | ((power + EXPONENT_BIAS) << FRACTION_BITS) | ((rounded / 2 ** power - 1) * 2 ** FRACTION_BITS);
}
