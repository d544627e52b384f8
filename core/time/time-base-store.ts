import Joi from 'joi';

import type { FileLayer } from '../journal/file-layer.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';
import { CLOCK_QUALITIES } from './clock-quality.ts';
import type { ClockState } from './clock-state.ts';
import { type Era, MAX_ERAS } from './era.ts';

/** What is kept of the time beside the data. */
export interface TimeBase {
	/** The clock when this was written; `null` before the first time. */
	readonly last: { readonly bootId: string; readonly lineMs: number; readonly state: ClockState } | null;
	/** By epoch, then number. */
	readonly eras: readonly Era[];
}

/** Where the time base is kept. */
export interface TimeBaseStore {
	read(): Promise<TimeBase>;
	/** Durable when it resolves. */
	write(base: TimeBase): Promise<void>;
}

const EMPTY: TimeBase = { last: null, eras: [] };

const whole = Joi.number().integer().required();
const natural = whole.min(0);
const ms = Joi.number().required();
const bootId = Joi.string().min(1).max(64).required();
const quality = Joi.valid(...CLOCK_QUALITIES).required();

/** An era as it stands in a file. */
export const eraSchema = Joi.object<Era>({
	epoch: natural,
	firstSeq: natural,
	sharedThroughSeq: natural,
	sharedUntilMs: ms,
	bootId,
	quality,
	isEstimated: Joi.boolean().required(),
	offsetMs: whole,
	deltaMs: whole.allow(null),
	fromMs: ms,
	untilMs: ms.allow(null),
});

const schema = Joi.object<TimeBase>({
	last: Joi.object({
		bootId,
		lineMs: ms,
		state: Joi.object<ClockState>({
			offsetMs: whole,
			quality,
			isKnown: Joi.boolean().required(),
			livedMs: whole.allow(null),
			wallOffsetMs: whole,
			standsSinceMs: ms,
			isSynchronized: Joi.boolean().required(),
			jumps: natural,
			trustedFromMs: ms,
		}).required(),
	})
		.allow(null)
		.required(),
	eras: Joi.array().items(eraSchema).max(MAX_ERAS).required(),
});

function parse(text: string): TimeBase {
	const raw: unknown = JSON.parse(text);
	const { value, error } = schema.validate(raw, { convert: false, stripUnknown: true });
	if (error !== undefined) throw error;
	return value;
}

/** The time base in a file. A damaged one is said, and begins anew: what was stamped without a known time then keeps its stamps. */
export function createTimeBaseStore({
	path,
	files,
	log,
}: {
	readonly path: string;
	readonly files: Pick<FileLayer, 'readText' | 'writeText'>;
	readonly log: Logger;
}): TimeBaseStore {
	return {
		async read() {
			const text = await files.readText(path);
			if (text === null) return EMPTY;
			try {
				return parse(text);
			} catch (error) {
				log.error('time-base-damaged', { path, reason: messageOf(error) });
				return EMPTY;
			}
		},
		write: (base) => files.writeText(path, `${JSON.stringify(base)}\n`),
	};
}
