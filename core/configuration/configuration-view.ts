import Joi from 'joi';

import { toIso } from '../kernel/clock.ts';
import { type ConfigOutcome, OUTCOMES } from '../link/config-messages.ts';

const anything = () => Joi.any().required();
const instant = () => Joi.string().isoDate();

/** A JSON patch as it is answered. */
export const patchAnswer = Joi.array()
	.items(
		Joi.object({
			op: Joi.valid('add', 'remove', 'replace', 'move', 'copy', 'test').required(),
			path: Joi.string().allow('').required(),
			value: Joi.any(),
			from: Joi.string().allow(''),
		}),
	)
	.label('JsonPatch');

const mistakes = Joi.array().items(
	Joi.object({ path: Joi.string().allow('').required(), message: Joi.string().required() }),
);

const conflicts = Joi.array().items(
	Joi.object({
		path: Joi.string().allow('').required(),
		base: anything(),
		gateway: anything(),
		hub: anything(),
		taken: Joi.valid('hub', 'gateway').allow(null).required(),
	}),
);

/** What a document would change, and why it could not. */
export const previewAnswer = Joi.object({ mistakes, conflicts, patch: patchAnswer })
	.options({ presence: 'required' })
	.label('ConfigurationPreview');

/** What became of an order. */
export const outcomeAnswer = Joi.object({
	revision: Joi.number().min(0),
	outcome: Joi.valid(...OUTCOMES),
	at: instant(),
	reason: Joi.string().allow('', null),
	mistakes,
	conflicts,
	overwritten: Joi.array().items(Joi.object({ path: Joi.string().allow('').required(), value: anything() })),
}).options({ presence: 'required' });

export const outcomeView = ({ revision, outcome, at, reason, ...lists }: ConfigOutcome) => ({
	revision,
	outcome,
	at: toIso(at),
	reason,
	mistakes: lists.mistakes,
	conflicts: lists.conflicts,
	overwritten: lists.overwritten,
});
