import type { PollClass, TemplateOption } from '../connection/connection.ts';
import type { SerialFormat } from './serial-format.ts';

/** Modbus read functions: 1 coils, 2 discrete inputs, 3 holding registers, 4 input registers. */
export type ReadFunction = 1 | 2 | 3 | 4;

/**
 * How the bytes of a point are meant. Unless said otherwise a type takes as many registers as its number has bits.
 *
 * - `bool`: a coil or discrete input (functions 1, 2); `bit`: one bit of a register (`bit` says which).
 * - `int8h`, `uint8h`, `int8l`, `uint8l`: the high or the low half of one register.
 * - `bcd…`: decimal digits of 4 bits each, without a sign.
 * - `string`, `raw` (hex text), `bits` (an unsigned number of 1 to 4 registers, shown bit by bit).
 * - `eui48` (the last 6 bytes of 3 or 4 registers), `ipv4` (2 registers), `ipv6` (8): text as people write them.
 * - `time_…`: ISO 8601 text; see `TimeType`.
 */
export type RegisterType =
	| 'bool'
	| 'bit'
	| 'int8h'
	| 'int8l'
	| 'uint8h'
	| 'uint8l'
	| 'int16'
	| 'uint16'
	| 'int32'
	| 'uint32'
	| 'int64'
	| 'uint64'
	| 'float16'
	| 'float32'
	| 'float64'
	| 'bcd16'
	| 'bcd32'
	| 'bcd64'
	| 'string'
	| 'raw'
	| 'bits'
	| 'eui48'
	| 'ipv4'
	| 'ipv6'
	| TimeType;

/**
 * - `time_unix32`, `time_unix64`: seconds since 1970; `time_unix64ms`: milliseconds; `time_since2000`: seconds since 2000 (32 bits).
 * - `time_bytes`: 3 registers of two bytes each: year - 2000, month, day, hour, minute, second.
 * - `time_bcd`: the same with two decimal digits in each byte.
 * - `time_registers`: 6 registers: year (or year - 2000), month, day, hour, minute, second.
 * - `time_iec`: 4 registers of IEC 60870-5-4: year; month and day; hour and minute; milliseconds.
 */
export type TimeType =
	| 'time_unix32'
	| 'time_since2000'
	| 'time_unix64'
	| 'time_unix64ms'
	| 'time_bytes'
	| 'time_bcd'
	| 'time_registers'
	| 'time_iec';

/**
 * Order of the bytes on the wire, one letter a byte; A is the most significant byte of the value. Any permutation of the letters of
 * a number's bytes: `AB`, `CDAB`, `GHEFCDAB`. Texts and other long types are ordered in blocks of 2, 4 or 8 bytes, e.g. `BA`.
 */
export type ByteOrder = string;

/** The same words in other languages; what is missing is shown in English. */
export interface Labels {
	readonly ko?: string;
	readonly tr?: string;
}

/** The texts of an `enum` in other languages, by number. */
export interface EnumLabels {
	readonly ko?: Readonly<Record<string, string>>;
	readonly tr?: Readonly<Record<string, string>>;
}

/** A part of a number: `count` bits, the least significant one being bit `first` (0 is the lowest of the number). */
export interface BitSlice {
	readonly first: number;
	readonly count: number;
}

/** Holds when the device's value of a template option is one of these. */
export interface PointCondition {
	readonly option: string;
	readonly is: readonly TemplateOption['value'][];
}

/** The safe value of a setpoint that somebody has to keep alive. */
export interface WriteRevert {
	/** What is written when nobody has written the point for so long. */
	readonly value: number | boolean | string;
	/** 5 to 900. */
	readonly seconds: number;
}

