import type { SettingsMistake } from '../settings-fault.ts';
import type { ReadFunction, RegisterType, TemplatePoint } from './template.ts';

/** Addresses of a function: 0 to 65535. */
const ADDRESS_COUNT = 65_536;
/** What one read may carry (Modbus Application Protocol 1.1b3, 6.1 and 6.3); a point has to fit into one. */
const MAX_REGISTERS = 125;

/** Registers a value of each type may take; `bool` is a bit and lives where functions 1 and 2 read. */
const registerCounts: Readonly<Record<Exclude<RegisterType, 'bool' | 'string'>, readonly number[]>> = {
	int16: [1],
	uint16: [1],
	int32: [2],
	uint32: [2],
	float32: [2],
	int64: [4],
	uint64: [4],
	float64: [4],
	bits: [1, 2, 4],
};

const integerTypes: ReadonlySet<RegisterType> = new Set(['int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64']);

const isBit = (functionCode: ReadFunction): boolean => functionCode <= 2;

const isNumeric = (type: RegisterType): boolean => type !== 'bool' && type !== 'string';

/** One rule: the member it looks at, whether a point breaks it, and the sentence. */
interface PointRule {
	readonly member: string;
	readonly isBroken: (point: TemplatePoint) => boolean;
	readonly sentence: (point: TemplatePoint) => string;
}

function countsOf({ type }: TemplatePoint): readonly number[] | null {
	if (type === 'string') return null;
	return type === 'bool' ? [1] : registerCounts[type];
}

/** Bytes the letters of a byte order have to name; text is ordered register by register. */
const orderedBytes = ({ type, count }: TemplatePoint): number => (type === 'string' || type === 'bool' ? 2 : 2 * count);

const hasWrongCount = (point: TemplatePoint): boolean => countsOf(point)?.includes(point.count) === false;

const isPattern = (hex: string, registers: number): boolean => hex.length === 4 * registers && /^[0-9a-f]*$/i.test(hex);

const pointRules: readonly PointRule[] = [
	{
		member: 'type',
		isBroken: ({ type, functionCode }) => (type === 'bool') !== isBit(functionCode),
		sentence: ({ type, functionCode }) =>
			`functions 1 and 2 read the type bool, functions 3 and 4 all others; found ${type} with function ${functionCode}`,
	},
	{
		member: 'count',
		isBroken: hasWrongCount,
		sentence: (point) => `type ${point.type} takes ${countsOf(point)?.join(', ')}; found ${point.count}`,
	},
	{
		member: 'count',
		isBroken: ({ count }) => count > MAX_REGISTERS,
		sentence: ({ count }) => `one read carries at most ${MAX_REGISTERS} registers; found ${count}`,
	},
	{
		member: 'address',
		isBroken: ({ address, count }) => address + count > ADDRESS_COUNT,
		sentence: ({ address, count }) => `the last address is ${ADDRESS_COUNT - 1}; ${count} from ${address} go beyond`,
	},
	{
		member: 'byte_order',
		isBroken: (point) => !hasWrongCount(point) && point.byteOrder.length !== orderedBytes(point),
		sentence: (point) => `must order ${orderedBytes(point)} bytes for type ${point.type}; found ${point.byteOrder}`,
	},
	{
		member: 'scale',
		isBroken: ({ scale }) => scale === 0,
		sentence: () => 'must not be 0: every value would be the offset',
	},
	{
		member: 'scale',
		isBroken: ({ type, scale, offset }) => (!isNumeric(type) || type === 'bits') && (scale !== 1 || offset !== 0),
		sentence: ({ type, scale, offset }) => `type ${type} takes no scale or offset; found ${scale} and ${offset}`,
	},
	{
		member: 'invalid',
		isBroken: ({ type, invalid }) => type === 'bool' && invalid.length > 0,
		sentence: () => 'a bit has no pattern that means "no value"',
	},
	{
		member: 'invalid',
		isBroken: ({ type, count, invalid }) => type !== 'bool' && invalid.some((hex) => !isPattern(hex, count)),
		sentence: ({ count, invalid }) =>
			`${count} registers are ${4 * count} hex digits; found ${invalid.find((hex) => !isPattern(hex, count))}`,
	},
	{
		member: 'enum',
		isBroken: ({ type, enum: texts }) => type === 'string' && texts !== null,
		sentence: () => 'a text has no texts for numbers',
	},
	{
		member: 'enum',
		isBroken: ({ type, count, enum: texts }) =>
			type === 'bits' && Object.keys(texts ?? {}).some((bit) => !(Number(bit) >= 0 && Number(bit) < 16 * count)),
		sentence: ({ count, enum: texts }) =>
			`bits 0 to ${16 * count - 1} exist; found ${Object.keys(texts ?? {}).join(', ')}`,
	},
	{
		member: 'min',
		isBroken: ({ min, max }) => min !== null && max !== null && min > max,
		sentence: ({ min, max }) => `must not be above max; found ${min} above ${max}`,
	},
	{
		member: 'min',
		isBroken: ({ type, min, max }) => !isNumeric(type) && (min !== null || max !== null),
		sentence: ({ type }) => `type ${type} takes no min or max`,
	},
];

