import { factsOfType } from '../../../../config/template/register-types.ts';
import type { DeviceTemplate, TemplatePoint } from '../../../../config/template/template.ts';
import type { Quality, SampleValue } from '../../../../core/telemetry/reading.ts';
import { readsBits } from '../plan/line-cost.ts';
import type { ReadRequest } from '../plan/request-plan.ts';
import { toWireOrder } from './byte-order.ts';
import { type Integer, linearScale, roundTo } from './linear-scale.ts';
import { bitReader, numberReader } from './raw-number.ts';
import { createScaleFactors, factorNote, factorScale, type ScaleFactors } from './scale-factors.ts';
import { textReader } from './text-value.ts';

/** The values of one answer, in the order of the request's points. */
export interface DecodedRead {
	readonly values: readonly SampleValue[];
	/** `null` when all are good. */
	readonly qualities: readonly Quality[] | null;
}

/** Gives the data bytes of an answer their meaning: one value for each point of the request. */
export type DecodeRead = (request: ReadRequest, data: Buffer) => DecodedRead;

/**
 * Turns the data bytes of an answer (without unit, function and byte count) into values.
 * @throws RangeError when `data` is not exactly as long as the request asks; the bus refuses such an answer before.
 */
export type ReadDecoder = (data: Buffer) => DecodedRead;

/** The decoder of one device: its scale factors may be in another answer than the values that need them. */
export interface DeviceDecoder {
	readonly decode: DecodeRead;
	/** The device was out of reach: its scale factors count only after they were read again. */
	forget(): void;
}

/** What decoding an answer depends on beside its request. */
interface DecodeContext {
	readonly factors: ScaleFactors;
	/** Keys of the points that are factors of others. */
	readonly factorKeys: ReadonlySet<string>;
	readonly allFfIsAbsent?: boolean | undefined;
}

type ValueReader = (data: Buffer) => SampleValue;

interface PointDecoder {
	/** The value after scaling; `null` when the bytes hold none. */
	readonly read: ValueReader;
	readonly min: number;
	readonly max: number;
	/** Key of the scale factor without which there is no value yet. */
	readonly factor: string | null;
}

/** An answer of fewer registers or points that is FFFFh all over may well be values: -1, or all alarms at once. */
const ABSENT_FROM_REGISTERS = 8;

/** JSON and charts know no NaN and no infinity: such a number is no value. */
const finiteOrNull = (value: Integer): SampleValue =>
	typeof value === 'number' && !Number.isFinite(value) ? null : value;

function scaledReader(point: TemplatePoint, at: number, { factors }: DecodeContext): ValueReader {
	const read = numberReader(point, at);
	if (point.scaleFactor !== undefined) {
		const scaleNow = factorScale(point, point.scaleFactor, factors);
		return (data) => {
			const scaled = scaleNow();
			return scaled === null ? null : finiteOrNull(scaled(read(data)));
		};
	}
	if (point.scale === 1 && point.offset === 0) return (data) => finiteOrNull(read(data));
	const scaled = linearScale(point.scale, point.offset);
	return (data) => finiteOrNull(scaled(read(data)));
}

function rounded(read: ValueReader, decimals: number): ValueReader {
	const round = roundTo(decimals);
	return (data) => {
		const value = read(data);
		return typeof value === 'number' ? round(value) : value;
	};
}

function numericReader(point: TemplatePoint, at: number, context: DecodeContext): ValueReader {
	const read = scaledReader(point, at, context);
	return point.precision === undefined ? read : rounded(read, point.precision);
}

/** Coils and discrete inputs: the first one asked for is the least significant bit of the first byte (1.1b3, 6.1). */
const coilReader =
	(bit: number) =>
	(data: Buffer): boolean =>
		((data.readUInt8(bit >> 3) >> (bit & 7)) & 1) === 1;

/** Byte by byte: for so few bytes a native comparison costs ten times as much. */
function holds(data: Buffer, at: number, pattern: Buffer): boolean {
	for (let k = 0; k < pattern.length; k++) {
		if (data[at + k] !== pattern[k]) return false;
	}
	return true;
}

/** All ones in a counter that has no sign is a value that was not there: such a number would spoil every sum it enters. */
function patternsOf({ kind, type, count, slice, mask, invalid, byteOrder }: TemplatePoint): readonly Buffer[] {
	const isWholeCounter =
		kind === 'counter' && /^uint(?:16|32|64)$/.test(type) && slice === undefined && mask === undefined;
	const all = isWholeCounter ? [...invalid, 'ffff'.repeat(count)] : invalid;
	return all.map((hex) => toWireOrder(Buffer.from(hex, 'hex'), byteOrder));
}

function registerReader(point: TemplatePoint, at: number, context: DecodeContext): ValueReader {
	const { nature } = factsOfType(point.type);
	if (nature === 'truth') return bitReader(point, at);
	return nature === 'text' ? textReader(point, at) : numericReader(point, at, context);
}

function checkedReader(point: TemplatePoint, at: number, context: DecodeContext): ValueReader {
	const read = registerReader(point, at, context);
	const patterns = patternsOf(point);
	if (patterns.length === 0) return read;
	return (data) => (patterns.some((pattern) => holds(data, at, pattern)) ? null : read(data));
}

