import Joi from 'joi';

import type { TemplateDocument } from './template.ts';

/** What an installer has to know of a template to choose it and to fill in the form, in the words of REST; `null`: it cannot be used. */
export function choiceView(template: TemplateDocument | null) {
	const comm = template?.commDefaults;
	return {
		variants: template?.variants ?? [],
		transports: template?.transports ?? [],
		verification: template?.verification ?? null,
		comm_defaults:
			comm === undefined
				? null
				: {
						baud_rate: comm.baudRate,
						data_bits: comm.dataBits,
						parity: comm.parity,
						stop_bits: comm.stopBits,
						unit_id: comm.unitId,
						tcp_port: comm.tcpPort,
					},
		options: (template?.options ?? []).map(({ name, label, type, default: preset, choices }) => ({
			name,
			label,
			type,
			default: preset,
			choices: choices?.map((choice) => ({ value: choice.value, label: choice.label })) ?? null,
		})),
	};
}

const must = { presence: 'required' } as const;
const orNull = (schema: Joi.Schema) => schema.allow(null);
const value = () => Joi.alternatives(Joi.boolean(), Joi.number(), Joi.string().allow(''));

/** Members of what `choiceView` answers, for the API document. */
export const choiceMembers = {
	variants: Joi.array().items(Joi.string()).description('Other names and versions with the same registers'),
	transports: Joi.array().items(Joi.valid('rtu', 'tcp', 'ascii', 'serial', 'socket')),
	verification: orNull(Joi.valid('two sources', 'one source', 'unverified')).description(
		'How many independent sources list the core quantities alike',
	),
	comm_defaults: orNull(
		Joi.object({
			baud_rate: orNull(Joi.number()),
			data_bits: orNull(Joi.number()),
			parity: orNull(Joi.valid('none', 'even', 'odd')),
			stop_bits: orNull(Joi.number()),
			unit_id: orNull(Joi.number()),
			tcp_port: orNull(Joi.number()),
		}).options(must),
	).description('How the device comes from the factory'),
	options: Joi.array()
		.items(
			Joi.object({
				name: Joi.string(),
				label: Joi.string(),
				type: Joi.valid('boolean', 'number', 'text'),
				default: value(),
				choices: orNull(Joi.array().items(Joi.object({ value: value(), label: Joi.string() }).options(must))),
			}).options(must),
		)
		.description('Variables of the template that the installer sets'),
} as const;
