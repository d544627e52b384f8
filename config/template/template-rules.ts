import type { SettingsMistake } from '../settings-fault.ts';
import { overlaps, type PlacedPoint, repeatedKeys } from './point-neighbours.ts';
import { factsOfType, hasBits, isNumeric, isScalable, orderLengths } from './register-types.ts';
import type { ReadFunction, TemplatePoint } from './template.ts';
import { valueMistake } from './write-rules.ts';

/** Addresses of a function: 0 to 65535. */
const ADDRESS_COUNT = 65_536;
/** What one read may carry (Modbus Application Protocol 1.1b3, 6.1 and 6.3); a point has to fit into one. */
const MAX_REGISTERS = 125;

const isBit = (functionCode: ReadFunction): boolean => functionCode <= 2;

/** One rule: the member it looks at, whether a point breaks it, and the sentence. */
interface PointRule {
	readonly member: string;
	readonly isBroken: (point: TemplatePoint) => boolean;
	readonly sentence: (point: TemplatePoint) => string;
}

const countsOf = ({ type }: TemplatePoint): readonly number[] | null => factsOfType(type).counts;

const hasWrongCount = (point: TemplatePoint): boolean => countsOf(point)?.includes(point.count) === false;

const isPattern = (hex: string, registers: number): boolean => hex.length === 4 * registers && /^[0-9a-f]*$/i.test(hex);

const bitCount = ({ count }: TemplatePoint): number => 16 * count;

/** The rule of a member that not every type takes: its name in the file and here, for which points it is, and what the others lack. */
const onlyFor = (
	[member, name]: readonly [member: string, name: keyof TemplatePoint],
	isFor: (point: TemplatePoint) => boolean,
	lack: string,
): readonly PointRule[] => [
	{
		member,
		isBroken: (point) => point[name] !== undefined && !isFor(point),
		sentence: ({ type }) => `type ${type} ${lack}`,
	},
];

/** A safe value has to be one that may be written. */
const revertMistake = (point: TemplatePoint): string | null =>
	point.write?.revert === undefined ? null : valueMistake(point, point.write.revert.value);

const unknownTexts = ({ enum: texts, enumLabels }: TemplatePoint): readonly string[] =>
	[...Object.keys(enumLabels?.ko ?? {}), ...Object.keys(enumLabels?.tr ?? {})].filter(
		(number) => texts === null || !Object.hasOwn(texts, number),
	);

/** Functions that can write what is read so. */
function writeFunctions(functionCode: ReadFunction, count: number): readonly number[] {
	if (isBit(functionCode)) return [5, 15];
	return count === 1 ? [6, 16, 22, 23] : [16, 23];
}

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
		isBroken: (point) => !hasWrongCount(point) && !orderLengths(point).includes(point.byteOrder.length),
		sentence: (point) =>
			`must order ${orderLengths(point).join(' or ')} bytes for type ${point.type}; found ${point.byteOrder}`,
	},
	{
		member: 'scale',
		isBroken: ({ scale }) => scale === 0,
		sentence: () => 'must not be 0: every value would be the offset',
	},
	{
		member: 'scale',
		isBroken: ({ type, scale, offset }) => !isScalable(type) && (scale !== 1 || offset !== 0),
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
		isBroken: ({ type, enum: texts }) => factsOfType(type).nature === 'text' && texts !== null,
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
		member: 'bit',
		isBroken: ({ type, bit }) => (type === 'bit') !== (bit !== undefined),
		sentence: ({ type }) => `type bit says which bit, and no other type does; found type ${type}`,
	},
	{
		member: 'slice',
		isBroken: ({ type, slice }) => slice !== undefined && !hasBits(type),
		sentence: ({ type }) => `type ${type} has no bits to take a part of`,
	},
	{
		member: 'slice',
		isBroken: (point) => point.slice !== undefined && point.slice.first + point.slice.count > bitCount(point),
		sentence: (point) => `bits 0 to ${bitCount(point) - 1} exist; found ${JSON.stringify(point.slice)}`,
	},
	{
		member: 'mask',
		isBroken: ({ type, mask }) => mask !== undefined && !hasBits(type),
		sentence: ({ type }) => `type ${type} has no bits to mask`,
	},
	{
		member: 'mask',
		isBroken: ({ type, count, mask }) => mask !== undefined && hasBits(type) && !isPattern(mask, count),
		sentence: ({ count, mask }) => `${count} registers are ${4 * count} hex digits; found ${mask}`,
	},
	...onlyFor(['scale_factor', 'scaleFactor'], ({ type }) => isScalable(type), 'takes no scale factor'),
	...onlyFor(['precision', 'precision'], ({ type }) => isScalable(type), 'has no decimals'),
	...onlyFor(['zone', 'zone'], ({ type }) => type.startsWith('time_'), 'is no time'),
	...onlyFor(['max_step', 'maxStep'], ({ type }) => isNumeric(type), 'takes no steps'),
	{
		member: 'kind',
		isBroken: ({ kind, turnsAt, resets }) => kind !== 'counter' && (turnsAt !== undefined || resets !== undefined),
		sentence: ({ kind }) => `only a counter turns or resets; found ${kind}`,
	},
	{
		member: 'enum_labels',
		isBroken: (point) => unknownTexts(point).length > 0,
		sentence: (point) => `must translate texts of enum; found ${unknownTexts(point).join(', ')}`,
	},
	{
		member: 'write',
		isBroken: ({ access, write }) => write !== undefined && access === 'r',
		sentence: () => 'a point that is only read has no write rule',
	},
	{
		member: 'write.function',
		isBroken: ({ functionCode, count, write }) =>
			write?.function !== undefined && !writeFunctions(functionCode, count).includes(write.function),
		sentence: ({ functionCode, count, write }) =>
			`must be ${writeFunctions(functionCode, count).join(', ')} for ${count} of function ${functionCode}; found ${write?.function}`,
	},
	{
		member: 'write.verify',
		isBroken: ({ access, write }) => write?.verify === true && access === 'w',
		sentence: () => 'a point that is only written cannot be read back',
	},
	{
		member: 'write.revert.value',
		isBroken: (point) => revertMistake(point) !== null,
		sentence: (point) => revertMistake(point) ?? '',
	},
	{
		member: 'write.address',
		isBroken: ({ count, write }) => (write?.address ?? 0) + count > ADDRESS_COUNT,
		sentence: ({ count, write }) =>
			`the last address is ${ADDRESS_COUNT - 1}; ${count} from ${write?.address} go beyond`,
	},
	{
		member: 'write.min',
		isBroken: ({ write }) => (write?.min ?? 0) > (write?.max ?? Number.POSITIVE_INFINITY) && write?.min !== undefined,
		sentence: ({ write }) => `must not be above max; found ${write?.min} above ${write?.max}`,
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

const mistakesOfPoint = ({ index, point }: PlacedPoint): readonly SettingsMistake[] =>
	pointRules
		.filter((rule) => rule.isBroken(point))
		.map((rule) => ({ path: `points[${index}].${rule.member}`, message: rule.sentence(point) }));

/** What is wrong with points wherever they are: alone, and in their names. */
export const pointMistakes = (placed: readonly PlacedPoint[]): readonly SettingsMistake[] => [
	...placed.flatMap(mistakesOfPoint),
	...repeatedKeys(placed),
];

/** Everything that is wrong with points that each kept the form: alone, and beside each other. */
export const ruleMistakes = (placed: readonly PlacedPoint[]): readonly SettingsMistake[] => [
	...pointMistakes(placed),
	...overlaps(placed),
];
