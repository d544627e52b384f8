import type { ReadFunction } from '../../config/template/template.ts';

/**
 * How a register number of a manual may be meant: `zero-based` is the address on the wire, `one-based` counts from 1,
 * `reference` is a number such as 40001 whose first digit names the table and whose rest counts from 1,
 * `reference-zero-based` the same with a rest that counts from 0.
 */
export type AddressNotation = 'zero-based' | 'one-based' | 'reference' | 'reference-zero-based';

/** One meaning of a register number. */
export interface AddressPlace {
	readonly notation: AddressNotation;
	/** Protocol address, 0 to 65535. */
	readonly address: number;
}

/** The last register number that any notation has: 65536 in the table of holding registers. */
export const MAX_REGISTER_NUMBER = 465_536;

/** Addresses of one table, on the wire. */
export const ADDRESSES = 65_536;

/** First digit of the reference numbers of each function's table (Modicon); coils have none that could be told apart. */
const TABLE_DIGITS: Readonly<Record<ReadFunction, number | null>> = { 1: null, 2: 1, 3: 4, 4: 3 };

/** Width of a table in reference numbers of five and of six digits. */
const TABLE_WIDTHS = [10_000, 100_000] as const;

/** Number of the first entry of a table, counted from 0, when the register number can be in it; e.g. 40000 for 40053. */
function tableStart(number: number, functionCode: ReadFunction): number | null {
	const digit = TABLE_DIGITS[functionCode];
	if (digit === null) return null;
	const width = TABLE_WIDTHS.find((each) => number >= digit * each && number < (digit + 1) * each);
	return width === undefined ? null : digit * width;
}

/** Every place in the table of a function that a register number of a manual may mean, the literal one first. */
export function placesOf(number: number, functionCode: ReadFunction): readonly AddressPlace[] {
	const start = tableStart(number, functionCode);
	const places: readonly AddressPlace[] = [
		{ notation: 'zero-based', address: number },
		{ notation: 'one-based', address: number - 1 },
		...(start === null
			? []
			: [
					{ notation: 'reference' as const, address: number - start - 1 },
					{ notation: 'reference-zero-based' as const, address: number - start },
				]),
	];
	return places.filter(({ address }) => address >= 0 && address < ADDRESSES);
}
