import { factsOfType } from './register-types.ts';
import { toPoint } from './point-form.ts';
import { bytesOf } from './serial-bytes.ts';
import type {
	ChecksumRule,
	CsvRecord,
	Framing,
	FrameSpan,
	SerialFormat,
	SerialLayout,
	SerialPlace,
	TextMeaning,
} from './serial-format.ts';
import type { WireRecord, WireSerialHeader, WireSerialPoint } from './serial-form.ts';
import type { RegisterType, TemplatePoint } from './template.ts';

/** Whether a raw template is one of a serial device that is not Modbus. */
export const isSerialTemplate = (raw: unknown): raw is object =>
	typeof raw === 'object' && raw !== null && 'kind' in raw && raw.kind === 'serial';

const marked = (text = ''): Uint8Array => bytesOf(text) ?? new Uint8Array();

function toFraming({ framing: wire }: WireSerialHeader): Framing {
	const limits = { start: marked(wire.start), mostBytes: wire.max, gapMs: wire.gap_ms ?? null };
	const { by, after = 0, length = 0, at = 0, type = 'uint8', plus = 0, gap_ms: gapMs = 0 } = wire;
	if (by === 'delimiter') return { ...limits, by, end: marked(wire.end), after };
	if (by === 'length') return { ...limits, by, length };
	if (by === 'length-field') return { ...limits, by, at, type, plus };
	return { ...limits, by, gapMs };
}

const toRecord = ({ name, is, ends_with: endsWith = '', valid }: WireRecord): CsvRecord => ({
	name,
	first: is === undefined ? { endsWith } : { is },
	valid: valid ?? null,
});

function toLayout({ layout }: WireSerialHeader): SerialLayout {
	const { kind, pattern = '', separator = ',', assign = '=', records = [] } = layout;
	if (kind === 'regex') return { kind, pattern };
	if (kind === 'csv') return { kind, separator, records: records.map(toRecord) };
	if (kind === 'key-value') return { kind, separator, assign };
	return { kind };
}

/** A text is what stands between the marks; bytes are counted from the start of the frame. */
function usualPayload(framing: Framing, layout: SerialLayout): FrameSpan {
	if (layout.kind === 'binary') return { from: 0, to: 0 };
	const to = framing.by === 'delimiter' ? -(framing.end.length + framing.after) : 0;
	return { from: framing.start.length, to };
}

const toChecksum = ({ checksum }: WireSerialHeader): ChecksumRule | null =>
	checksum === undefined ? null : { ...checksum, mark: marked(checksum.mark) };

const toMeaning = ({ form, codes }: WireSerialPoint): TextMeaning => ({
	form,
	codes: codes === undefined ? null : new Map(Object.entries(codes)),
});

const BYTE_TYPES: Readonly<Partial<Record<string, RegisterType>>> = { uint8: 'uint8h', int8: 'int8h' };

function bytesOfType({ type = 'uint8', length = 1 }: WireSerialPoint): number {
	if (type === 'uint8' || type === 'int8') return 1;
	return 2 * (factsOfType(type).counts?.[0] ?? length / 2);
}

function toPlace(wire: WireSerialPoint, layout: SerialLayout): SerialPlace {
	const { field = '', record = '', column = 0, sign = null, code = '', mbus = null, value = 0, at = 0 } = wire;
	if (layout.kind === 'binary') return { kind: 'bytes', at, bytes: bytesOfType(wire) };
	const meaning = toMeaning(wire);
	if (layout.kind === 'csv') return { kind: 'column', record, column, sign, meaning };
	if (layout.kind === 'obis') return { kind: 'obis', code, mbus, value, meaning };
	return { kind: 'field', field, meaning };
}

const LETTERS = 'ABCDEFGH';

interface Typed {
	readonly type: RegisterType;
	readonly count: number;
	readonly byte_order: string;
}

/** How the codec of registers would read the value, which says what can be done with it. */
function typeOf(wire: WireSerialPoint, layout: SerialLayout): Typed {
	if (layout.kind !== 'binary') {
		if (wire.codes !== undefined) return { type: 'int32', count: 2, byte_order: 'ABCD' };
		const isNumber = wire.form === 'number' || wire.form === 'angle';
		return isNumber
			? { type: 'float64', count: 4, byte_order: LETTERS }
			: { type: 'string', count: 1, byte_order: 'AB' };
	}
	const { type: written = 'uint8' } = wire;
	const byte = BYTE_TYPES[written];
	if (byte !== undefined) return { type: byte, count: 1, byte_order: 'AB' };
	const type = written === 'uint8' || written === 'int8' ? 'uint16' : written;
	const count = factsOfType(type).counts?.[0] ?? 1;
	return { type, count, byte_order: wire.byte_order ?? LETTERS.slice(0, Math.min(8, 2 * count)) };
}

/** Members that only the file of a serial template has. */
const PLACE_MEMBERS: ReadonlySet<string> = new Set(
	'form codes field record column sign code mbus value at length'.split(' '),
);

/** The point as everything beside the serial driver sees it: a value with a unit and a meaning. It is in no register. */
export function toSerialPoint(wire: WireSerialPoint, layout: SerialLayout): TemplatePoint {
	const common = Object.fromEntries(Object.entries(wire).filter(([name]) => !PLACE_MEMBERS.has(name)));
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is left are the members of a point of any template
	const shared = common as unknown as Omit<WireSerialPoint, 'type' | 'byte_order'>;
	return toPoint({ ...shared, function: 4, address: 0, ...typeOf(wire, layout) });
}

/**
 * @param wire the header, checked
 * @param points its points, checked
 * @param file the whole file as it was written
 */
export function toSerialFormat(wire: WireSerialHeader, points: readonly WireSerialPoint[], file: object): SerialFormat {
	const framing = toFraming(wire);
	const layout = toLayout(wire);
	return {
		framing,
		checksum: toChecksum(wire),
		payload: wire.payload ?? usualPayload(framing, layout),
		request: wire.request === undefined ? null : marked(wire.request),
		layout,
		places: new Map(points.map((point) => [point.key, toPlace(point, layout)])),
		file,
	};
}

/** The layout alone, for the points that are looked at before the whole is known to be sound. */
export const layoutOf = toLayout;
