/** How one frame is told from the next. Marks are bytes; lengths count all bytes of the frame. */
export type Framing = FrameLimits &
	(
		| {
				readonly by: 'delimiter';
				readonly end: Uint8Array;
				/** Bytes of the frame behind the end mark, e.g. its checksum. */
				readonly after: number;
		  }
		| { readonly by: 'length'; readonly length: number }
		| {
				readonly by: 'length-field';
				/** Where the length stands, from the start of the frame. */
				readonly at: number;
				readonly type: LengthType;
				/** Bytes of the frame that the length does not count. */
				readonly plus: number;
		  }
		| { readonly by: 'gap'; readonly gapMs: number }
	);

/** `uint16`: high byte first; `uint16le`: low byte first. */
export type LengthType = 'uint8' | 'uint16' | 'uint16le';

interface FrameLimits {
	/** What each frame begins with; empty: nothing. */
	readonly start: Uint8Array;
	/** Longer frames are noise, bytes. */
	readonly mostBytes: number;
	/** Silence inside a frame that ends it (`gap`) or makes it noise (others), ms; `null`: frames may pause. */
	readonly gapMs: number | null;
}

/**
 * - `xor`, `sum8`, `sum16`: over the bytes; `lrc`: two's complement of `sum8`.
 * - CRCs by their names in the catalogue of Greg Cook: MODBUS, ARC (DSMR), IBM-3740 (`crc16-ccitt`), XMODEM, IBM-SDLC (`crc16-x25`), ISO-HDLC (`crc32`).
 */
export type ChecksumType =
	| 'xor'
	| 'sum8'
	| 'sum16'
	| 'lrc'
	| 'crc16-modbus'
	| 'crc16-arc'
	| 'crc16-ccitt'
	| 'crc16-xmodem'
	| 'crc16-x25'
	| 'crc32';

/** A stretch of a frame, `to` exclusive. Negative places count from its end; `to` 0 is the end. */
export interface FrameSpan {
	readonly from: number;
	readonly to: number;
}

/** A frame whose checksum is wrong or missing gives no value. */
export interface ChecksumRule {
	readonly type: ChecksumType;
	/** What stands right before it, e.g. the `*` of NMEA 0183, which it does not cover; empty: nothing in particular. */
	readonly mark: Uint8Array;
	/** Where it stands; negative: from the end of the frame. */
	readonly at: number;
	/** `hex`: two digits a byte, high byte first, large or small letters. */
	readonly notation: 'binary' | 'hex';
	/** Order of its bytes in binary notation. */
	readonly order: 'big' | 'little';
	readonly covers: FrameSpan;
}

/** One sort of line of a device that sends several, told by its first column. */
export interface CsvRecord {
	readonly name: string;
	readonly first: { readonly is: string } | { readonly endsWith: string };
	/** The values count only when this column has one of these texts. */
	readonly valid: { readonly column: number; readonly is: readonly string[] } | null;
}

export type SerialLayout =
	/** Named groups of a pattern that fits the whole payload. */
	| { readonly kind: 'regex'; readonly pattern: string }
	/** `records` empty: each frame is the one record, called ''. */
	| { readonly kind: 'csv'; readonly separator: string; readonly records: readonly CsvRecord[] }
	| { readonly kind: 'key-value'; readonly separator: string; readonly assign: string }
	/** Lines of OBIS codes with values in parentheses (IEC 62056-21). */
	| { readonly kind: 'obis' }
	| { readonly kind: 'binary' };

/**
 * What the text of a value is. `angle`: degrees and minutes as `ddmm.mmmm`; `dsmr_time`: `YYMMDDhhmmss` with `S` (summer) or `W` of Central Europe.
 */
export type TextForm = 'number' | 'text' | 'angle' | 'dsmr_time';

/** What a text means. */
export interface TextMeaning {
	readonly form: TextForm;
	/** Numbers of texts, e.g. of `ST` and `US`; `null`: none. */
	readonly codes: ReadonlyMap<string, number> | null;
}

/** Where the value of a point is in a payload. */
export type SerialPlace =
	| { readonly kind: 'field'; readonly field: string; readonly meaning: TextMeaning }
	| {
			readonly kind: 'column';
			/** Name of its record; '': the only one. */
			readonly record: string;
			/** 0 is the first. */
			readonly column: number;
			/** The value is negative when this column has one of these texts, e.g. `S`. */
			readonly sign: { readonly column: number; readonly negative: readonly string[] } | null;
			readonly meaning: TextMeaning;
	  }
	| {
			readonly kind: 'obis';
			/** e.g. `1-0:1.8.1`; with `mbus` without the channel: `24.2.1`. */
			readonly code: string;
			/** Type of the meter behind a channel of its own, e.g. 3 for gas; `null`: the value is of the meter itself. */
			readonly mbus: number | null;
			/** Which parenthesis, 0 is the first. */
			readonly value: number;
			readonly meaning: TextMeaning;
	  }
	| {
			readonly kind: 'bytes';
			/** First byte, from the start of the payload. */
			readonly at: number;
			readonly bytes: number;
	  };

/** How a serial device that is not Modbus speaks. */
export interface SerialFormat {
	readonly framing: Framing;
	readonly checksum: ChecksumRule | null;
	/** The part of the frame that the layout describes. */
	readonly payload: FrameSpan;
	/** What the device is asked with; `null`: it sends by itself. */
	readonly request: Uint8Array | null;
	readonly layout: SerialLayout;
	/** By key of the point. */
	readonly places: ReadonlyMap<string, SerialPlace>;
	/** The file it was read from, complete, so that it can be written again. */
	readonly file: object;
}
