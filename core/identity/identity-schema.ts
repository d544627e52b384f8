import Joi from 'joi';

import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from './password-policy.ts';
import type { Grant } from './session-service.ts';
import { isUsableName } from './user-rules.ts';

/** Unknown fields of a body are ignored, as the contract says. */
export const body = (keys: Joi.SchemaMap) => Joi.object(keys).options({ stripUnknown: true });

export const email = () => Joi.string().email({ tlds: false, minDomainSegments: 1 }).max(254);

/** A password that is checked, not chosen: its form is not the caller's business, its length is ours. */
export const givenPassword = () => Joi.string().max(1_024);

/** A password that is chosen; `password-policy.ts` has the rules beyond its length. */
export const chosenPassword = () => Joi.string().min(MIN_PASSWORD_LENGTH).max(MAX_PASSWORD_LENGTH);

/** A name of a person or a place; unset is ''. */
export const text = () => Joi.string().allow('').max(255);

/** No `/` and nothing invisible: it stands in paths and in logs. */
export const username = () =>
	Joi.string()
		.trim()
		.min(1)
		.max(150)
		.pattern(/^[^\p{C}/]+$/u)
		.custom((name: string, helpers) =>
			isUsableName(name) ? name : helpers.message({ custom: 'is reserved; choose another name' }),
		);

const refreshToken = () => Joi.string().max(512);

export interface LoginBody {
	readonly email: string;
	readonly password: string;
}

export const loginBody = body({ email: email().required(), password: givenPassword().required() });

export interface RefreshBody {
	readonly refresh_token?: string;
}

export const refreshBody = body({ refresh_token: refreshToken() }).empty(null).default({});

export interface ClaimBody {
	readonly claim_code: string;
	readonly email: string;
	readonly password: string;
	readonly full_name: string;
}

export const claimBody = body({
	claim_code: Joi.string().max(64).required(),
	email: email().required(),
	password: chosenPassword().required(),
	full_name: text().default(''),
});

export interface RegisterBody {
	readonly email: string;
	readonly password: string;
	readonly username?: string;
	readonly full_name: string;
}

export const registerBody = body({
	email: email().required(),
	password: chosenPassword().required(),
	username: username(),
	full_name: text().default(''),
});

export const toTokens = (grant: Grant) => ({
	access_token: grant.accessToken,
	refresh_token: grant.refreshToken,
	token_type: 'bearer',
	expires_in: grant.accessLifetimeSeconds,
});

const tokenFields = {
	access_token: Joi.string().required(),
	refresh_token: Joi.string().required(),
	token_type: Joi.valid('bearer').required(),
	expires_in: Joi.number().integer().min(1).required(),
};

export const tokensAnswer = Joi.object(tokenFields);

const accountFields = {
	id: Joi.string().guid().required(),
	username: Joi.string().required(),
	email: Joi.string().required(),
};

export const registeredAnswer = Joi.object({ ...accountFields, ...tokenFields });

export const waitingAnswer = Joi.object({ ...accountFields, status: Joi.valid('awaiting_approval').required() });

export const setupAnswer = Joi.object({
	claimed: Joi.boolean().required(),
	role: Joi.valid('gateway', 'hub').required(),
	version: Joi.string().required(),
	registration: Joi.valid('open', 'approval', 'closed').required(),
	certificate_authority_sha256: Joi.string().allow(null),
});