/** A point that kept the form, and its place in the file. */
export interface PlacedPoint {
	readonly index: number;
	readonly point: TemplatePoint;
}

const mistakesOfPoint = ({ index, point }: PlacedPoint): readonly SettingsMistake[] =>
	pointRules
		.filter((rule) => rule.isBroken(point))
		.map((rule) => ({ path: `points[${index}].${rule.member}`, message: rule.sentence(point) }));

function repeatedKeys(placed: readonly PlacedPoint[]): readonly SettingsMistake[] {
	const firstIndex = new Map<string, number>();
	const mistakes: SettingsMistake[] = [];
	for (const { index, point } of placed) {
		const first = firstIndex.get(point.key);
		if (first === undefined) firstIndex.set(point.key, index);
		else
			mistakes.push({ path: `points[${index}].key`, message: `must be unique; ${point.key} is also points[${first}]` });
	}
	return mistakes;
}

/** The same registers may be seen as a number and as bits; every other sharing is a slip of the address. */
function isView(left: TemplatePoint, right: TemplatePoint): boolean {
	const isSameRange = left.address === right.address && left.count === right.count;
	if (!isSameRange || left.byteOrder !== right.byteOrder) return false;
	return (
		(left.type === 'bits' && (right.type === 'bits' || integerTypes.has(right.type))) ||
		(right.type === 'bits' && integerTypes.has(left.type))
	);
}

const rangeOf = ({ key, type, address, count }: TemplatePoint): string =>
	`${key} (${type}, ${address} to ${address + count - 1})`;

/** Names for each point at most one other it collides with, so that a file of copies stays readable. */
function overlaps(placed: readonly PlacedPoint[]): readonly SettingsMistake[] {
	const sorted = placed.toSorted(
		(left, right) =>
			left.point.functionCode - right.point.functionCode ||
			left.point.address - right.point.address ||
			left.index - right.index,
	);
	return sorted.flatMap(({ index, point }, place) => {
		for (let other = place - 1; other >= 0; other--) {
			const before = sorted[other]?.point;
			if (before === undefined || before.functionCode !== point.functionCode) break;
			if (before.address + MAX_REGISTERS <= point.address) break;
			if (before.address + before.count <= point.address || isView(before, point)) continue;
			return [{ path: `points[${index}].address`, message: `${rangeOf(point)} overlaps ${rangeOf(before)}` }];
		}
		return [];
	});
}

/** Everything that is wrong with points that each kept the form: alone, and beside each other. */
export const ruleMistakes = (placed: readonly PlacedPoint[]): readonly SettingsMistake[] => [
	...placed.flatMap(mistakesOfPoint),
	...repeatedKeys(placed),
	...overlaps(placed),
];
