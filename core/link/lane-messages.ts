import Joi from 'joi';

import type { EpochRanges } from '../ledger/range-set.ts';
import { checkedLinkMessage, epochRanges, MAX_RANGES, natural } from './link-messages.ts';

/**
 * Why the hub wants ranges again. `damaged-in-transit`: their block arrived damaged, or what was in it was no block. `not-stored`: it arrived and
 * could not be stored. `lost-at-hub`: the hub had them and has them no more. `asked-for`: a person wants them.
 */
export const RESEND_REASONS = ['damaged-in-transit', 'not-stored', 'lost-at-hub', 'asked-for'] as const;

export type ResendReason = (typeof RESEND_REASONS)[number];

/** The hub lacks these: the gateway sends what it still has, and declares the rest lost. */
export interface Resend {
	readonly ranges: readonly EpochRanges[];
	readonly reason: ResendReason;
}

/** How fast the hub takes samples. Each word replaces the one before; a new session begins without any. */
export interface Pressure {
	/** No history for so long, ms; 0: go on. */
	readonly pauseMs: number;
	/** Live values wait as long too; the journal keeps them, and they come as history. */
	readonly isLivePaused: boolean;
	/** Most samples of history that may be sent and not acknowledged. */
	readonly windowSamples: number;
}

/** Longest pause that a hub may ask for, ms. */
export const MAX_PAUSE_MS = 60_000;

const schemas = {
	resend: Joi.object<Resend>({
		ranges: Joi.array().items(epochRanges).max(MAX_RANGES).required(),
		reason: Joi.valid(...RESEND_REASONS).required(),
	}),
	pressure: Joi.object<Pressure>({
		pauseMs: natural.max(MAX_PAUSE_MS),
		isLivePaused: Joi.boolean().required(),
		windowSamples: natural.min(1),
	}),
} as const;

/** @throws Fault `rule-violation` naming the message, the field and the rule. */
export const parseResend = (payload: Uint8Array): Resend => checkedLinkMessage('resend', schemas.resend, payload);

/** @throws Fault `rule-violation` naming the message, the field and the rule. */
export const parsePressure = (payload: Uint8Array): Pressure =>
	checkedLinkMessage('pressure', schemas.pressure, payload);

export const resendMessage = (message: Resend): Buffer => Buffer.from(JSON.stringify(message));
export const pressureMessage = (message: Pressure): Buffer => Buffer.from(JSON.stringify(message));
