import Joi from 'joi';

import { type LineView, modbusLineSchema } from '../../config/connection/connection-schema.ts';
import type { SunspecDescription } from './sunspec-service.ts';

/** Body of a discovery after validation. */
export interface SunspecBody {
	/** Name of a line in use, or a line written out. */
	readonly line: string | LineView;
	readonly unit_id: number;
	readonly timeout_ms: number;
}

export const sunspecBody = Joi.object<SunspecBody>({
	line: Joi.alternatives()
		.conditional(Joi.string(), {
			// oxlint-disable-next-line unicorn/no-thenable -- joi writes its conditions with a key named `then`
			then: Joi.string().max(300),
			otherwise: modbusLineSchema,
		})
		.required(),
	unit_id: Joi.number().integer().min(0).max(255).default(1),
	timeout_ms: Joi.number().integer().min(20).max(10_000).default(1_000),
});

export const sunspecAnswer = Joi.object({
	base: Joi.number().integer(),
	manufacturer: Joi.string().allow(''),
	model: Joi.string().allow(''),
	serial_number: Joi.string().allow(''),
	models: Joi.array().items(Joi.number().integer()),
	template: Joi.object({
		key: Joi.string(),
		document: Joi.object().unknown(true).description('A device template, as in a template file'),
	}),
	left_out: Joi.array().items(Joi.string()),
})
	.options({ presence: 'required' })
	.label('SunspecDevice');

export const sunspecView = ({ identity, template }: SunspecDescription) => ({
	base: identity.base,
	manufacturer: identity.manufacturer,
	model: identity.model,
	serial_number: identity.serialNumber,
	models: identity.models,
	template: { key: template.key, document: template.document },
	left_out: template.leftOut,
});
