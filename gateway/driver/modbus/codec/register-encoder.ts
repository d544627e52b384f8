import type { TemplatePoint } from '../../../../config/template/template.ts';
import { fieldFault } from '../../../../core/kernel/fault.ts';
import { MAX_REGISTERS_PER_WRITE } from '../wire/modbus-line.ts';
import { toWireOrder } from './byte-order.ts';
import { ownBits, pointBytes, refuse } from './point-bytes.ts';

/** What goes over the wire for one value. */
export interface EncodedWrite {
	readonly functionCode: 5 | 6 | 16;
	readonly address: number;
	/** The registers as they go over the wire; of a coil one, 0 or 1. */
	readonly words: readonly number[];
}

/** The registers of one value, as they go over the wire. */
export interface EncodedRegisters {
	readonly words: readonly number[];
	/** Bits of each register that belong to the point; `null`: all of all. The others are 0 in `words` and have to stay as they are. */
	readonly masks: readonly number[] | null;
}

const refusePoint = (point: TemplatePoint, rule: string) =>
	fieldFault('rule-violation', 'payload.point', `${point.key} ${rule}`);

const wordsOf = (bytes: Buffer): readonly number[] =>
	Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16BE(2 * index));

/**
 * The inverse of the decoder: the registers that are read as this value. `value` has passed the rules of the template (`writeMistake`).
 * Floats take the nearest number they have.
 * @param exponent what the point's scale factor says now, -10 to 10; `null` when the point has none
 * @throws Fault `rule-violation` of `payload.value` when the registers cannot hold the value
 */
export function encodeRegisters(
	point: TemplatePoint,
	value: unknown,
	exponent: number | null = null,
): EncodedRegisters {
	if (point.scaleFactor !== undefined && exponent === null)
		throw refusePoint(point, `can be written only while its scale factor ${point.scaleFactor} is known`);
	const bytes = pointBytes(point, value, exponent ?? 0);
	const hex = bytes.toString('hex');
	const own = ownBits(point);
	if (own === null && point.invalid.some((pattern) => pattern.toLowerCase() === hex))
		throw refuse(point, value, `not be ${hex}, which means "no value"`);
	return {
		words: wordsOf(toWireOrder(bytes, point.byteOrder)),
		masks: own === null ? null : wordsOf(toWireOrder(own, point.byteOrder)),
	};
}

/**
 * The write of a point that owns all its registers: function 5 for a coil, 6 for one register, 16 for more.
 * @throws Fault `rule-violation` of `payload.value` when the registers cannot hold the value, of `payload.point` when one write cannot
 * carry them or other points have a part in them
 */
export function encodeWrite(point: TemplatePoint, value: unknown): EncodedWrite {
	const { address } = point;
	if (point.type === 'bool') return { functionCode: 5, address, words: [value === true ? 1 : 0] };
	if (point.count > MAX_REGISTERS_PER_WRITE)
		throw refusePoint(point, `has ${point.count} registers; one write carries ${MAX_REGISTERS_PER_WRITE}`);
	const { words, masks } = encodeRegisters(point, value);
	if (masks !== null) throw refusePoint(point, 'is a part of a register, which cannot be written as a whole');
	return { functionCode: words.length === 1 ? 6 : 16, address, words };
}
