import { factsOfType, isPermutation, REGISTER_TYPES } from '../../../config/template/register-types.ts';
import type { RegisterType } from '../../../config/template/template.ts';

/** Names that other programs and manuals give to types, in small letters without anything but letters and digits. */
const NAMES: Readonly<Record<RegisterType, readonly string[]>> = {
	bool: ['boolean', 'coil', 'discrete', 'discreteinput', 'digital', 'onoff'],
	bit: [],
	int8h: ['8int'],
	int8l: ['int8', 's8', 'sint'],
	uint8h: ['8uint'],
	uint8l: ['uint8', 'u8', 'byte', 'usint'],
	int16: ['s16', 'i16', 'sint16', 'short', 'signed16', 'signedint16', '16int', 'int16s', 'shortint', 'signedword'],
	uint16: [
		'u16',
		'word',
		'ushort',
		'unsigned16',
		'unsignedint16',
		'16uint',
		'int16u',
		'enum16',
		'acc16',
		'count',
		'unsignedshort',
	],
	int32: ['s32', 'i32', 'sint32', 'dint', 'long', 'signed32', 'signedint32', '32int', 'int32s', 'longint'],
	uint32: [
		'u32',
		'dword',
		'udint',
		'ulong',
		'unsigned32',
		'unsignedint32',
		'32uint',
		'int32u',
		'enum32',
		'acc32',
		'unsignedlong',
	],
	int64: ['s64', 'i64', 'sint64', 'lint', 'longlong', 'signed64', '64int', 'int64s'],
	uint64: ['u64', 'qword', 'ulint', 'ulonglong', 'unsigned64', '64uint', 'int64u', 'acc64'],
	float16: ['f16', 'half', '16float'],
	float32: ['f32', 'real', 'single', 'float32ieee', 'ieee754', 'floatingpoint', '32float', 'real32'],
	float64: ['f64', 'double', 'lreal', 'float64ieee', '64float', 'real64'],
	bcd16: ['bcd4'],
	bcd32: ['bcd8'],
	bcd64: ['bcd16digits'],
	string: ['ascii', 'char', 'text', 'utf8', 'str', 'chars'],
	raw: ['hex', 'bytes'],
	bits: ['bitfield', 'bitfield16', 'bitfield32', 'bitmap', 'bitmask', 'flags', 'bitfield64'],
	eui48: ['mac'],
	ipv4: ['ipaddr', 'ipaddress'],
	ipv6: ['ipv6addr'],
	time_unix32: [],
	time_since2000: [],
	time_unix64: [],
	time_unix64ms: [],
	time_bytes: [],
	time_bcd: [],
	time_registers: [],
	time_iec: [],
};

/** Types that say how many registers they take only together with a count. */
const BY_COUNT: Readonly<Record<string, Readonly<Record<number, RegisterType>>>> = {
	int: { 1: 'int16', 2: 'int32', 4: 'int64' },
	integer: { 1: 'int16', 2: 'int32', 4: 'int64' },
	signed: { 1: 'int16', 2: 'int32', 4: 'int64' },
	uint: { 1: 'uint16', 2: 'uint32', 4: 'uint64' },
	unsigned: { 1: 'uint16', 2: 'uint32', 4: 'uint64' },
	float: { 1: 'float16', 2: 'float32', 4: 'float64' },
	bcd: { 1: 'bcd16', 2: 'bcd32', 4: 'bcd64' },
};

const plainName = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

const byName: ReadonlyMap<string, RegisterType> = new Map(
	REGISTER_TYPES.flatMap((type) => [type, ...NAMES[type]].map((name) => [plainName(name), type] as const)),
);

/** Registers that values of a type usually take. */
export const usualCount = (type: RegisterType): number => factsOfType(type).counts?.[0] ?? 1;

/** How wide a number without a width is, when nothing says so. */
const usualWidth = (name: string): number => (name === 'float' ? 2 : 1);

/** The type that a name means; `null`: none that is known. @param count registers, when they are known */
export function typeNamed(name: string, count: number | null): RegisterType | null {
	const plain = plainName(name);
	const widths = Object.hasOwn(BY_COUNT, plain) ? BY_COUNT[plain] : undefined;
	if (widths !== undefined) return widths[count ?? usualWidth(plain)] ?? null;
	return byName.get(plain) ?? null;
}

const LETTERS = 'ABCDEFGH';

const pairsOf = (bytes: number): readonly string[] =>
	Array.from({ length: bytes / 2 }, (_, index) => LETTERS.slice(2 * index, 2 * index + 2));

const reversed = (text: string): string => Array.from(text).toReversed().join('');

/** The order of a number of so many bytes, by what is swapped on the wire. */
export function swappedOrder(bytes: number, isByteSwapped: boolean, isWordSwapped: boolean): string {
	const pairs = isWordSwapped ? pairsOf(bytes).toReversed() : pairsOf(bytes);
	return pairs.map((pair) => (isByteSwapped ? reversed(pair) : pair)).join('');
}

/** Names of orders: whether bytes within words, and words, are swapped. */
const SWAPS: Readonly<Record<string, readonly [bytes: boolean, words: boolean]>> = {
	'': [false, false],
	none: [false, false],
	big: [false, false],
	be: [false, false],
	bigendian: [false, false],
	msb: [false, false],
	msbfirst: [false, false],
	normal: [false, false],
	little: [true, true],
	le: [true, true],
	littleendian: [true, true],
	lsb: [true, true],
	lsbfirst: [true, true],
	word: [false, true],
	wordswap: [false, true],
	swapword: [false, true],
	swapwords: [false, true],
	swapped: [false, true],
	wordswapped: [false, true],
	lowwordfirst: [false, true],
	littleendianbyteswap: [false, true],
	midlittle: [false, true],
	byte: [true, false],
	byteswap: [true, false],
	swapbyte: [true, false],
	swapbytes: [true, false],
	byteswapped: [true, false],
	bigendianbyteswap: [true, false],
	midbig: [true, false],
	wordbyte: [true, true],
};

/** Bytes that the order of a type is written for. */
export const orderBytes = (type: RegisterType, count: number): number =>
	factsOfType(type).order === 'number' ? 2 * count : 2;

/** The byte order that a name means for a value; `null`: none that is known. Letters are kept as they are. */
export function orderNamed(name: string, type: RegisterType, count: number): string | null {
	const letters = name.trim().toUpperCase();
	if (isPermutation(letters)) return letters;
	const word = plainName(name);
	const swaps = Object.hasOwn(SWAPS, word) ? SWAPS[word] : undefined;
	return swaps === undefined ? null : swappedOrder(orderBytes(type, count), ...swaps);
}

/** The order of a 32-bit value of another program, e.g. `CDAB`, for a value of so many bytes. */
export function widened(order: string, bytes: number): string | null {
	const swaps = { ABCD: [false, false], BADC: [true, false], CDAB: [false, true], DCBA: [true, true] } as const;
	const plain = order.trim().toUpperCase();
	if (plain.length === bytes && isPermutation(plain)) return plain;
	if (plain === 'AB' || plain === 'BA') return swappedOrder(bytes, plain === 'BA', plain === 'BA');
	const known = Object.entries(swaps).find(([name]) => name === plain)?.[1];
	return known === undefined ? null : swappedOrder(bytes, known[0], known[1]);
}
