/** Above this rate the silence between frames is fixed (Modbus over Serial Line V1.02, 2.5.1.1). */
const FIXED_GAP_ABOVE_BAUD = 19_200;
const FIXED_GAP_MS = 1.75;
const GAP_CHARS = 3.5;

/** Longest RTU frame: unit, 253 bytes of function and data, CRC. */
const MOST_CHARS = 256;

export interface RtuTiming {
	readonly baudRate: number;
	/** Start, data, parity and stop bits. */
	readonly bitsPerChar: number;
}

/** Time that so many characters take on the wire, ms. */
export const wireMs = ({ baudRate, bitsPerChar }: RtuTiming, chars: number): number =>
	(chars * bitsPerChar * 1000) / baudRate;

/** Silence that ends a frame, ms: 3.5 characters, or 1.75 ms above 19200 baud. */
export const gapMs = (timing: RtuTiming): number =>
	timing.baudRate > FIXED_GAP_ABOVE_BAUD ? FIXED_GAP_MS : wireMs(timing, GAP_CHARS);

/** Time of the longest frame on the wire, ms. */
export const longestFrameMs = (timing: RtuTiming): number => wireMs(timing, MOST_CHARS);
