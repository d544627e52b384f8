import type { Plugin } from '@hapi/hapi';
import Joi from 'joi';

import type { SettingsMistake } from '../../config/settings-fault.ts';
import { choiceMembers, choiceView } from '../../config/template/template-choice-schema.ts';
import type { DeviceTemplate } from '../../config/template/template.ts';
import { anyUser } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';

export interface TemplateRoutesOptions {
	/** Changes with the configuration. */
	readonly templates: ReadonlyMap<string, DeviceTemplate>;
	/** Of files that could not be used: `wrong.json: points[0].count`. */
	readonly mistakes: readonly SettingsMistake[];
}

const templateAnswer = Joi.object({
	key: Joi.string(),
	manufacturer: Joi.string().allow(''),
	model: Joi.string().allow(''),
	points: Joi.number(),
	mistakes: Joi.array().items(Joi.string()),
	...choiceMembers,
})
	.options({ presence: 'required' })
	.label('DeviceTemplate');

/** Device templates that can be chosen, and the files that cannot, with what is wrong in them. */
export const templateRoutes: Plugin<TemplateRoutesOptions> = {
	name: 'template-routes',
	register(server, { templates, mistakes }) {
		const broken = new Map<string, string[]>();
		for (const { path, message } of mistakes) {
			const key = path.split('.json')[0] ?? path;
			broken.set(key, [...(broken.get(key) ?? []), `${path}: ${message}`]);
		}
		const good = () =>
			[...templates.values()].map((template) => ({
				key: template.key,
				manufacturer: template.manufacturer,
				model: template.model,
				points: template.points.length,
				mistakes: [] as string[],
				...choiceView(template),
			}));
		const bad = [...broken].map(([key, list]) => ({
			key,
			manufacturer: '',
			model: '',
			points: 0,
			mistakes: list,
			...choiceView(undefined),
		}));
		server.route({
			method: 'GET',
			path: '/templates',
			options: {
				...described(anyUser, {
					operationId: 'listTemplates',
					tag: 'Templates',
					summary: 'Device templates that can be chosen, and the files that cannot',
					answers: { 200: Joi.array().items(templateAnswer) },
				}),
				handler: () => [...good(), ...bad],
			},
		});
	},
};
