import { factsOfType, isNumeric, isScalable, isWhole } from './register-types.ts';
import type { DeviceTemplate, RegisterType, TemplatePoint } from './template.ts';

/** The first rule that a write breaks: the member of the write, and the sentence. */
export interface WriteMistake {
	readonly member: 'point' | 'value';
	readonly sentence: string;
}

/** What to write where. */
export interface PointWrite {
	readonly point: unknown;
	readonly value: unknown;
}

const WIDE: ReadonlySet<RegisterType> = new Set(['int64', 'uint64', 'bcd64', 'bits']);

/** A number of 64 bits beyond 2^53 is written as text, as it is read. */
const WHOLE = /^-?\d{1,40}$/;

/** The number a value stands for; `null` when it is none that this type takes. */
export function numberOf(type: RegisterType, value: unknown): number | bigint | null {
	if (typeof value === 'number') return Number.isFinite(value) ? value : null;
	return typeof value === 'string' && WIDE.has(type) && WHOLE.test(value) ? BigInt(value) : null;
}

const shown = (value: unknown): string => {
	const text = JSON.stringify(value) ?? 'nothing';
	return text.length > 60 ? `${text.slice(0, 60)}...` : text;
};

const textsOf = (texts: Readonly<Record<string, string>>): string =>
	Object.entries(texts)
		.map(([number, text]) => `${number} (${text})`)
		.join(', ');

/** One rule: whether a value breaks it, and what it should be. */
interface ValueRule {
	readonly isBroken: (point: TemplatePoint, value: unknown) => boolean;
	readonly must: (point: TemplatePoint) => string;
}

function isOutside({ type, min, max }: TemplatePoint, value: unknown): boolean {
	const number = numberOf(type, value) ?? 0;
	return number < (min ?? Number.NEGATIVE_INFINITY) || number > (max ?? Number.POSITIVE_INFINITY);
}

const rangeText = ({ min, max, unit }: TemplatePoint): string =>
	`${[min === null ? '' : `at least ${min}`, max === null ? '' : `at most ${max}`].filter((text) => text !== '').join(' and ')} ${unit}`.trimEnd();

const valueRules: readonly ValueRule[] = [
	{
		isBroken: ({ type }, value) => factsOfType(type).nature === 'truth' && typeof value !== 'boolean',
		must: () => 'be true or false',
	},
	{
		isBroken: ({ type }, value) => factsOfType(type).nature === 'text' && typeof value !== 'string',
		must: () => 'be a text',
	},
	{
		isBroken: (point, value) => isNumeric(point.type) && numberOf(point.type, value) === null,
		must: () => 'be a number',
	},
	{
		isBroken: (point, value) =>
			isWhole(point.type) &&
			point.scaleFactor === undefined &&
			point.scale === 1 &&
			point.offset === 0 &&
			typeof value === 'number' &&
			!Number.isSafeInteger(value),
		must: ({ type }) => `be a whole number${WIDE.has(type) ? ' (beyond 2^53 as text)' : ''}`,
	},
	{
		isBroken: ({ type, enum: texts }, value) =>
			texts !== null && isScalable(type) && !Object.hasOwn(texts, String(value)),
		must: ({ enum: texts }) => `be one of ${textsOf(texts ?? {})}`,
	},
	{
		isBroken: (point, value) => isNumeric(point.type) && isOutside(point, value),
		must: (point) => `be ${rangeText(point)}`,
	},
];

/** The point that a write names; or why nothing can be written there. */
export function writablePoint(template: DeviceTemplate, key: unknown): TemplatePoint | WriteMistake {
	const point = template.points.find((each) => each.key === key);
	if (point === undefined)
		return { member: 'point', sentence: `must be a point of template ${template.key}; found ${shown(key)}` };
	const isReadOnlyTable = point.functionCode === 2 || point.functionCode === 4;
	if (point.access === 'r' || isReadOnlyTable)
		return { member: 'point', sentence: `must be a point that can be written; ${point.key} can only be read` };
	return point;
}

/** What is wrong with a write, as far as the template tells; `null` when nothing is. */
export function writeMistake(template: DeviceTemplate, { point: key, value }: PointWrite): WriteMistake | null {
	const point = writablePoint(template, key);
	if ('sentence' in point) return point;
	const broken = valueRules.find(({ isBroken }) => isBroken(point, value));
	if (broken === undefined) return null;
	return { member: 'value', sentence: `must ${broken.must(point)} for point ${point.key}; found ${shown(value)}` };
}
