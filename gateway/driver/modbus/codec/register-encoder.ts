import type { TemplatePoint } from '../../../../config/template/template.ts';
import { fieldFault } from '../../../../core/kernel/fault.ts';
import { MAX_REGISTERS_PER_READ_WRITE, MAX_REGISTERS_PER_WRITE } from '../wire/modbus-line.ts';
import { toWireOrder } from './byte-order.ts';
import { ownBits, pointBytes, refuse } from './point-bytes.ts';

/** Modbus functions that write: one coil, one register, coils, registers, bits of a register, registers while others are read. */
export type WriteFunction = 5 | 6 | 15 | 16 | 22 | 23;

/** What goes over the wire for one value. */
export interface EncodedWrite extends EncodedRegisters {
	readonly functionCode: WriteFunction;
	/** Where it is written, 0-based. */
	readonly address: number;
}

/** The registers of one value, as they go over the wire. */
export interface EncodedRegisters {
	/** Of a coil one, 0 or 1. */
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

/** Written as it is read: a coil by 5, one register by 6, several by 16. */
function usualFunction({ type, count }: TemplatePoint): WriteFunction {
	if (type === 'bool') return 5;
	return count === 1 ? 6 : 16;
}

const mostRegisters = (functionCode: WriteFunction): number =>
	functionCode === 23 ? MAX_REGISTERS_PER_READ_WRITE : MAX_REGISTERS_PER_WRITE;

/** Whether the template says how the bits of others in the same registers are kept. */
const keepsOthers = ({ write: rule }: TemplatePoint): boolean =>
	rule?.function !== undefined || rule?.block !== undefined;

/**
 * The write of one point, by the function and to the address of its write rule, else by 5 for a coil, 6 for one register, 16 for more.
 * @param exponent as for `encodeRegisters`
 * @throws Fault `rule-violation` of `payload.value` when the registers cannot hold the value, of `payload.point` when one write cannot
 * carry them or other points have a part in them and the template does not say how they are kept
 */
export function encodeWrite(point: TemplatePoint, value: unknown, exponent: number | null = null): EncodedWrite {
	const { write: rule = {}, count } = point;
	const { function: functionCode = usualFunction(point), address = point.address } = rule;
	if (point.type === 'bool') return { functionCode, address, words: [value === true ? 1 : 0], masks: null };
	if (count > mostRegisters(functionCode))
		throw refusePoint(point, `has ${count} registers; one write carries ${mostRegisters(functionCode)}`);
	const registers = encodeRegisters(point, value, exponent);
	if (registers.masks !== null && !keepsOthers(point))
		throw refusePoint(
			point,
			'is a part of a register, and its template does not say how to write it: by function 22, or as a whole that is read before',
		);
	return { functionCode, address, ...registers };
}
