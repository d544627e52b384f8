import Joi from 'joi';

import { DEVICE_UID_PATTERN } from '../../core/device/device-schema.ts';
import { toIso } from '../../core/kernel/clock.ts';
import type { StoredAccount } from './mqtt-account.ts';

export const readerParams = Joi.object({ name: Joi.string().pattern(DEVICE_UID_PATTERN).required() });

export const readerCreate = readerParams.options({ stripUnknown: true });

/** A login as it is answered once, when it is made. */
export const loginAnswer = Joi.object({ username: Joi.string().required(), password: Joi.string().required() }).label(
	'MqttLogin',
);

export const readerAnswer = Joi.object({
	name: Joi.string().required(),
	created_at: Joi.string().isoDate().required(),
}).label('MqttReader');

/** A reader as it is listed; nobody can show its password any more. */
export const readerView = ({ username, createdAt }: StoredAccount) => ({
	name: username,
	created_at: toIso(createdAt),
});
