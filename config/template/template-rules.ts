import type { SettingsMistake } from '../settings-fault.ts';
import { factsOfType, isNumeric, isScalable, isWhole, orderLengths } from './register-types.ts';
import type { ReadFunction, RegisterType, TemplatePoint } from './template.ts';

/** Addresses of a function: 0 to 65535. */
const ADDRESS_COUNT = 65_536;
/** What one read may carry (Modbus Application Protocol 1.1b3, 6.1 and 6.3); a point has to fit into one. */
const MAX_REGISTERS = 125;

const isBit = (functionCode: ReadFunction): boolean => functionCode <= 2;

/** Types that are a part of a register, and may share it. */
const PART_TYPES: ReadonlySet<RegisterType> = new Set(['bit', 'int8h', 'int8l', 'uint8h', 'uint8l']);

const isRegisterNumber = ({ type }: TemplatePoint): boolean => type === 'bit' || isWhole(type);

/** Points with one key that exclude each other; more are compared with the last ones only. */
const MAX_VARIANTS = 20;

/** One rule: the member it looks at, whether a point breaks it, and the sentence. */
interface PointRule {
	readonly member: string;
	readonly isBroken: (point: TemplatePoint) => boolean;
	readonly sentence: (point: TemplatePoint) => string;
}

const countsOf = ({ type }: TemplatePoint): readonly number[] | null => factsOfType(type).counts;

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
	const known = new Map<string, PlacedPoint[]>();
	const mistakes: SettingsMistake[] = [];
	for (const { index, point } of placed) {
		const same = known.get(point.key) ?? [];
		const first = same.find((other) => !areExclusive(other.point, point));
		if (first !== undefined)
			mistakes.push({
				path: `points[${index}].key`,
				message: `must be unique; ${point.key} is also points[${first.index}]`,
			});
		known.set(point.key, [...same.slice(0, MAX_VARIANTS), { index, point }]);
	}
	return mistakes;
}

const isPart = ({ type, slice, mask }: TemplatePoint): boolean =>
	PART_TYPES.has(type) || slice !== undefined || mask !== undefined;

const isWithin = (inner: TemplatePoint, outer: TemplatePoint): boolean =>
	inner.address >= outer.address && inner.address + inner.count <= outer.address + outer.count;

/**
 * The same registers may be seen as a number and as parts of it: bits, halves, slices; every other sharing is a slip of the address.
 */
function isView(left: TemplatePoint, right: TemplatePoint): boolean {
	if (!isRegisterNumber(left) || !isRegisterNumber(right)) return false;
	const isSameRange = left.address === right.address && left.count === right.count;
	if (isSameRange && left.byteOrder !== right.byteOrder) return false;
	if (isSameRange && (left.type === 'bits' || right.type === 'bits')) return true;
	return (isPart(left) && isWithin(left, right)) || (isPart(right) && isWithin(right, left));
}

/** Whether no device can have both: their conditions name the same option with other values. */
const areExclusive = ({ when: left = [] }: TemplatePoint, { when: right = [] }: TemplatePoint): boolean =>
	left.some(({ option, is }) =>
		right.some((other) => other.option === option && !other.is.some((v) => is.includes(v))),
	);

/** A point that is read only when somebody asks is read alone; some devices answer such a read from another place. */
const isReadAlone = ({ poll }: TemplatePoint): boolean => poll === 'on-demand';

const maySharePlace = (left: TemplatePoint, right: TemplatePoint): boolean =>
	isView(left, right) || areExclusive(left, right) || isReadAlone(left) || isReadAlone(right);

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
			if (before.address + before.count <= point.address || maySharePlace(before, point)) continue;
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
