import { isTree } from '../tree.ts';
import { factsOfType, isNumeric, isScalable, isWhole } from './register-types.ts';
import type { DeviceTemplate, RegisterType, TemplatePoint } from './template.ts';

/** The first rule that a write breaks: the member of the payload, e.g. `value` or `points[2].value`, and the sentence. */
export interface WriteMistake {
	readonly member: string;
	readonly sentence: string;
}

/** What to write where. */
export interface PointWrite {
	readonly point: unknown;
	readonly value: unknown;
}

/** A write, and where it stands in the payload: before its members, empty or `points[2].`. */
export interface PlacedWrite extends PointWrite {
	readonly place: string;
}

/** Most points that one command writes. */
export const MAX_WRITES = 50;

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

/** The limits of what may be written: those of the write rule before those of what may be read. */
const rangeOf = ({ min, max, write }: TemplatePoint) => ({ min: write?.min ?? min, max: write?.max ?? max });

const textsOf = (texts: Readonly<Record<string, string>>): string =>
	Object.entries(texts)
		.map(([number, text]) => `${number} (${text})`)
		.join(', ');

/** One rule: whether a value breaks it, and what it should be. */
interface ValueRule {
	readonly isBroken: (point: TemplatePoint, value: unknown) => boolean;
	readonly must: (point: TemplatePoint) => string;
}

function isOutside(point: TemplatePoint, value: unknown): boolean {
	const { min, max } = rangeOf(point);
	const number = numberOf(point.type, value) ?? 0;
	return number < (min ?? Number.NEGATIVE_INFINITY) || number > (max ?? Number.POSITIVE_INFINITY);
}

function rangeText(point: TemplatePoint): string {
	const { min, max } = rangeOf(point);
	const limits = [min === null ? '' : `at least ${min}`, max === null ? '' : `at most ${max}`];
	return `${limits.filter((text) => text !== '').join(' and ')} ${point.unit}`.trimEnd();
}

/** Share of a step by which decimals, as computers hold them, may miss it. */
const STEP_TOLERANCE = 1e-6;

/** Whether a value lies between two steps, which are counted from the least value of the write rule. */
function isBetweenSteps({ type, write }: TemplatePoint, value: unknown): boolean {
	const { step, min = 0 } = write ?? {};
	if (step === undefined) return false;
	const number = numberOf(type, value) ?? 0;
	if (typeof number === 'bigint' && Number.isSafeInteger(step) && Number.isSafeInteger(min))
		return (number - BigInt(min)) % BigInt(step) !== 0n;
	const steps = (Number(number) - min) / step;
	return Math.abs(steps - Math.round(steps)) > STEP_TOLERANCE;
}

const stepText = ({ write }: TemplatePoint): string => `in steps of ${write?.step} from ${write?.min ?? 0}`;

const valueRules: readonly ValueRule[] = [
	{
		isBroken: ({ type }, value) => factsOfType(type).nature === 'truth' && typeof value !== 'boolean',
		must: () => 'be true or false',
	},
	{
		isBroken: ({ type }, value) => factsOfType(type).nature === 'text' && typeof value !== 'string',
		must: () => 'be a text',
	},
	// Before the others: it says what there is to choose from, also to who wrote a text.
	{
		isBroken: ({ type, enum: texts }, value) =>
			texts !== null && isScalable(type) && !Object.hasOwn(texts, String(value)),
		must: ({ enum: texts }) => `be one of ${textsOf(texts ?? {})}`,
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
		isBroken: (point, value) => isNumeric(point.type) && isOutside(point, value),
		must: (point) => `be ${rangeText(point)}`,
	},
	{
		isBroken: (point, value) => isNumeric(point.type) && isBetweenSteps(point, value),
		must: (point) => `be ${stepText(point)}`,
	},
];

/** The point that a write names; or why nothing can be written there. */
export function writablePoint(template: DeviceTemplate, key: unknown): TemplatePoint | WriteMistake {
	const point = template.points.find((each) => each.key === key);
	if (point === undefined)
		return { member: 'point', sentence: `must be a point of template ${template.key}; found ${shown(key)}` };
	const isReadOnlyTable = (point.functionCode === 2 || point.functionCode === 4) && point.write?.address === undefined;
	if (point.access === 'r' || isReadOnlyTable)
		return { member: 'point', sentence: `must be a point that can be written; ${point.key} can only be read` };
	return point;
}

/** Why a point does not take a value, as far as the template tells; `null` when it does. */
export function valueMistake(point: TemplatePoint, value: unknown): string | null {
	const broken = valueRules.find(({ isBroken }) => isBroken(point, value));
	return broken === undefined ? null : `must ${broken.must(point)} for point ${point.key}; found ${shown(value)}`;
}

/** What is wrong with a write, as far as the template tells; `null` when nothing is. */
export function writeMistake(template: DeviceTemplate, { point: key, value }: PointWrite): WriteMistake | null {
	const point = writablePoint(template, key);
	if ('sentence' in point) return point;
	const sentence = valueMistake(point, value);
	return sentence === null ? null : { member: 'value', sentence };
}

function listed(points: unknown): readonly PlacedWrite[] | WriteMistake {
	if (!Array.isArray(points) || points.length === 0 || points.length > MAX_WRITES)
		return {
			member: 'points',
			sentence: `must be a list of 1 to ${MAX_WRITES} {point, value}; found ${shown(points)}`,
		};
	const writes: PlacedWrite[] = [];
	for (const [index, each] of points.entries()) {
		const member = `points[${index}]`;
		if (!isTree(each)) return { member, sentence: `must be {point, value}; found ${shown(each)}` };
		const { point = null, value = null } = each;
		const first = writes.findIndex((other) => other.point === point);
		if (first !== -1)
			return {
				member: `${member}.point`,
				sentence: `must stand there once; ${shown(point)} is also points[${first}]`,
			};
		writes.push({ point, value, place: `${member}.` });
	}
	return writes;
}

/** What a payload writes: `{point, value}`, or `{points: [{point, value}, ...]}` for several; or why it says nothing. */
export function writesOf(payload: Readonly<Record<string, unknown>>): readonly PlacedWrite[] | WriteMistake {
	const { points, point = null, value = null } = payload;
	if (points === undefined) return [{ point, value, place: '' }];
	const beside = ['point', 'value'].find((member) => payload[member] !== undefined);
	if (beside === undefined) return listed(points);
	return { member: beside, sentence: `must not stand beside points; found ${shown(payload[beside])}` };
}

/** What is wrong with the payload of a write, as far as the template tells; `null` when nothing is. */
export function payloadMistake(
	template: DeviceTemplate,
	payload: Readonly<Record<string, unknown>>,
): WriteMistake | null {
	const writes = writesOf(payload);
	if ('sentence' in writes) return writes;
	for (const write of writes) {
		const mistake = writeMistake(template, write);
		if (mistake !== null) return { member: `${write.place}${mistake.member}`, sentence: mistake.sentence };
	}
	return null;
}
