import Joi from 'joi';

import { toIso } from '../../core/kernel/clock.ts';
import { type Knocker, MAX_NAME_LENGTH } from './knocking.ts';

export const knockerParams = Joi.object({ name: Joi.string().min(1).max(MAX_NAME_LENGTH).required() });

/** Body of an adoption after validation. */
export interface AdoptBody {
	readonly name?: string;
	readonly device_type?: string;
}

export const adoptBody = Joi.object<AdoptBody>({
	name: Joi.string().min(1).max(255),
	device_type: Joi.string().min(1).max(100),
})
	.allow(null)
	.options({ stripUnknown: true });

export const knockerView = (knocker: Knocker) => ({
	name: knocker.name,
	client_id: knocker.clientId,
	address: knocker.address,
	first_seen: toIso(knocker.firstSeenAt),
	last_seen: toIso(knocker.lastSeenAt),
	count: knocker.count,
	why: knocker.isAdoptable ? 'no device of this name' : 'no device of this name, and it cannot be one',
	adoptable: knocker.isAdoptable,
});

/** What `knockerView` answers, for the API document. */
export const knockerAnswer = Joi.object({
	name: Joi.string().allow(''),
	client_id: Joi.string().allow('', null),
	address: Joi.string().allow('', null),
	first_seen: Joi.string().isoDate(),
	last_seen: Joi.string().isoDate(),
	count: Joi.number(),
	why: Joi.string(),
	adoptable: Joi.boolean(),
})
	.options({ presence: 'required' })
	.label('KnockingDevice');
