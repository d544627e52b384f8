import Joi from 'joi';

import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from './password.ts';

// Unknown fields of a body are ignored, as the contract says.
const body = (keys: Joi.SchemaMap) => Joi.object(keys).options({ stripUnknown: true });

const email = () => Joi.string().email({ tlds: false, minDomainSegments: 1 }).max(254);

/** A password that is checked, not chosen: its form is not the caller's business, its length is ours. */
const givenPassword = () => Joi.string().max(1_024);

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
	password: Joi.string().min(MIN_PASSWORD_LENGTH).max(MAX_PASSWORD_LENGTH).required(),
	full_name: Joi.string().allow('').max(255).default(''),
});
