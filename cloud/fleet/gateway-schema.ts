import Joi from 'joi';

import { ledgerFields } from '../../core/ledger/completeness-schema.ts';

const instant = () => Joi.string().isoDate();
const count = () => Joi.number().min(0);

/** A gateway of the hub as it is answered. Fields that a later version adds are no surprise. */
export const gatewayAnswer = Joi.object({
	id: Joi.string().guid().required(),
	name: Joi.string().required(),
	tenant_id: Joi.string().guid().required(),
	online: Joi.boolean().required(),
	version: Joi.string().allow(null).required(),
	last_seen_at: instant().allow(null).required(),
	enrolled_at: instant().required(),
	certificate_expires_at: instant().allow(null).required(),
	revoked_at: instant().allow(null).required(),
	devices: count().required(),
	received_samples: count().required(),
	missing_samples: count().required(),
	declared_lost_samples: count().required(),
})
	.unknown()
	.label('Gateway');

/** What the hub holds of a gateway, and why the rest is missing. */
export const ledgerAnswer = Joi.object({
	gateway_id: Joi.string().guid().required(),
	received_samples: count().required(),
	received: Joi.array().items(Joi.object().unknown()).required(),
	...ledgerFields,
}).label('Ledger');

export const enrolmentCodeAnswer = Joi.object({
	code: Joi.string().required(),
	gateway_id: Joi.string().guid().allow(null).required(),
	expires_at: instant().required(),
}).label('EnrolmentCode');

/** What a gateway needs to know of its hub. */
export const enrolmentAnswer = Joi.object({
	link_host: Joi.string().allow('').required(),
	link_port: Joi.number().required(),
	ca_pem: Joi.string().required(),
	cert_pem: Joi.string().required(),
	proof: Joi.string().required(),
})
	.unknown()
	.label('Enrolment');
