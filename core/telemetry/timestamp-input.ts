import { type EpochMs, epochMs } from '../kernel/clock.ts';

/** ISO 8601 as every input accepts it (contract rule R4): any offset, none means UTC, a date alone is its first instant. */
export const TIMESTAMP_INPUT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

const OFFSET = /(Z|[+-]\d{2}:?\d{2})$/;
const DATE_ONLY_LENGTH = 10;
const DAY_MS = 86_400_000;

/** A clock that stands before this has not been set since the box was started; nothing can be judged by it. */
const CLOCK_IS_SET_FROM = Date.UTC(2024, 0, 1);

/** The first instant after a date alone (contract: as an end it is the whole day); any other text like `parseTimestamp`. */
export function parseEndTimestamp(text: string): EpochMs | null {
	const at = parseTimestamp(text);
	return at !== null && text.length === DATE_ONLY_LENGTH ? epochMs(at + DAY_MS) : at;
}

/** The instant of a text; `null` when it is none. */
export function parseTimestamp(text: string): EpochMs | null {
	if (!TIMESTAMP_INPUT.test(text)) return null;
	const isComplete = text.length === DATE_ONLY_LENGTH || OFFSET.test(text);
	const ms = Date.parse(isComplete ? text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2') : `${text}Z`);
	return Number.isNaN(ms) ? null : epochMs(ms);
}

/** False for an instant more than a day ahead: it would stand as the "newest" value until its day comes. */
export const isPlausibleInstant = (at: EpochMs, now: EpochMs): boolean =>
	at >= 0 && (now < CLOCK_IS_SET_FROM || at <= now + DAY_MS);
