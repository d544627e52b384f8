import type { RegisterType, TemplatePoint } from '../../../../config/template/template.ts';
import { numberOf } from '../../../../config/template/write-rules.ts';
import { fieldFault } from '../../../../core/kernel/fault.ts';
import { toWireOrder } from './byte-order.ts';
import { linearScale, nearestRaw } from './linear-scale.ts';
import { MAX_REGISTERS_PER_WRITE, type ModbusWrite } from '../wire/modbus-line.ts';

/** What goes over the wire for one value. */
export type EncodedWrite = Pick<ModbusWrite, 'functionCode' | 'address' | 'words'>;

type FloatType = 'float32' | 'float64';
type WholeType = Exclude<RegisterType, 'bool' | 'string' | FloatType>;

const floatWriters: Readonly<Record<FloatType, (bytes: Buffer, value: number) => void>> = {
	float32: (bytes, value) => bytes.writeFloatBE(value),
	float64: (bytes, value) => bytes.writeDoubleBE(value),
};

const isFloat = (type: RegisterType): type is FloatType => type === 'float32' || type === 'float64';

const signed: ReadonlySet<WholeType> = new Set(['int16', 'int32', 'int64']);

const refuse = (point: TemplatePoint, value: unknown, rule: string) =>
	fieldFault('rule-violation', 'payload.value', `must ${rule} for point ${point.key}; found ${JSON.stringify(value)}`);

function floatBytes(point: TemplatePoint, type: FloatType, value: unknown): Buffer {
	const raw = (Number(value) - point.offset) / point.scale;
	const bytes = Buffer.alloc(2 * point.count);
	const stored = type === 'float32' ? Math.fround(raw) : raw;
	if (!Number.isFinite(stored)) throw refuse(point, value, `fit into ${type}`);
	floatWriters[type](bytes, raw);
	return bytes;
}

/** The raw number of a scaled point. @throws Fault when there is none that is read as the value */
function unscaled(point: TemplatePoint, value: number): number {
	const raw = nearestRaw(point.scale, point.offset)(value);
	const nearest = linearScale(point.scale, point.offset)(raw);
	if (!Number.isSafeInteger(raw)) throw refuse(point, value, 'fit into its registers');
	if (nearest !== value)
		throw refuse(point, value, `be in steps of ${Math.abs(point.scale)} (the nearest is ${nearest})`);
	return raw;
}

function wholeBytes(point: TemplatePoint, type: WholeType, value: unknown): Buffer {
	const number = numberOf(type, value);
	if (number === null) throw refuse(point, value, 'be a number');
	const isScaled = point.scale !== 1 || point.offset !== 0;
	const raw = BigInt(isScaled ? unscaled(point, Number(number)) : number);
	const bits = 16 * point.count;
	const fits = (signed.has(type) ? BigInt.asIntN(bits, raw) : BigInt.asUintN(bits, raw)) === raw;
	if (!fits) throw refuse(point, value, `fit into ${bits} bits ${signed.has(type) ? 'with' : 'without'} a sign`);
	return Buffer.from(
		BigInt.asUintN(bits, raw)
			.toString(16)
			.padStart(4 * point.count, '0'),
		'hex',
	);
}

/** UTF-8, filled up with NULs. What could not be read back as it was written is refused. */
function textBytes(point: TemplatePoint, value: unknown): Buffer {
	const text = typeof value === 'string' ? value : '';
	const bytes = Buffer.alloc(2 * point.count);
	const needed = Buffer.byteLength(text);
	if (needed > bytes.length) throw refuse(point, value, `have at most ${bytes.length} bytes`);
	if (text.includes('\0') || text !== text.trimEnd()) throw refuse(point, value, 'have no NUL and no blank at its end');
	bytes.write(text);
	if (bytes.toString('utf8', 0, needed) !== text) throw refuse(point, value, 'be well-formed Unicode');
	return bytes;
}

function bytesOf(point: TemplatePoint, value: unknown): Buffer {
	const { type } = point;
	if (type === 'string') return textBytes(point, value);
	if (type === 'bool') throw new RangeError(`${point.key}: a bit is not in a register`);
	return isFloat(type) ? floatBytes(point, type, value) : wholeBytes(point, type, value);
}

const wordsOf = (bytes: Buffer): readonly number[] =>
	Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16BE(2 * index));

/**
 * The inverse of the decoder: the write whose registers are read as this value. `value` has passed the rules of the template
 * (`writeMistake`). float32 takes the nearest number it has.
 * @throws Fault `rule-violation` of `payload.value` when the registers cannot hold the value
 */
export function encodeWrite(point: TemplatePoint, value: unknown): EncodedWrite {
	const { address } = point;
	if (point.type === 'bool') return { functionCode: 5, address, words: [value === true ? 1 : 0] };
	if (point.count > MAX_REGISTERS_PER_WRITE)
		throw fieldFault(
			'rule-violation',
			'payload.point',
			`${point.key} has ${point.count} registers; one write carries ${MAX_REGISTERS_PER_WRITE}`,
		);
	const bytes = bytesOf(point, value);
	const hex = bytes.toString('hex');
	if (point.invalid.some((pattern) => pattern.toLowerCase() === hex))
		throw refuse(point, value, `not be ${hex}, which means "no value"`);
	const words = wordsOf(toWireOrder(bytes, point.byteOrder));
	return { functionCode: words.length === 1 ? 6 : 16, address, words };
}
