import type Joi from 'joi';

import type { Actor } from '../identity/role.ts';
import { Fault, messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';
import { malformed, type RealtimeError, toRealtimeError } from './realtime-error.ts';

/** What an event does, and what its acknowledgement says beside `success`; `after` is done when that is on its way. */
export interface EventOutcome {
	readonly body?: object;
	readonly after?: () => void;
}

/** The work behind an event. @throws Fault which the acknowledgement carries */
export type EventWork<T> = (payload: T, actor: Actor) => EventOutcome | void | Promise<EventOutcome | void>;

const nobodyListens = (): void => undefined;

/** Tells the client who asked for it; a client may send anything, or nothing, in the place of a callback. */
export function acknowledgementOf(given: readonly unknown[]): (body: object) => void {
	const ack = given.at(-1);
	return typeof ack === 'function' ? (body) => void Reflect.apply(ack, undefined, [body]) : nobodyListens;
}

export interface ReceivedEvent<T> {
	readonly event: string;
	/** All arguments of the event. */
	readonly given: readonly unknown[];
	readonly schema: Joi.ObjectSchema<T>;
	/** Told of what the acknowledgement refuses, and of a failure of ours. */
	readonly refused: (error: RealtimeError) => void;
	readonly log: Logger;
}

/** Validates, works and acknowledges, once. Never throws or rejects. */
export async function answerEvent<T>(
	{ event, given, schema, refused, log }: ReceivedEvent<T>,
	work: (payload: T) => ReturnType<EventWork<T>>,
): Promise<void> {
	const acknowledge = acknowledgementOf(given);
	let outcome: EventOutcome | void;
	try {
		const [payload] = given;
		// Nothing, or only a callback, is no object either.
		const { value, error } = schema.validate(typeof payload === 'function' ? null : (payload ?? null));
		if (error !== undefined) {
			acknowledge(malformed(error.message));
			return;
		}
		outcome = await work(value);
	} catch (thrown) {
		if (!(thrown instanceof Fault)) log.error('realtime-event-failed', { event, reason: messageOf(thrown) });
		const error = toRealtimeError(thrown);
		refused(error);
		acknowledge(error);
		return;
	}
	acknowledge({ success: true, ...outcome?.body });
	outcome?.after?.();
}
