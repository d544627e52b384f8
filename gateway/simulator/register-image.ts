/** Exception codes of the Modbus application protocol, section 7, that the simulated devices use. */
export const ILLEGAL_FUNCTION = 1;
export const ILLEGAL_DATA_ADDRESS = 2;
export const ILLEGAL_DATA_VALUE = 3;
export const GATEWAY_TARGET_FAILED = 11;

/** What a device says of itself (functions 17 and 43/14). ASCII, cut to 30 characters each. */
export interface DeviceIdentity {
	readonly vendor: string;
	readonly productCode: string;
	readonly revision: string;
	readonly productName: string;
}

/** Registers of one device. Addresses are zero-based, as on the wire. A number as result is an exception code. */
export interface RegisterImage {
	/** Values of holding (3) or input (4) registers at an instant, ms since the epoch. */
	read(functionCode: 3 | 4, address: number, count: number, atMs: number): Uint16Array | number;
	/** Writes holding registers; null when they were taken. */
	write(address: number, words: readonly number[]): number | null;
	/** Coils (1) or discrete inputs (2); absent: the device has none. */
	readonly readBits?: (
		functionCode: 1 | 2,
		address: number,
		count: number,
		atMs: number,
	) => readonly boolean[] | number;
	/** Writes coils; absent: it has none. */
	readonly writeBits?: (address: number, bits: readonly boolean[]) => number | null;
	/** Absent: the device does not say what it is. */
	readonly identity?: DeviceIdentity;
}

/** The two registers of a float32, high word first. */
export function floatWords(value: number): readonly [number, number] {
	const bytes = Buffer.alloc(4);
	bytes.writeFloatBE(value);
	return [bytes.readUInt16BE(0), bytes.readUInt16BE(2)];
}

/**
 * A device of `points` holding registers that are also its input registers: register `a` holds
 * (a + seconds since the epoch) modulo 65 536, so that every value changes each second and tells when it was read.
 */
export function createPointsImage(points: number): RegisterImage {
	return {
		read(_functionCode, address, count, atMs) {
			if (count < 1 || count > 125) return ILLEGAL_DATA_VALUE;
			if (address + count > points) return ILLEGAL_DATA_ADDRESS;
			const seconds = Math.floor(atMs / 1000);
			return Uint16Array.from({ length: count }, (_, offset) => (address + offset + seconds) & 0xffff);
		},
		write: () => ILLEGAL_FUNCTION,
	};
}

/** Registers of `createReadsImage`. */
const READS_REGISTERS = 5;

/**
 * A device that tells its answers apart: its unit id, the number of this read since the start (uint32), and the complement of that
 * number. A value under a wrong name, or put together of two answers, cannot pass for a right one.
 */
export function createReadsImage(unitId: number): RegisterImage {
	let reads = 0;
	return {
		read(_functionCode, address, count) {
			if (count < 1 || address + count > READS_REGISTERS) return ILLEGAL_DATA_ADDRESS;
			reads += 1;
			const words = [unitId, reads >>> 16, reads & 0xffff, (~reads >>> 16) & 0xffff, ~reads & 0xffff];
			return Uint16Array.from(words.slice(address, address + count));
		},
		write: () => ILLEGAL_FUNCTION,
	};
}
