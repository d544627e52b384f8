import Joi from 'joi';

import { toIso } from '../kernel/clock.ts';
import { tenantId } from '../kernel/id.ts';
import type { Account } from './account.ts';
import { body, chosenPassword, email, text, username } from './identity-schema.ts';
import { type Permission, PERMISSIONS, permissionsOf } from './permission.ts';
import { type Role, ROLES } from './role.ts';
import type { NewUser, ProfileChange, UserChange, UserFilter } from './user-service.ts';

/** A UUID of a path or a body. */
export const uuid = () => Joi.string().lowercase().guid({ separator: '-', wrapper: false });

export const userParams = Joi.object({ user_id: uuid().required() });

const role = () => Joi.valid(...ROLES);

const MAX_PAGE = 1_000_000;

export interface UserPageQuery {
	readonly page: number;
	readonly size: number;
}

export const userPageQuery = Joi.object({
	page: Joi.number().integer().min(1).max(MAX_PAGE).default(1),
	size: Joi.number().integer().min(1).max(100).default(20),
});

/** Query of the array form of reference 001. */
export interface UserArrayQuery {
	readonly role?: Role;
	readonly disabled?: boolean;
	readonly search: string;
	readonly skip: number;
	readonly limit: number;
}

const MAX_ARRAY = 1_000;

export const userArrayQuery = Joi.object({
	role: role(),
	disabled: Joi.boolean(),
	search: Joi.string().allow('').max(255).default(''),
	skip: Joi.number().integer().min(0).max(MAX_PAGE).default(0),
	limit: Joi.number().integer().min(1).max(MAX_ARRAY).default(MAX_ARRAY),
});

export const toFilter = ({ role: wanted, disabled, search }: UserArrayQuery): UserFilter => ({
	search,
	...(wanted !== undefined && { role: wanted }),
	...(disabled !== undefined && { isActive: !disabled }),
});

/** Fields of the bodies below, after validation. */
export interface UserBody {
	readonly email?: string;
	readonly username?: string;
	readonly role?: Role;
	readonly is_active?: boolean;
	readonly disabled?: boolean;
	readonly permissions?: readonly Permission[];
	readonly full_name?: string;
	readonly phone?: string;
	readonly organization?: string;
	readonly avatar_url?: string;
}

export interface UserCreateBody extends UserBody {
	readonly email: string;
	readonly password: string;
	readonly role: Role;
	readonly tenant_id?: string;
	readonly must_change_password: boolean;
}

const profile = {
	full_name: text(),
	phone: text(),
	organization: text(),
	avatar_url: Joi.string().allow('').max(2_048),
};

/** `disabled` is the negation of `is_active`: one of them is enough, and both must agree. */
const state = {
	is_active: Joi.boolean(),
	disabled: Joi.boolean()
		.invalid(Joi.ref('is_active'))
		.messages({ 'any.invalid': 'must be the negation of is_active' }),
};

const permissions = Joi.array()
	.items(Joi.valid(...PERMISSIONS))
	.unique()
	.max(PERMISSIONS.length);

export const userCreateBody = body({
	...profile,
	...state,
	email: email().required(),
	password: chosenPassword().required(),
	username: username(),
	role: role().default('user'),
	permissions,
	tenant_id: uuid(),
	must_change_password: Joi.boolean().default(false),
});

export const userPatchBody = body({
	...profile,
	...state,
	email: email(),
	username: username(),
	role: role(),
	permissions,
});

/** The own profile. Role and state may be sent back as they are; another value is refused by the service. */
export const profilePatchBody = body({ ...profile, ...state, role: role() });

export const toProfile = (given: UserBody): ProfileChange => ({
	...(given.full_name !== undefined && { fullName: given.full_name }),
	...(given.phone !== undefined && { phone: given.phone }),
	...(given.organization !== undefined && { organization: given.organization }),
	...(given.avatar_url !== undefined && { avatarUrl: given.avatar_url }),
});

const isActiveOf = ({ is_active: isActive, disabled }: UserBody): boolean | undefined =>
	isActive ?? (disabled === undefined ? undefined : !disabled);

export function toStanding(given: UserBody): Pick<UserChange, 'role' | 'isActive'> {
	const isActive = isActiveOf(given);
	return {
		...(given.role !== undefined && { role: given.role }),
		...(isActive !== undefined && { isActive }),
	};
}

export const toUserChange = (given: UserBody): UserChange => ({
	...toProfile(given),
	...toStanding(given),
	...(given.email !== undefined && { email: given.email }),
	...(given.username !== undefined && { username: given.username }),
	...(given.permissions !== undefined && { granted: given.permissions }),
});

export const toNewUser = (given: UserCreateBody): NewUser => ({
	...toUserChange(given),
	email: given.email,
	password: given.password,
	role: given.role,
	mustChangePassword: given.must_change_password,
	...(given.tenant_id !== undefined && { tenantId: tenantId(given.tenant_id) }),
});

/** A user as it is answered: references 000 and 001 together, and what this product adds. */
export const userView = (account: Account) => ({
	id: account.id,
	_id: account.id,
	username: account.username,
	email: account.email,
	role: account.role,
	is_active: account.isActive,
	disabled: !account.isActive,
	is_verified: account.isVerified,
	full_name: account.fullName,
	phone: account.phone,
	organization: account.organization,
	avatar_url: account.avatarUrl,
	created_at: toIso(account.createdAt),
	last_login: account.lastLoginAt === null ? null : toIso(account.lastLoginAt),
	tenant_id: account.tenantId,
	permissions: account.granted,
	must_change_password: account.mustChangePassword,
});

/** The caller's own account, with everything it may do, so that a page offers nothing else. */
export const meView = (account: Account) => ({
	...userView(account),
	effective_permissions: [...permissionsOf(account.role, account.granted)],
});

const permissionNames = Joi.array().items(Joi.valid(...PERMISSIONS));

export const userAnswer = Joi.object({
	id: uuid().required(),
	_id: uuid().required(),
	username: Joi.string().required(),
	email: Joi.string().email({ tlds: false, minDomainSegments: 1 }).required(),
	role: role().required(),
	is_active: Joi.boolean().required(),
	disabled: Joi.boolean().required(),
	is_verified: Joi.boolean().required(),
	full_name: Joi.string().allow('').required(),
	phone: Joi.string().allow('').required(),
	organization: Joi.string().allow('').required(),
	avatar_url: Joi.string().allow('').required(),
	created_at: Joi.string().isoDate().required(),
	last_login: Joi.string().isoDate().allow(null).required(),
	tenant_id: uuid().required(),
	permissions: permissionNames.required(),
	must_change_password: Joi.boolean().required(),
});

export const meAnswer = userAnswer.keys({ effective_permissions: permissionNames.required() });

export const userPageAnswer = Joi.object({
	items: Joi.array().items(userAnswer).required(),
	total: Joi.number().integer().min(0).required(),
	page: Joi.number().integer().required(),
	size: Joi.number().integer().required(),
	pages: Joi.number().integer().min(0).required(),
});

export const userArrayAnswer = Joi.array().items(userAnswer);