/** How a point is written. What is absent follows from how it is read. */
export interface WriteRule {
	/** Absent: 5 for coils; 6 for one register, 16 for more. */
	readonly function?: 5 | 6 | 15 | 16 | 22 | 23;
	/** Where it is written, if not where it is read. */
	readonly address?: number;
	/** Limits of a setpoint, inclusive, where they are narrower than what may be read. */
	readonly min?: number;
	readonly max?: number;
	/** Distance between two values that may be written, counted from `min` (from 0 without one). */
	readonly step?: number;
	/** Points with the same block are written together, in one request. */
	readonly block?: string;
	/** `true`: it is read back, and the write has failed when it holds another value. */
	readonly verify?: boolean;
	/** Most writes within a time, the safe value not counted; absent: as often as somebody wants. */
	readonly limit?: { readonly writes: number; readonly seconds: number };
	/** Absent: what was written stays. */
	readonly revert?: WriteRevert;
}

/** `counter` only grows, apart from resets; `setting` is configuration of the device. */
export type PointKind = 'measurement' | 'counter' | 'state' | 'setting';

/** One value of a device: where it is and what it means. */
export interface TemplatePoint {
	/** Machine name, unique in the template, e.g. `voltage_l1`. */
	readonly key: string;
	/** English plain name. */
	readonly name: string;
	readonly functionCode: ReadFunction;
	/** Protocol address, 0-based, as on the wire. */
	readonly address: number;
	/** Registers (functions 3 and 4) or bits (1 and 2) it takes. */
	readonly count: number;
	readonly type: RegisterType;
	readonly byteOrder: ByteOrder;
	/** value = raw x scale + offset */
	readonly scale: number;
	readonly offset: number;
	/** Unit of the value, e.g. `V`; empty when it has none. */
	readonly unit: string;
	readonly kind: PointKind;
	readonly access: 'r' | 'w' | 'rw';
	/** Raw patterns that mean "no value": hex, most significant byte first. */
	readonly invalid: readonly string[];
	/** Text of each number; for type `bits` the number is the bit. */
	readonly enum: Readonly<Record<string, string>> | null;
	/** Plausible range of the value after scaling, inclusive; `null`: no limit known. */
	readonly min: number | null;
	readonly max: number | null;
	/** Which bit of the register, 0 the lowest. For type `bit` only, and always there. */
	readonly bit?: number;
	/** The bits of a whole number that belong to this point; absent: all. */
	readonly slice?: BitSlice;
	/** Bits of a whole number that count, the others are read as 0: hex like in `invalid`. Applied before `slice`. */
	readonly mask?: string;
	/** Key of the point that holds the decimal exponent (int16): value = raw x 10^exponent x scale + offset. 8000h there: no value. */
	readonly scaleFactor?: string;
	/** Decimals the value is rounded to, 0 to 12; absent: not rounded. */
	readonly precision?: number;
	/** Of a `time_…` type: `local` is the device's own time and has no zone in its text. Absent: `utc` where it counts
	 * seconds, else `local`. */
	readonly zone?: 'utc' | 'local';
	/** Most the value changes within one second, in its unit; a value that jumped is marked. Absent: no limit known. */
	readonly maxStep?: number;
	/** Of a counter: the value at which it starts over at 0, where that is not the end of its type. */
	readonly turnsAt?: number;
	/** Of a counter: it goes back to 0 by itself, e.g. at midnight, which then is no sign of a new device. Absent: false. */
	readonly resets?: boolean;
	/** How often it is read. Absent: `normal`; settings every ten minutes. */
	readonly poll?: PollClass;
	/** Key of the group it is shown in. */
	readonly group?: string;
	/** All must hold for the point to exist at a device; absent: it always does. */
	readonly when?: readonly PointCondition[];
	/** `name` in other languages. */
	readonly labels?: Labels;
	/** Texts of `enum` in other languages, by number. */
	readonly enumLabels?: EnumLabels;
	readonly write?: WriteRule;
}

