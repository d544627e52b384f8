/** A point of a SunSpec model, in the words of the model definition (SunSpec Device Information Model Specification 1.1, section 4). */
export interface SunspecPoint {
	readonly name: string;
	readonly type: string;
	/** Registers. */
	readonly size: number;
	readonly label?: string;
	readonly units?: string;
	/** Name of the point with the decimal exponent, or the exponent itself. */
	readonly sf?: string | number;
	readonly access?: 'R' | 'RW';
	/** `S`: it does not change while the device runs. */
	readonly static?: 'D' | 'S';
	readonly symbols?: readonly SunspecSymbol[];
}

export interface SunspecSymbol {
	readonly name: string;
	/** The number; of a bit field the bit. */
	readonly value: number;
	readonly label?: string;
}

export interface SunspecGroup {
	readonly name: string;
	readonly label?: string;
	/** How often it repeats: a number, the name of a point that says so, 0: until the model is used up. Absent: once. */
	readonly count?: number | string;
	readonly points?: readonly SunspecPoint[];
	readonly groups?: readonly SunspecGroup[];
}

/** A model: a block of registers that begins with its number and its length. */
export interface SunspecModel {
	readonly id: number;
	readonly group: SunspecGroup;
}

/** One model in a device. */
export interface SunspecPlace {
	readonly id: number;
	/** Protocol address of the first of the two header registers, number and length. */
	readonly address: number;
	/** Registers after the header. */
	readonly length: number;
	/** The registers after the header as they were read; `null`: the device refused them. */
	readonly words: readonly number[] | null;
}

/** What a SunSpec device has, from its marker to the end mark. */
export interface SunspecChain {
	/** Protocol address of the marker: 40000, 0 or 50000. */
	readonly base: number;
	readonly places: readonly SunspecPlace[];
	/** Most registers the device gave in one read. */
	readonly maxRegisters: number;
	/** Why the walk ended before an end mark; `null`: it did not. */
	readonly cut: string | null;
}

/** Number of the model that says who made the device; the first of every chain. */
export const COMMON_MODEL = 1;
/** Stands in place of a model number behind the last one. */
export const END_MODEL = 0xffff;
/** Registers before the points of a model: its number and its length. */
export const HEADER_REGISTERS = 2;
