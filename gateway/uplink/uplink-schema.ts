import Joi from 'joi';

const instant = () => Joi.string().isoDate();
const count = () => Joi.number().min(0);

/** The state of the link as it is answered. Fields that a later version adds are no surprise. */
export const uplinkAnswer = Joi.object({
	gateway_id: Joi.string().guid().required(),
	enrolled: Joi.boolean().required(),
	hub_url: Joi.string().allow(null).required(),
	state: Joi.string().required(),
	since: instant().allow(null).required(),
	last_error: Joi.string().allow(null).required(),
	stored_samples: count().required(),
	stored_bytes: count().required(),
	backlog_samples: count().required(),
	oldest_at: instant().allow(null).required(),
	acknowledged_through_at: instant().allow(null).required(),
	declared_lost_samples: count().required(),
	journal: Joi.object({
		epoch: count(),
		segments: count(),
		bytes: count(),
		max_bytes: count(),
		pending_samples: count(),
		written_bytes: count(),
		syncs: count(),
		write_error: Joi.string().allow(null),
		losses: Joi.array().items(
			Joi.object({
				reason: Joi.string(),
				bytes: count(),
				samples: count().allow(null),
				detail: Joi.string().allow('', null),
				at: instant(),
			}),
		),
	}).required(),
})
	.unknown()
	.label('Uplink');
