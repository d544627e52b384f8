import Joi from 'joi';

import { type LineView, modbusLineSchema } from '../../config/connection/connection-schema.ts';
import { referenceNumber } from '../../config/template/address-notation.ts';
import type { ReadFunction } from '../../config/template/template.ts';
import { toJson } from '../../core/telemetry/telemetry-view.ts';
import { readsBits } from '../driver/modbus/plan/line-cost.ts';
import { MAX_BITS_PER_READ, MAX_REGISTERS_PER_READ } from '../driver/modbus/wire/modbus-line.ts';
import { MAX_REGISTER_NUMBER } from './address-meanings.ts';
import type { Decoding } from './every-decoding.ts';
import type { TriedRead, TryRequest, TryResult } from './try-service.ts';

/** A line by the name it has in `GET /lines`, or written out as in a connection. */
export const lineField = Joi.alternatives().conditional(Joi.string(), {
	// oxlint-disable-next-line unicorn/no-thenable -- joi writes its conditions with a key named `then`
	then: Joi.string().max(300),
	otherwise: modbusLineSchema,
});

/** Body of a try after validation. */
export interface TryBody {
	readonly line: string | LineView;
	readonly unit_id: number;
	readonly function: ReadFunction;
	readonly address: number;
	readonly count: number;
	readonly timeout_ms: number;
	readonly expect?: number;
}

export const functionField = () => Joi.valid(1, 2, 3, 4);
export const unitField = () => Joi.number().integer().min(0).max(255);
export const timeoutField = (usualMs: number) => Joi.number().integer().min(20).max(10_000).default(usualMs);

export const tryBody = Joi.object<TryBody>({
	line: lineField.required(),
	unit_id: unitField().default(1),
	function: functionField().default(3),
	address: Joi.number().integer().min(0).max(MAX_REGISTER_NUMBER).required(),
	count: Joi.number()
		.integer()
		.min(1)
		.max(MAX_BITS_PER_READ)
		// oxlint-disable-next-line unicorn/no-thenable -- the same
		.when('function', { not: Joi.valid(1, 2), then: Joi.number().max(MAX_REGISTERS_PER_READ) })
		.default(2),
	timeout_ms: timeoutField(1_000),
	expect: Joi.number(),
});

export const toTryRequest = (body: TryBody, line: TryRequest['line']): TryRequest => ({
	line,
	unitId: body.unit_id,
	functionCode: body.function,
	address: body.address,
	count: body.count,
	timeoutMs: body.timeout_ms,
	expect: body.expect,
});

const hexOf = (word: number): string => word.toString(16).toUpperCase().padStart(4, '0');

const readView = (functionCode: ReadFunction, { address, count, words, latencyMs, exception, error }: TriedRead) => ({
	address,
	count,
	words: words.map((word, k) => ({
		address: address + k,
		hex: readsBits(functionCode) ? String(word) : hexOf(word),
		decimal: word,
	})),
	latency_ms: latencyMs,
	exception_code: exception?.code ?? null,
	exception: exception?.text ?? null,
	error,
});

const decodingView = (functionCode: ReadFunction, decoding: Decoding) => ({
	notation: decoding.notation,
	address: decoding.address,
	reference: referenceNumber({ functionCode, address: decoding.address }),
	count: decoding.count,
	type: decoding.type,
	byte_order: decoding.byteOrder,
	value: toJson(decoding.value),
	scale: decoding.scale,
	plausibility: decoding.plausibility,
	hint: decoding.hint,
	matches: decoding.matches,
});

export const tryView = ({ functionCode }: Pick<TryRequest, 'functionCode'>, result: TryResult) => ({
	line: result.line,
	places: result.places.map(({ notation, address }) => ({
		notation,
		address,
		reference: referenceNumber({ functionCode, address }),
	})),
	reads: result.reads.map((read) => readView(functionCode, read)),
	decodings: result.decodings.map((decoding) => decodingView(functionCode, decoding)),
});

const notation = () => Joi.valid('zero-based', 'one-based', 'reference', 'reference-zero-based');
const whole = () => Joi.number().integer();

/** What `tryView` answers, for the API document. */
export const tryAnswer = Joi.object({
	line: Joi.string(),
	places: Joi.array().items(
		Joi.object({ notation: notation(), address: whole(), reference: Joi.string() }).options({ presence: 'required' }),
	),
	reads: Joi.array().items(
		Joi.object({
			address: whole(),
			count: whole(),
			words: Joi.array().items(
				Joi.object({ address: whole(), hex: Joi.string(), decimal: whole() }).options({ presence: 'required' }),
			),
			latency_ms: Joi.number().allow(null),
			exception_code: whole().allow(null),
			exception: Joi.string().allow(null),
			error: Joi.string().allow(null),
		}).options({ presence: 'required' }),
	),
	decodings: Joi.array().items(
		Joi.object({
			notation: notation(),
			address: whole(),
			reference: Joi.string(),
			count: whole(),
			type: Joi.string(),
			byte_order: Joi.string(),
			value: Joi.alternatives(Joi.number(), Joi.string().allow(''), Joi.boolean()).allow(null),
			scale: Joi.number(),
			plausibility: Joi.number(),
			hint: Joi.string().allow(null),
			matches: Joi.boolean().allow(null),
		}).options({ presence: 'required' }),
	),
})
	.options({ presence: 'required' })
	.label('TriedRegister');
