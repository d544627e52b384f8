import { hash } from 'node:crypto';

import Joi from 'joi';

/** One slot of the trusted state: the metadata files as they came, each as text. */
export interface SlotContent {
	/** Counts the writes; the greater one is the newer. */
	readonly generation: number;
	readonly root: string;
	/** Newest ever seen; see `TrustedState`. */
	readonly timestamp: string | null;
	readonly snapshot: string | null;
	readonly set: {
		readonly timestamp: string;
		readonly snapshot: string;
		readonly targets: string;
		readonly roles: Readonly<Record<string, string>>;
	} | null;
}

const text = Joi.string().required();

const schema = Joi.object<SlotContent>({
	generation: Joi.number().integer().min(1).required(),
	root: text,
	timestamp: text.allow(null),
	snapshot: text.allow(null),
	set: Joi.object({
		timestamp: text,
		snapshot: text,
		targets: text,
		roles: Joi.object().pattern(Joi.string(), text).required(),
	})
		.allow(null)
		.required(),
});

const headOf = (body: string): string => `drawbridge-trust 1 ${hash('sha256', body, 'hex')}`;

/** A line with the checksum of the rest, and the rest as JSON. */
export function slotText(content: SlotContent): string {
	const body = JSON.stringify(content);
	return `${headOf(body)}\n${body}\n`;
}

/** @throws SyntaxError when it is torn, damaged or none of ours */
export function parseSlot(content: string): SlotContent {
	const [head, body, rest] = content.split('\n', 3);
	if (body === undefined || rest !== '' || head !== headOf(body)) throw new SyntaxError('the checksum does not fit');
	const raw: unknown = JSON.parse(body);
	const { value, error } = schema.validate(raw, { convert: false });
	if (error !== undefined) throw error;
	return value;
}
