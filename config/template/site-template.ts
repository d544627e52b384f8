import Joi from 'joi';

import { SettingsFault, type SettingsMistake } from '../settings-fault.ts';
import { MAX_POINTS } from './template-form.ts';
import { templateFile } from './template-file.ts';
import type { TemplateDocument } from './template.ts';

const options: Joi.ValidationOptions = { abortEarly: false, convert: false, errors: { label: false } };

/** What only a template of the site has; the rest of it is looked at as part of the whole. */
interface SiteForm {
	readonly extends: string;
	/** Keys of points of the base that this site does not have. */
	readonly omit: readonly string[];
	readonly points: readonly { readonly key: string }[];
}

const siteSchema = Joi.object<SiteForm>({
	extends: Joi.string()
		.pattern(/^[a-z0-9][a-z0-9-]{0,63}$/)
		.required(),
	omit: Joi.array().items(Joi.string().max(128)).max(MAX_POINTS).default([]),
	points: Joi.array()
		.items(Joi.object({ key: Joi.string().required() }).unknown())
		.max(MAX_POINTS)
		.default([]),
})
	.unknown()
	.required();

/** A site's template with its base: one raw file, and where each of its points was written. */
export interface WholeFile {
	/** Key of the base. */
	readonly base: string;
	readonly raw: unknown;
	/** Index of a point in the site's own file; `null` for one of the base. */
	readonly indexOf: readonly (number | null)[];
}

/** Whether a raw template changes another one. */
export const isSiteTemplate = (raw: unknown): raw is object =>
	typeof raw === 'object' && raw !== null && 'extends' in raw;

const withoutBase = (own: object): object =>
	Object.fromEntries(Object.entries(own).filter(([name]) => name !== 'extends'));

const shown = (key: string): string => JSON.stringify(key.slice(0, 60));

function unknownOmitted({ omit }: SiteForm, base: TemplateDocument): readonly SettingsMistake[] {
	const keys = new Set(base.points.map(({ key }) => key));
	return omit.flatMap((key, index) =>
		keys.has(key) ? [] : [{ path: `omit[${index}]`, message: `must be a point of ${base.key}; found ${shown(key)}` }],
	);
}

/**
 * Lays the file of a site over the template it extends: members of the header replace those of the base, a point with a known key changes
 * that point member by member, other points come behind, those in `omit` go. Nothing of the outcome is checked yet.
 * @throws SettingsFault when the base is not there, or the file is not of this form
 */
export function wholeFile(raw: object, bases: ReadonlyMap<string, TemplateDocument>): WholeFile {
	const { value, error } = siteSchema.validate(raw, options);
	if (error !== undefined)
		throw new SettingsFault(error.details.map(({ path, message }) => ({ path: path.join('.'), message })));
	const base = bases.get(value.extends);
	if (base === undefined)
		throw new SettingsFault([
			{ path: 'extends', message: `must be an installed template; found ${shown(value.extends)}` },
		]);
	const mistakes = unknownOmitted(value, base);
	if (mistakes.length > 0) throw new SettingsFault(mistakes);
	const { points: ofBase, ...header } = templateFile(base);
	const { omit, points: changes, ...own } = value;
	const kept = ofBase.filter(({ key }) => !omit.includes(key));
	const known = new Set(kept.map(({ key }) => key));
	const changeAt = new Map(changes.map(({ key }, index) => [key, index]));
	const added = changes.flatMap((point, index) => (known.has(point.key) ? [] : [{ point, index }]));
	return {
		base: base.key,
		raw: {
			...header,
			...withoutBase(own),
			points: [
				...kept.map((point) => Object.assign({}, point, changes[changeAt.get(point.key) ?? -1])),
				...added.map(({ point }) => point),
			],
		},
		indexOf: [...kept.map(({ key }) => changeAt.get(key) ?? null), ...added.map(({ index }) => index)],
	};
}

const PLACE = /^points\[(\d+)\]/;

/** A mistake with the place it has in the site's own file. */
export function placedInSite({ path, message }: SettingsMistake, { indexOf, base }: WholeFile): SettingsMistake {
	const index = Number(PLACE.exec(path)?.[1] ?? Number.NaN);
	if (Number.isNaN(index)) return { path, message };
	const own = indexOf[index] ?? null;
	return own === null
		? { path: `extends.${path}`, message: `${message} (of ${base})` }
		: { path: path.replace(PLACE, `points[${own}]`), message };
}