/** A variable of a template, e.g. the number of phases: the installer chooses, and points exist or not by it. */
export interface TemplateVariable {
	/** snake_case */
	readonly name: string;
	readonly label: string;
	readonly labels?: Labels;
	readonly type: 'boolean' | 'number' | 'text';
	/** What holds for a device that says nothing. */
	readonly default: TemplateOption['value'];
	/** Values that can be chosen; absent: any of the type. */
	readonly choices?: readonly VariableChoice[];
}

export interface VariableChoice {
	readonly value: TemplateOption['value'];
	readonly label: string;
	readonly labels?: Labels;
}

/** Points that are shown together, e.g. "Phase L1". */
export interface PointGroup {
	readonly key: string;
	readonly name: string;
	readonly labels?: Labels;
}

/** Addresses the device refuses to have touched, inclusive. */
export interface AddressHole {
	readonly functionCode: ReadFunction;
	readonly first: number;
	readonly last: number;
}

/** What is known of one device model. A JSON file in this folder, one per model; no code. */
export interface DeviceTemplate {
	/** File name without `.json`, e.g. `eastron-sdm630`. */
	readonly key: string;
	readonly manufacturer: string;
	readonly model: string;
	readonly category: string;
	/** Most registers the device answers in one read, 1 to 125. */
	readonly maxRegistersPerRead: number;
	/** Silence the device wants between an answer and the next request, ms. */
	readonly guardMs: number;
	readonly points: readonly TemplatePoint[];
	/** Most coils or discrete inputs in one read, 1 to 2000; absent: 2000. */
	readonly maxBitsPerRead?: number;
	/** Known before the device is asked; the planner starts with them. */
	readonly holes?: readonly AddressHole[];
	/**
	 * What an answer means that is FFFFh in all its registers. `true`: it has no value at all. `false`: its values count. Absent: it has none when
	 * it has 8 registers or more and two points or more.
	 */
	readonly allFfIsAbsent?: boolean;
	readonly options?: readonly TemplateVariable[];
	readonly groups?: readonly PointGroup[];
	/** Key of the template that this one, made at the site, changes. */
	readonly extends?: string;
	/**
	 * Of a serial device that is not Modbus: how it speaks and where its values are. Its points then have no register: `functionCode` and
	 * `address` mean nothing. Absent: a Modbus device.
	 */
	readonly serial?: SerialFormat;
}

/** How a device comes from the factory; the installer's start values. `null`: does not apply or not known. */
export interface CommDefaults {
	readonly baudRate: number | null;
	readonly dataBits: 7 | 8 | null;
	readonly parity: 'none' | 'even' | 'odd' | null;
	readonly stopBits: 1 | 2 | null;
	readonly unitId: number | null;
	readonly tcpPort: number | null;
}

/** One read that tells this model from others: the point must answer, and its value must be within the range, inclusive... */
export interface RangeProbe {
	readonly key: string;
	readonly min: number;
	readonly max: number;
}

/** ... or one of these: a number as it is, a text by its beginning, whether large or small letters. */
export interface ValueProbe {
	readonly key: string;
	readonly is: readonly (number | string)[];
}

export type Probe = RangeProbe | ValueProbe;

/** A work the facts of a template come from, and the licence it carries. */
export interface TemplateSource {
	readonly work: string;
	readonly licence: string;
	/** What was taken from it. */
	readonly use: string;
}

/** The whole file: what the driver needs, and what a person wants to know about the model. */
export interface TemplateDocument extends DeviceTemplate {
	/** Other names and versions with the same map. */
	readonly variants: readonly string[];
	readonly transports: readonly ('rtu' | 'tcp' | 'ascii' | 'serial' | 'socket')[];
	readonly commDefaults: CommDefaults;
	readonly probe: readonly Probe[];
	/** What a positive active power means at this device; `null`: not known. */
	readonly sign: 'import' | 'export' | null;
	/** Sentences for the installer. */
	readonly quirks: readonly string[];
	/** How many independent sources list the core quantities alike. */
	readonly verification: 'two sources' | 'one source' | 'unverified';
	readonly sources: readonly TemplateSource[];
}
