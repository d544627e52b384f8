import Joi from 'joi';

import type { SettingsMistake } from '../../config/settings-fault.ts';
import { choiceMembers, choiceView } from '../../config/template/template-choice-schema.ts';
import type { ShownTemplate, TemplateService } from './template-service.ts';

/** Key of a template in a path. */
export const templateParams = Joi.object({
	template_key: Joi.string()
		.pattern(/^[a-z0-9][a-z0-9-]{0,63}$/)
		.required(),
});

/** A whole document; the template schema looks at it. */
export const templateBody = Joi.object().unknown(true).label('TemplateDocument');

/** Query of one template after validation. */
export interface TemplateQuery {
	readonly resolved: boolean;
	/** Id or device_uid. */
	readonly learnt_of?: string;
}

export const templateQuery = Joi.object<TemplateQuery>({
	resolved: Joi.boolean().default(false),
	learnt_of: Joi.string().max(128),
});

const origin = Joi.valid('product', 'site', 'hub');
const mistakes = Joi.array().items(Joi.string());

export const templateLine = Joi.object({
	key: Joi.string(),
	manufacturer: Joi.string().allow(''),
	model: Joi.string().allow(''),
	category: Joi.string().allow(''),
	points: Joi.number(),
	origin,
	extends: Joi.string().allow(null),
	mistakes,
	...choiceMembers,
})
	.options({ presence: 'required' })
	.label('DeviceTemplate');

export const templateAnswer = Joi.object({
	key: Joi.string(),
	origin,
	extends: Joi.string().allow(null),
	checksum: Joi.string().allow(''),
	used_by: Joi.array().items(Joi.string()),
	mistakes,
	document: Joi.object().unknown(true).allow(null),
})
	.options({ presence: 'required' })
	.label('ShownTemplate');

const sentence = ({ path, message }: SettingsMistake): string => (path === '' ? message : `${path}: ${message}`);

/** A template in the list. */
export const lineView = ({
	key,
	origin: from,
	template,
	mistakes: list,
}: ReturnType<TemplateService['all']>[number]) => ({
	key,
	manufacturer: template?.manufacturer ?? '',
	model: template?.model ?? '',
	category: template?.category ?? '',
	points: template?.points.length ?? 0,
	origin: from,
	extends: template?.extends ?? null,
	mistakes: list.map(sentence),
	...choiceView(template ?? null),
});

/** Files of the product or of the box's own folder that cannot be used, one line each. */
export function brokenViews(broken: readonly SettingsMistake[]): readonly ReturnType<typeof lineView>[] {
	const byKey = new Map<string, SettingsMistake[]>();
	for (const mistake of broken) {
		const key = mistake.path.split('.json')[0] ?? mistake.path;
		byKey.set(key, [...(byKey.get(key) ?? []), mistake]);
	}
	return Array.from(byKey, ([key, list]) => lineView({ key, origin: 'product', template: undefined, mistakes: list }));
}

/** @param isNamed whether devices may be named */
export const shownView = ({ usedBy, mistakes: list, ...shown }: ShownTemplate, isNamed: boolean) => ({
	...shown,
	used_by: isNamed ? usedBy : [],
	mistakes: list.map(sentence),
});
