/** Modbus read functions: 1 coils, 2 discrete inputs, 3 holding registers, 4 input registers. */
export type ReadFunction = 1 | 2 | 3 | 4;

export type RegisterType =
	| 'bool'
	| 'int16'
	| 'uint16'
	| 'int32'
	| 'uint32'
	| 'int64'
	| 'uint64'
	| 'float32'
	| 'float64'
	| 'string'
	| 'bits';

/** Order of the bytes on the wire; A is the most significant byte of the value. */
export type ByteOrder =
	| 'AB'
	| 'BA'
	| 'ABCD'
	| 'CDAB'
	| 'BADC'
	| 'DCBA'
	| 'ABCDEFGH'
	| 'GHEFCDAB'
	| 'BADCFEHG'
	| 'HGFEDCBA';

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

/** One read that tells this model from others: the point must answer with a value within the range, inclusive. */
export interface Probe {
	readonly key: string;
	readonly min: number;
	readonly max: number;
}

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
	readonly transports: readonly ('rtu' | 'tcp' | 'ascii')[];
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

/** Bits of the types that a counter rolls over in; the others have no such end. */
const COUNTER_BITS: Readonly<Partial<Record<RegisterType, { readonly bits: bigint; readonly isSigned: boolean }>>> = {
	int16: { bits: 16n, isSigned: true },
	uint16: { bits: 16n, isSigned: false },
	int32: { bits: 32n, isSigned: true },
	uint32: { bits: 32n, isSigned: false },
	int64: { bits: 64n, isSigned: true },
	uint64: { bits: 64n, isSigned: false },
};

/** The values of a point, after scaling, from `bottom` to below `top`. */
interface ValueRange {
	readonly bottom: number | bigint;
	readonly top: number | bigint;
}

function rangeOf({ type, scale, offset }: TemplatePoint): ValueRange | null {
	const width = COUNTER_BITS[type];
	if (width === undefined) return null;
	const top = width.isSigned ? 2n ** (width.bits - 1n) : 2n ** width.bits;
	const bottom = width.isSigned ? -top : 0n;
	if (scale === 1 && Number.isSafeInteger(offset))
		return { bottom: bottom + BigInt(offset), top: top + BigInt(offset) };
	return { bottom: Number(bottom) * scale + offset, top: Number(top) * scale + offset };
}

/** What there is to know of a point to show it and to sum it up; `null` when the template or the point is not known. */
export function pointFacts(
	template: DeviceTemplate | undefined,
	key: string,
): {
	readonly unit: string;
	readonly isSetting: boolean;
	readonly counter: { readonly range: ValueRange | null } | null;
} | null {
	const point = template?.points.find((each) => each.key === key);
	if (point === undefined) return null;
	const counter = point.kind === 'counter' ? { range: rangeOf(point) } : null;
	return { unit: point.unit, isSetting: point.kind === 'setting', counter };
}
