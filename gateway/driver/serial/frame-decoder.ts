import { factsOfType } from '../../../config/template/register-types.ts';
import type { SerialFormat, SerialPlace } from '../../../config/template/serial-format.ts';
import type { DeviceTemplate, TemplatePoint } from '../../../config/template/template.ts';
import type { Quality, SampleValue } from '../../../core/telemetry/reading.ts';
import { linearScale, roundTo } from '../modbus/codec/linear-scale.ts';
import { toWireOrder } from '../modbus/codec/byte-order.ts';
import { bitReader, numberReader } from '../modbus/codec/raw-number.ts';
import { textReader } from '../modbus/codec/text-value.ts';
import { type CounterReplaced, createPlausibility } from '../plausibility.ts';
import { spanIn } from './checksum.ts';
import { createPayloadReader, type ReadPayload } from './payload-reader.ts';
import { meaningOf } from './text-value.ts';

/** The values of one frame. */
export interface DecodedFrame {
	/** Which sort of frame it was; '': the only one. */
	readonly record: string;
	/** One array for the life of the decoder. */
	readonly keys: readonly string[];
	readonly values: readonly SampleValue[];
	/** `null` when all are good. */
	readonly qualities: readonly Quality[] | null;
}

export interface FrameDecoder {
	/** Keys of all sorts of frames. */
	readonly records: ReadonlyMap<string, readonly string[]>;
	/**
	 * @param frame with a valid checksum
	 * @param atMs when it came, monotonic
	 * @returns `null` when it is of no sort that the template has points for
	 */
	decode(frame: Buffer, atMs: number): DecodedFrame | null;
}

type ReadValue = (payload: Buffer, read: ReadPayload) => SampleValue;

interface PointReader {
	readonly point: TemplatePoint;
	readonly read: ReadValue;
}

/** JSON knows no NaN and no infinity: such a number is no value. */
const finiteOrNull = (value: SampleValue): SampleValue =>
	typeof value === 'number' && !Number.isFinite(value) ? null : value;

function scaled({ scale, offset, precision }: TemplatePoint, read: ReadValue): ReadValue {
	const isPlain = scale === 1 && offset === 0;
	const apply = linearScale(scale, offset);
	const round = precision === undefined ? null : roundTo(precision);
	return (payload, parts) => {
		const raw = read(payload, parts);
		if (typeof raw !== 'number' && typeof raw !== 'bigint') return raw;
		const value = isPlain ? raw : apply(raw);
		return finiteOrNull(round === null ? value : round(value));
	};
}

/** Reads what is written in registers elsewhere; here it may begin at any byte. */
function bytesReader(point: TemplatePoint, at: number, bytes: number): ReadValue {
	if (point.type === 'string') {
		return (payload) =>
			payload
				.toString('latin1', at, at + bytes)
				.replaceAll('\0', '')
				.trim() || null;
	}
	if (point.type === 'raw') return (payload) => payload.toString('hex', at, at + bytes).toUpperCase();
	const { nature } = factsOfType(point.type);
	if (nature === 'truth') return bitReader(point, at);
	const read = nature === 'text' ? textReader(point, at) : numberReader(point, at);
	const absent = point.invalid.map((hex) => toWireOrder(Buffer.from(hex, 'hex'), point.byteOrder));
	return (payload) =>
		absent.some((pattern) => payload.subarray(at, at + pattern.length).equals(pattern)) ? null : read(payload);
}

const textAt =
	(place: Exclude<SerialPlace, { readonly kind: 'bytes' }>): ReadValue =>
	(_payload, parts) => {
		const found = parts.isVoid ? null : parts.text(place);
		if (found === null) return null;
		const value = meaningOf(found.text, place.meaning);
		return found.isNegative && (typeof value === 'number' || typeof value === 'bigint') ? -value : value;
	};

function readerOf(point: TemplatePoint, place: SerialPlace): ReadValue {
	if (place.kind !== 'bytes') return scaled(point, textAt(place));
	const { at, bytes } = place;
	const read = scaled(point, bytesReader(point, at, bytes));
	return (payload, parts) => (at + bytes > payload.length ? null : read(payload, parts));
}

const recordOf = (place: SerialPlace): string => (place.kind === 'column' ? place.record : '');

function qualityOf({ min, max }: TemplatePoint, value: SampleValue): Quality {
	if (value === null) return 'out_of_range';
	if (typeof value !== 'number' && typeof value !== 'bigint') return 'good';
	return value < (min ?? Number.NEGATIVE_INFINITY) || value > (max ?? Number.POSITIVE_INFINITY)
		? 'out_of_range'
		: 'good';
}

/** @param template of one device, with its own layer */
export function createFrameDecoder(
	{ points }: Pick<DeviceTemplate, 'points'>,
	{ places, layout, payload: payloadSpan }: Pick<SerialFormat, 'places' | 'layout' | 'payload'>,
	replaced: CounterReplaced,
): FrameDecoder {
	const readPayload = createPayloadReader(layout);
	const plausibility = createPlausibility(points, replaced);
	const readers = new Map<string, PointReader[]>();
	for (const point of points) {
		const place = places.get(point.key);
		if (place === undefined || point.poll === 'on-demand') continue;
		const record = recordOf(place);
		readers.set(record, [...(readers.get(record) ?? []), { point, read: readerOf(point, place) }]);
	}
	const records = new Map(Array.from(readers, ([name, list]) => [name, list.map(({ point }) => point.key)] as const));

	return {
		records,
		decode(frame, atMs) {
			const span = spanIn(payloadSpan, frame.length);
			if (span === null) return null;
			const payload = frame.subarray(span[0], span[1]);
			const parts = readPayload(payload);
			const own = parts === null ? undefined : readers.get(parts.record);
			const keys = parts === null ? undefined : records.get(parts.record);
			if (parts === null || own === undefined || keys === undefined) return null;
			const values = own.map(({ read }) => read(payload, parts));
			const found = own.map(({ point }, index) => qualityOf(point, values[index] ?? null));
			const qualities = found.every((quality) => quality === 'good') ? null : found;
			return { record: parts.record, keys, values, qualities: plausibility.judge({ keys, values, qualities }, atMs) };
		},
	};
}
