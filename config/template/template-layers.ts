import type { PointOverride, TemplateOption } from '../connection/connection.ts';
import type { DeviceTemplate, PointCondition, TemplateDocument, TemplatePoint, TemplateVariable } from './template.ts';

/** What one point of a site's template changes; a key the base does not have is a new point and complete. */
export type PointChange = Pick<TemplatePoint, 'key'> & Partial<TemplatePoint>;

/** A template made at the site: what it changes in the one it extends. */
export interface SiteLayer extends Partial<Omit<TemplateDocument, 'key' | 'points' | 'extends'>> {
	readonly key: string;
	/** Key of the template it changes. */
	readonly extends: string;
	readonly points: readonly PointChange[];
	/** Keys of points that are left out. */
	readonly omit: readonly string[];
}

/** What a device says above its template. */
export interface DeviceLayer {
	readonly options?: readonly TemplateOption[];
	readonly overrides?: readonly PointOverride[];
}

/** The value an option has at a device: its own choice, else the default of the template. */
const valueOf = ({ name, default: usual }: TemplateVariable, chosen: readonly TemplateOption[]) =>
	chosen.find((option) => option.name === name)?.value ?? usual;

/** Whether a point exists at a device with these options. A condition on an option the template does not have never holds. */
function exists(conditions: readonly PointCondition[], values: ReadonlyMap<string, TemplateOption['value']>): boolean {
	return conditions.every(({ option, is }) => {
		const value = values.get(option);
		return value !== undefined && is.includes(value);
	});
}

function overridden(point: TemplatePoint, override: PointOverride): TemplatePoint {
	const { point: key, read, ...changes } = override;
	return { ...point, ...changes, key, ...(read === false ? { poll: 'on-demand' as const } : {}) };
}

const changed = (point: TemplatePoint, change: PointChange | undefined): TemplatePoint =>
	change === undefined ? point : { ...point, ...change };

/**
 * The template as the driver of one device reads it: the product's file, what the site changed, and what the device itself says.
 * Points whose condition does not hold are not in it; points that the device leaves out are read on demand only. Pure.
 *
 * @param base the template of the product, or one that was read whole
 * @param site what the site changes in it; `null`: nothing
 * @param device options and overrides of the connection; an override of a point that does not exist has no effect
 */
export function layeredTemplate(base: DeviceTemplate, site: SiteLayer | null, device: DeviceLayer): DeviceTemplate {
	const { options: chosen = [], overrides = [] } = device;
	const template = site === null ? base : withSite(base, site);
	const values = new Map((template.options ?? []).map((option) => [option.name, valueOf(option, chosen)]));
	const overrideOf = new Map(overrides.map((override) => [override.point, override]));
	const points = template.points
		.filter(({ when = [] }) => exists(when, values))
		.map((point) => {
			const override = overrideOf.get(point.key);
			return override === undefined ? point : overridden(point, override);
		});
	return { ...template, points };
}

const isWhole = (change: PointChange): change is TemplatePoint => change.type !== undefined;

/** The base with the changes of the site in their places and new points behind. */
export function withSite<Base extends DeviceTemplate>(base: Base, site: SiteLayer): Base {
	const { omit, points: changes, ...header } = site;
	const changeOf = new Map(changes.map((change) => [change.key, change]));
	const known = new Set(base.points.map(({ key }) => key));
	const points = [
		...base.points.filter(({ key }) => !omit.includes(key)).map((point) => changed(point, changeOf.get(point.key))),
		...changes.filter((change): change is TemplatePoint => !known.has(change.key) && isWhole(change)),
	];
	return { ...base, ...header, points };
}
