import Joi from 'joi';

import { Fault } from '../kernel/fault.ts';
import { CLOCK_QUALITIES, type ClockQuality } from '../time/clock-quality.ts';
import { type Era, MAX_ERAS } from '../time/era.ts';

/** An era as the hub is told of it: how good the time of its readings is. */
export interface ToldEra {
	readonly epoch: number;
	readonly firstSeq: number;
	readonly quality: ClockQuality;
	readonly isEstimated: boolean;
	/** What was added to the stamps, ms; `null` while their time is not known, and they are held back. */
	readonly deltaMs: number | null;
}

/** `up/time`: a gateway asks what time it is, and tells of its eras. */
export interface TimeQuestion {
	/** Comes back with the answer; `null`: it does not ask. */
	readonly ask: number | null;
	/** The gateway's own time and what it thinks of it. */
	readonly at: number;
	readonly quality: ClockQuality;
	readonly eras: readonly ToldEra[];
}

/** `down/time`: the hub's time at the moment of answering; `null` while it does not know it itself. */
export interface TimeAnswer {
	readonly ask: number;
	readonly at: number | null;
}

const natural = Joi.number().integer().min(0).required();
/** Beyond these no calendar goes (ECMA-262, 21.4.1.1). */
const instant = Joi.number().integer().min(-8.64e15).max(8.64e15).required();
const quality = Joi.valid(...CLOCK_QUALITIES).required();

const questionSchema = Joi.object<TimeQuestion>({
	ask: natural.allow(null),
	at: instant,
	quality,
	eras: Joi.array()
		.items(
			Joi.object<ToldEra>({
				epoch: natural,
				firstSeq: natural,
				quality,
				isEstimated: Joi.boolean().required(),
				deltaMs: instant.allow(null),
			}),
		)
		.max(MAX_ERAS)
		.required(),
});

const answerSchema = Joi.object<TimeAnswer>({ ask: natural, at: instant.allow(null) });

function parse<T>(schema: Joi.ObjectSchema<T>, payload: Uint8Array): T {
	let raw: unknown;
	try {
		raw = JSON.parse(Buffer.from(payload).toString('utf8'));
	} catch (error) {
		throw new Fault('rule-violation', 'time: not JSON', { cause: error });
	}
	const { value, error } = schema.validate(raw, { abortEarly: true, stripUnknown: true, convert: false });
	if (error !== undefined) throw new Fault('rule-violation', `time: ${error.message}`);
	return value;
}

/** @throws Fault `rule-violation` naming the field and the rule */
export const parseTimeQuestion = (payload: Uint8Array): TimeQuestion => parse(questionSchema, payload);
/** @throws Fault `rule-violation` naming the field and the rule */
export const parseTimeAnswer = (payload: Uint8Array): TimeAnswer => parse(answerSchema, payload);

export const timeMessage = (message: TimeQuestion | TimeAnswer): Buffer => Buffer.from(JSON.stringify(message));

export const toldEra = ({ epoch, firstSeq, quality: known, isEstimated, deltaMs }: Era): ToldEra => ({
	epoch,
	firstSeq,
	quality: known,
	isEstimated,
	deltaMs,
});
