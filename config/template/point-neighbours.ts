import type { SettingsMistake } from '../settings-fault.ts';
import { isWhole } from './register-types.ts';
import type { RegisterType, TemplatePoint } from './template.ts';

/** The widest point: what one read carries (Modbus Application Protocol 1.1b3, 6.3). */
const MAX_REGISTERS = 125;

/** Types that are a part of a register, and may share it. */
const PART_TYPES: ReadonlySet<RegisterType> = new Set(['bit', 'int8h', 'int8l', 'uint8h', 'uint8l']);

const isRegisterNumber = ({ type }: TemplatePoint): boolean => type === 'bit' || isWhole(type);

/** Points with one key that exclude each other; more are compared with the last ones only. */
const MAX_VARIANTS = 20;

/** Points that one point may share registers with; more are compared with the last ones only. */
const MAX_SHARING = 200;

/** A point that kept the form, and its place in the file. */
export interface PlacedPoint {
	readonly index: number;
	readonly point: TemplatePoint;
}

/** Keys that stand for two points of one device. */
export function repeatedKeys(placed: readonly PlacedPoint[]): readonly SettingsMistake[] {
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
	isReadAlone(left) || isReadAlone(right) || isView(left, right) || areExclusive(left, right);

const rangeOf = ({ key, type, address, count }: TemplatePoint): string =>
	`${key} (${type}, ${address} to ${address + count - 1})`;

/** Names for each point at most one other it collides with, so that a file of copies stays readable. */
export function overlaps(placed: readonly PlacedPoint[]): readonly SettingsMistake[] {
	const sorted = placed.toSorted(
		(left, right) =>
			left.point.functionCode - right.point.functionCode ||
			left.point.address - right.point.address ||
			left.index - right.index,
	);
	return sorted.flatMap(({ index, point }, place) => {
		let sharing = 0;
		for (let other = place - 1; other >= 0 && sharing < MAX_SHARING; other--) {
			const before = sorted[other]?.point;
			if (before === undefined || before.functionCode !== point.functionCode) break;
			if (before.address + MAX_REGISTERS <= point.address) break;
			if (before.address + before.count <= point.address) continue;
			sharing += 1;
			if (maySharePlace(before, point)) continue;
			return [{ path: `points[${index}].address`, message: `${rangeOf(point)} overlaps ${rangeOf(before)}` }];
		}
		return [];
	});
}
