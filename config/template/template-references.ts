import type { TemplateOption } from '../connection/connection.ts';
import type { SettingsMistake } from '../settings-fault.ts';
import type { PlacedPoint } from './point-neighbours.ts';
import type { PointGroup, TemplatePoint, TemplateVariable } from './template.ts';

/** What points refer to outside of themselves. */
export interface TemplateNames {
	readonly options?: readonly TemplateVariable[];
	readonly groups?: readonly PointGroup[];
}

const typeNames = { boolean: 'boolean', number: 'number', text: 'string' } as const;

/** Whether an option can have a value. */
export function isOptionValue({ type, choices }: TemplateVariable, value: TemplateOption['value']): boolean {
	return typeof value === typeNames[type] && (choices?.some((choice) => choice.value === value) ?? true);
}

/** What an option may hold, in words. */
export const optionSentence = ({ type, choices }: TemplateVariable): string =>
	choices === undefined ? `a ${type}` : `one of ${choices.map(({ value }) => JSON.stringify(value)).join(', ')}`;

const optionMistakes = (options: readonly TemplateVariable[]): readonly SettingsMistake[] =>
	options.flatMap((option, index) => {
		const wrong = (option.choices ?? []).find(({ value }) => typeof value !== typeNames[option.type]);
		if (wrong !== undefined)
			return [
				{
					path: `options[${index}].choices`,
					message: `must be of type ${option.type}; found ${JSON.stringify(wrong.value)}`,
				},
			];
		if (isOptionValue(option, option.default)) return [];
		const message = `must be ${optionSentence(option)}; found ${JSON.stringify(option.default)}`;
		return [{ path: `options[${index}].default`, message }];
	});

function conditionMistakes(
	{ index, point }: PlacedPoint,
	options: readonly TemplateVariable[],
): readonly SettingsMistake[] {
	return (point.when ?? []).flatMap(({ option: name, is }, place) => {
		const path = `points[${index}].when[${place}]`;
		const option = options.find((each) => each.name === name);
		if (option === undefined)
			return [{ path: `${path}.option`, message: `must be an option of the template; found ${name}` }];
		const wrong = is.find((value) => !isOptionValue(option, value));
		if (wrong === undefined) return [];
		return [{ path: `${path}.is`, message: `must be ${optionSentence(option)}; found ${JSON.stringify(wrong)}` }];
	});
}

/** SunSpec: an exponent is a signed register. */
const isFactor = ({ type, functionCode, scaleFactor, access }: TemplatePoint): boolean =>
	type === 'int16' && functionCode > 2 && scaleFactor === undefined && access !== 'w';

function factorMistakes(
	{ index, point }: PlacedPoint,
	byKey: ReadonlyMap<string, TemplatePoint>,
): readonly SettingsMistake[] {
	if (point.scaleFactor === undefined) return [];
	const factor = byKey.get(point.scaleFactor);
	if (factor !== undefined && isFactor(factor)) return [];
	const message = `must be the key of a point of type int16 that can be read; found ${point.scaleFactor}`;
	return [{ path: `points[${index}].scale_factor`, message }];
}

function groupMistakes({ index, point }: PlacedPoint, groups: readonly PointGroup[]): readonly SettingsMistake[] {
	if (point.group === undefined || groups.some(({ key }) => key === point.group)) return [];
	return [{ path: `points[${index}].group`, message: `must be a group of the template; found ${point.group}` }];
}

/** Names that stand for nothing: scale factors, options and groups that the template does not have. */
export function referenceMistakes(
	{ options = [], groups = [] }: TemplateNames,
	placed: readonly PlacedPoint[],
): readonly SettingsMistake[] {
	const byKey = new Map(placed.map(({ point }) => [point.key, point]));
	return [
		...optionMistakes(options),
		...placed.flatMap((each) => [
			...conditionMistakes(each, options),
			...factorMistakes(each, byKey),
			...groupMistakes(each, groups),
		]),
	];
}
