import type { PointOverride, PollClass, TemplateOption } from '../connection/connection.ts';
import { isNumeric, isScalable } from './register-types.ts';
import { isOptionValue, optionSentence } from './template-references.ts';
import type { SettingsMistake } from '../settings-fault.ts';
import type { DeviceTemplate, PointCondition, TemplatePoint, TemplateVariable } from './template.ts';

/** What a device says above its template. */
export interface DeviceLayer {
	readonly options?: readonly TemplateOption[];
	readonly overrides?: readonly PointOverride[];
}

/** The value an option has at a device: its own choice where the template knows it, else the default of the template. */
function valueOf(option: TemplateVariable, chosen: readonly TemplateOption[]): TemplateOption['value'] {
	const own = chosen.find(({ name }) => name === option.name)?.value;
	return own !== undefined && isOptionValue(option, own) ? own : option.default;
}

/** Whether a point exists at a device with these options. A condition on an option the template does not have never holds. */
function exists(conditions: readonly PointCondition[], values: ReadonlyMap<string, TemplateOption['value']>): boolean {
	return conditions.every(({ option, is }) => {
		const value = values.get(option);
		return value !== undefined && is.includes(value);
	});
}

/** A name that the device gives is its name in every language. */
function overridden(point: TemplatePoint, override: PointOverride): TemplatePoint {
	const { point: key, read, ...changes } = override;
	const { labels, ...unlabelled } = point;
	const kept = labels === undefined || changes.name !== undefined ? unlabelled : point;
	return { ...kept, ...changes, key, ...(read === false ? { poll: 'on-demand' as const } : {}) };
}

/** How often a point is read; a setting that says nothing of it more seldom than what is slow. */
type Rate = PollClass | 'setting';

/** From the seldom to the often read; points that nobody asked for regularly are before all. */
const byRate: readonly Rate[] = ['on-demand', 'once', 'setting', 'slow', 'normal', 'fast'];

const rateOf = ({ poll, kind }: TemplatePoint): Rate => poll ?? (kind === 'setting' ? 'setting' : 'normal');

const faster = (one: Rate, other: Rate): Rate => (byRate.indexOf(one) >= byRate.indexOf(other) ? one : other);

/** A scale factor is read at least as often as the values it is for, so that none of them is read with one that is out of date. */
function withFactors(points: readonly TemplatePoint[]): readonly TemplatePoint[] {
	const needed = new Map<string, Rate>();
	for (const point of points) {
		const { scaleFactor } = point;
		if (scaleFactor !== undefined)
			needed.set(scaleFactor, faster(rateOf(point), needed.get(scaleFactor) ?? 'on-demand'));
	}
	if (needed.size === 0) return points;
	return points.map((point) => {
		const own = rateOf(point);
		const rate = faster(own, needed.get(point.key) ?? own);
		// The rate of settings has no name of its own: the next one does.
		return rate === own ? point : { ...point, poll: rate === 'setting' ? 'slow' : rate };
	});
}

/**
 * The template as the driver of one device reads it: with the points that exist at a device with these options, and with what the device
 * itself says of them. A point that the device leaves out is read on demand only. Pure.
 *
 * @param template of the product or of the site, as it was parsed
 * @param device options and overrides of the connection; one for an option or a point that does not exist has no effect
 */
export function layeredTemplate(
	template: DeviceTemplate,
	{ options = [], overrides = [] }: DeviceLayer,
): DeviceTemplate {
	const values = new Map((template.options ?? []).map((option) => [option.name, valueOf(option, options)]));
	const overrideOf = new Map(overrides.map((override) => [override.point, override]));
	const points = template.points
		.filter(({ when = [] }) => exists(when, values))
		.map((point) => {
			const override = overrideOf.get(point.key);
			return override === undefined ? point : overridden(point, override);
		});
	return { ...template, points: withFactors(points) };
}

/** What is wrong with what a device says of a point: the member and the sentence; `null`: nothing. */
type OverrideRule = (
	point: TemplatePoint,
	override: PointOverride,
) => readonly [member: string, sentence: string] | null;

const isUnscaled: OverrideRule = ({ type }, { scale, offset }) => {
	const given = scale ?? offset;
	if (given === undefined || isScalable(type)) return null;
	return [scale === undefined ? 'offset' : 'scale', `type ${type} takes no scale or offset; found ${given}`];
};

const isUnlimited: OverrideRule = ({ type }, { min, max }) => {
	const given = min ?? max;
	if (given === undefined || isNumeric(type)) return null;
	return [min === undefined ? 'max' : 'min', `type ${type} takes no min or max; found ${given}`];
};

const isUpsideDown: OverrideRule = (point, { min = point.min, max = point.max }) =>
	min === null || max === null || min <= max ? null : ['min', `must not be above max; found ${min} above ${max}`];

const overrideRules: readonly OverrideRule[] = [isUnscaled, isUnlimited, isUpsideDown];

/** What a device says that its template does not know or cannot have: options, their values, points. Paths as in the connection. */
export function layerMistakes(
	template: DeviceTemplate,
	{ options = [], overrides = [] }: DeviceLayer,
): readonly SettingsMistake[] {
	const known = template.options ?? [];
	const points = new Map(template.points.map((point) => [point.key, point]));
	return [
		...options.flatMap(({ name, value }, index) => {
			const option = known.find((each) => each.name === name);
			if (option === undefined)
				return [{ path: `options[${index}].name`, message: `must be an option of ${template.key}; found ${name}` }];
			if (isOptionValue(option, value)) return [];
			const message = `must be ${optionSentence(option)}; found ${JSON.stringify(value)}`;
			return [{ path: `options[${index}].value`, message }];
		}),
		...overrides.flatMap((override, index) => {
			const point = points.get(override.point);
			const at = `overrides[${index}]`;
			if (point === undefined)
				return [{ path: `${at}.point`, message: `must be a point of ${template.key}; found ${override.point}` }];
			return overrideRules.flatMap((rule) => {
				const [member, message] = rule(point, override) ?? [];
				return member === undefined || message === undefined ? [] : [{ path: `${at}.${member}`, message }];
			});
		}),
	];
}
