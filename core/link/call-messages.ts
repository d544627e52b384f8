import Joi from 'joi';

import { byteView } from '../journal/byte-view.ts';
import { PERMISSIONS, type Permission } from '../identity/permission.ts';
import { type Role, ROLES } from '../identity/role.ts';
import { Fault } from '../kernel/fault.ts';

/** Methods that a call may have. */
export const CALL_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type CallMethod = (typeof CALL_METHODS)[number];

/** Largest body of a call, and of an answer, bytes. */
export const MOST_CALL_BYTES = 256 * 1024;
export const MOST_ANSWER_BYTES = 1024 * 1024;
/** Longest path with its query. */
const MOST_PATH_CHARACTERS = 8_192;

/** Headers that travel with a call, and with its answer. */
export const CALL_HEADERS = ['accept', 'content-type', 'if-match', 'if-none-match', 'idempotency-key'] as const;
export const ANSWER_HEADERS = [
	'content-type',
	'etag',
	'link',
	'location',
	'retry-after',
	'x-next-cursor',
	'x-request-id',
] as const;

type Headers = Readonly<Record<string, string>>;

/** Who calls, as the hub knows the person; what may be done is what these permissions allow at the gateway. */
export interface CallActor {
	readonly user_id: string;
	readonly email: string;
	readonly role: Role;
	readonly permissions: readonly Permission[];
}

/** A request to the REST of a gateway (`down/call`). */
export interface CallMessage {
	readonly call_id: string;
	readonly method: CallMethod;
	/** Path and query, e.g. `/api/v1/lines`. */
	readonly path: string;
	readonly headers: Headers;
	/** Base64; `null`: none. */
	readonly body: string | null;
	readonly actor: CallActor;
}

/** What the gateway's REST has answered (`up/answer`). */
export interface AnswerMessage {
	readonly call_id: string;
	readonly status: number;
	readonly headers: Headers;
	/** Base64; '' without a body. */
	readonly body: string;
}

const base64Of = (bytes: number) =>
	Joi.string()
		.base64()
		.max(Math.ceil(bytes / 3) * 4 + 4);
const headers = (names: readonly string[]) =>
	Joi.object(Object.fromEntries(names.map((name) => [name, Joi.string().max(4_096).allow('')]))).required();

const callSchema = Joi.object<CallMessage>({
	call_id: Joi.string().guid({ separator: '-' }).lowercase().required(),
	method: Joi.valid(...CALL_METHODS).required(),
	path: Joi.string()
		.max(MOST_PATH_CHARACTERS)
		.pattern(/^\/(?!\/)/)
		.required(),
	headers: headers(CALL_HEADERS),
	body: base64Of(MOST_CALL_BYTES).allow(null, '').required(),
	actor: Joi.object({
		user_id: Joi.string().max(64).required(),
		email: Joi.string().max(320).allow('').required(),
		role: Joi.valid(...ROLES).required(),
		permissions: Joi.array()
			.items(Joi.valid(...PERMISSIONS))
			.max(PERMISSIONS.length)
			.required(),
	}).required(),
});

/** What fits into a header of HTTP/1.1: one with a line break would end the hub's own answer. */
const PRINTABLE = /^[\t\u0020-\u007e]*$/;
const answerHeaders = Joi.object(
	Object.fromEntries(ANSWER_HEADERS.map((name) => [name, Joi.string().max(4_096).pattern(PRINTABLE).allow('')])),
).required();

const answerSchema = Joi.object<AnswerMessage>({
	call_id: Joi.string().guid({ separator: '-' }).lowercase().required(),
	// Those below 200 are no answers: whoever asked would go on waiting.
	status: Joi.number().integer().min(200).max(599).required(),
	headers: answerHeaders,
	body: base64Of(MOST_ANSWER_BYTES).allow('').required(),
});

function parsed<T>(what: string, schema: Joi.ObjectSchema<T>, payload: Uint8Array): T {
	let raw: unknown;
	try {
		raw = JSON.parse(Buffer.from(payload).toString('utf8'));
	} catch (error) {
		throw new Fault('rule-violation', `${what}: not JSON`, { cause: error });
	}
	const { value, error } = schema.validate(raw, { convert: false, stripUnknown: true });
	if (error !== undefined) throw new Fault('rule-violation', `${what}: ${error.message}`);
	return value;
}

/** @throws Fault `rule-violation` */
export const parseCall = (payload: Uint8Array): CallMessage => parsed('call', callSchema, payload);

/** @throws Fault `rule-violation` */
export const parseAnswer = (payload: Uint8Array): AnswerMessage => parsed('answer', answerSchema, payload);

/** @throws Fault `rule-violation` for a call that no gateway takes: its path or a header is too long */
export function callMessage(message: CallMessage): Buffer {
	const payload = Buffer.from(JSON.stringify(message));
	parseCall(byteView(payload));
	return payload;
}
export const answerMessage = (message: AnswerMessage): Buffer => Buffer.from(JSON.stringify(message));

/** Those of the headers that travel. */
export function headersThat(travel: readonly string[], given: Readonly<Record<string, unknown>>): Headers {
	const kept: Record<string, string> = {};
	for (const name of travel) {
		const value = given[name];
		if (typeof value === 'string' || typeof value === 'number') kept[name] = String(value);
	}
	return kept;
}