function pointDecoder(point: TemplatePoint, request: ReadRequest, context: DecodeContext): PointDecoder {
	const place = point.address - request.address;
	return {
		read: readsBits(point.functionCode) ? coilReader(place) : checkedReader(point, 2 * place, context),
		min: point.min ?? Number.NEGATIVE_INFINITY,
		max: point.max ?? Number.POSITIVE_INFINITY,
		factor: point.scaleFactor ?? null,
	};
}

const isPlausible = (value: SampleValue, { min, max }: PointDecoder): boolean =>
	(typeof value !== 'number' && typeof value !== 'bigint') || (value >= min && value <= max);

/** A value without its factor is not wrong, it is not read yet. */
const missing = ({ factor }: PointDecoder, { factors }: DecodeContext): Quality =>
	factor !== null && factors.of(factor) === undefined ? 'comm_error' : 'out_of_range';

/** Whether an answer of ones only means that there is nothing. */
function absenceRule(request: ReadRequest, { allFfIsAbsent }: DecodeContext): (data: Buffer) => boolean {
	const isLong = request.count >= ABSENT_FROM_REGISTERS && request.points.length > 1;
	if (readsBits(request.functionCode) || !(allFfIsAbsent ?? isLong)) return () => false;
	return (data) => data[0] === 0xff && data[1] === 0xff && data.every((byte) => byte === 0xff);
}

function createContextDecoder(request: ReadRequest, context: DecodeContext): ReadDecoder {
	const decoders = request.points.map((point) => pointDecoder(point, request, context));
	const notes = request.points
		.filter(({ key }) => context.factorKeys.has(key))
		.map((point) => factorNote(point, 2 * (point.address - request.address), context.factors));
	const length = readsBits(request.functionCode) ? Math.ceil(request.count / 8) : 2 * request.count;
	const isAbsent = absenceRule(request, context);
	const nothing: DecodedRead = {
		values: decoders.map(() => null),
		qualities: decoders.map(() => 'out_of_range'),
	};
	return (data) => {
		if (data.length !== length) {
			throw new RangeError(
				`an answer to ${request.count} from ${request.address} has ${length} bytes, not ${data.length}`,
			);
		}
		if (isAbsent(data)) return nothing;
		for (const note of notes) note(data);
		// `map` makes the list as long as it has to be; one that grows would keep a third more for as long as the values live.
		const values = decoders.map((decoder) => decoder.read(data));
		let qualities: Quality[] | null = null;
		for (const [index, decoder] of decoders.entries()) {
			const value = values[index] ?? null;
			if (value !== null && isPlausible(value, decoder)) continue;
			qualities ??= decoders.map(() => 'good');
			qualities[index] = value === null ? missing(decoder, context) : 'out_of_range';
		}
		return { values, qualities };
	};
}

const factorKeysOf = (points: readonly TemplatePoint[]): ReadonlySet<string> =>
	new Set(points.flatMap(({ scaleFactor }) => (scaleFactor === undefined ? [] : [scaleFactor])));

/**
 * Builds the decoder of one request that stands alone; what it returns is on the hot path.
 *
 * - A value in one of the point's `invalid` patterns, NaN, the infinities, digits that are none and days that do not exist say that the device
 *   has no value: `null`, `out_of_range`. So does an answer that is FFFFh all over (`allFfIsAbsent`), in each of its points.
 * - A number beyond `min` or `max` may be a fault of the wiring that someone has to see: it is kept, `out_of_range`.
 * - 64-bit integers beyond 2^53 are `bigint`, also when they are scaled by a whole number.
 * - `bits` is the unsigned number of its registers; texts of `enum` are for the reader of the value, not part of it.
 * - A value whose scale factor has not been read is `null`, `comm_error`; one whose factor is not implemented `null`, `out_of_range`.
 *
 * @throws RangeError when a point has a size its type does not come in; a template that was parsed has none.
 */
export const createReadDecoder = (request: ReadRequest): ReadDecoder =>
	createContextDecoder(request, { factors: createScaleFactors(), factorKeys: factorKeysOf(request.points) });

/**
 * The decoder of one device. A request gets its decoder at its first answer, which lives as long as the request.
 *
 * A scale factor in the same answer is used at once; the planner reads values and their factor together where one read can carry them. A factor
 * in another answer counts from when it was read until it is read again. It is read at least as often as the values that need it
 * (`layeredTemplate` sees to it), and one that changed never touches a value that was read before it.
 */
export function createDeviceDecoder({
	points,
	allFfIsAbsent,
}: Pick<DeviceTemplate, 'points' | 'allFfIsAbsent'>): DeviceDecoder {
	const context: DecodeContext = { factors: createScaleFactors(), factorKeys: factorKeysOf(points), allFfIsAbsent };
	const decoders = new WeakMap<ReadRequest, ReadDecoder>();
	return {
		decode(request, data) {
			let decode = decoders.get(request);
			if (decode === undefined) decoders.set(request, (decode = createContextDecoder(request, context)));
			return decode(data);
		},
		forget: () => context.factors.forget(),
	};
}
