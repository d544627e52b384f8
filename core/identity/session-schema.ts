import Joi from 'joi';

import { toIso } from '../kernel/clock.ts';
import type { Session } from './session.ts';
import { uuid } from './user-schema.ts';

const sessionId = () => Joi.string().pattern(/^[\w-]{22}$/);

export const ownSessionParams = Joi.object({ session_id: sessionId().required() });

export const sessionOwnerParams = Joi.object({ user_id: uuid().required() });

/** @param currentId session of the token in use */
export const sessionView = (session: Session, currentId: string | undefined) => ({
	id: session.id,
	created_at: toIso(session.createdAt),
	last_used_at: toIso(session.lastUsedAt),
	expires_at: toIso(session.expiresAt),
	address: session.address,
	user_agent: session.userAgent,
	current: session.id === currentId,
});

export const sessionsAnswer = Joi.array().items(
	Joi.object({
		id: sessionId().required(),
		created_at: Joi.string().isoDate().required(),
		last_used_at: Joi.string().isoDate().required(),
		expires_at: Joi.string().isoDate().required(),
		address: Joi.string().allow('').required(),
		user_agent: Joi.string().allow('').required(),
		current: Joi.boolean().required(),
	}),
);
